FROM golang:1.27-alpine AS builder
WORKDIR /go/src/app
COPY main.go .
RUN go build -o /go/bin/app main.go

FROM alpine:3.22
COPY --from=builder --chown=65532:65532 /go/bin/app /usr/local/bin/app
CMD ["app"]
