FROM golang:1.27-alpine AS builder
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags=-s -o /app .

FROM alpine:3.22
RUN adduser -D -H -u 65532 app
COPY --from=builder /app /usr/local/bin/app
ENTRYPOINT ["app"]
