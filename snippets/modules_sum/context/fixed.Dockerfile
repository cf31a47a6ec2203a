FROM golang:1.27-alpine
WORKDIR /src
COPY --from=proxy /proxy /proxy
ENV GOPROXY=file:///proxy
COPY app/go.mod app/go.sum ./
COPY app/main.go ./
RUN go build -o /go/bin/app .
CMD ["app"]
