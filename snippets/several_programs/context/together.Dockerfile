FROM golang:1.27-alpine AS builder
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags=-s -o /out/ ./cmd/server ./cmd/worker

FROM scratch
COPY --from=builder /out/ /
USER 65532:65532
ENTRYPOINT ["/server"]
