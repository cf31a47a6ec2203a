FROM golang:1.27-alpine AS builder
WORKDIR /src
RUN --mount=type=bind,target=. \
    --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -o app .

FROM scratch
COPY --from=builder /src/app /app
ENTRYPOINT ["/app"]
