FROM golang:1.27-alpine AS builder
WORKDIR /src
COPY go.mod main.go ./
RUN CGO_ENABLED=0 go build -trimpath -ldflags=-s -o /app .

FROM scratch
COPY --from=builder /app /app
ENTRYPOINT ["/app"]
