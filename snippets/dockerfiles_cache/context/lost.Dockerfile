FROM golang:1.27-alpine AS builder
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/bin \
    CGO_ENABLED=0 go build -trimpath -ldflags=-s -o /go/bin/app .

FROM scratch
COPY --from=builder /go/bin/app /app
USER 65532:65532
ENTRYPOINT ["/app"]
