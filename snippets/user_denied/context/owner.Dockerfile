FROM golang:1.27-alpine AS builder
WORKDIR /src
COPY . .
RUN umask 077 && CGO_ENABLED=0 go build -o /app ./cmd/app

FROM scratch
COPY --from=builder /app /app
USER 65532:65532
ENTRYPOINT ["/app"]
