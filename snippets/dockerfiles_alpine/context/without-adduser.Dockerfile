FROM golang:1.27-alpine AS builder
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags=-s -o /app .

FROM alpine:3.22
COPY --from=builder /app /usr/local/bin/app
USER 10001:10001
ENTRYPOINT ["app"]
