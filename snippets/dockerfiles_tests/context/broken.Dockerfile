FROM golang:1.27-alpine AS builder
WORKDIR /src
COPY . .
# A mistake, made on purpose.
RUN sed -i "s|hello |hallo |" main.go
RUN --mount=type=cache,target=/root/.cache/go-build \
    go vet ./... && go test ./...
RUN --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags=-s -o /app .

FROM scratch
COPY --from=builder /app /app
ENTRYPOINT ["/app"]
