FROM golang:1.27-alpine AS builder
WORKDIR /src
COPY go.work ./
COPY app app
RUN CGO_ENABLED=0 go build -o /app ./app

FROM scratch
COPY --from=builder /app /app
ENTRYPOINT ["/app"]
