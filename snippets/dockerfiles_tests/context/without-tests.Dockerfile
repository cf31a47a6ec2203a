FROM golang:1.27-alpine AS builder
WORKDIR /src
ENV CGO_ENABLED=0
COPY . .
# A deliberate mistake.
RUN sed -i "s|hello |hallo |" main.go
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    go build -trimpath -ldflags=-s -o /app .

FROM scratch
COPY --from=builder /app /app
USER 65532:65532
ENTRYPOINT ["/app"]
