FROM golang:1.27-alpine AS builder
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags=-s -tags timetzdata -o /app .

FROM alpine:3.22
COPY --from=builder /app /src/start.sh /
USER 65532:65532
ENTRYPOINT ["/start.sh"]
