FROM golang:1.27-alpine
WORKDIR /go/src/app
COPY --from=edit /src/main.go .
RUN go build -v -o /go/bin/app main.go
CMD ["app"]
