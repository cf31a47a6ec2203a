FROM golang:1.27-alpine AS builder
WORKDIR /src
ENV CGO_ENABLED=0 GOFLAGS=-trimpath
COPY . .
# A mistake, made on purpose.
RUN sed -i "s|hello |hallo |" main.go
RUN --mount=type=cache,target=/root/.cache/go-build \
    go vet ./... && go test ./...
RUN --mount=type=cache,target=/root/.cache/go-build \
    go build -ldflags=-s -o /app .

FROM scratch
COPY --from=builder /app /app
USER 65532:65532
ENTRYPOINT ["/app"]
