FROM --platform=$BUILDPLATFORM golang:1.27-alpine AS builder
RUN adduser -D -H -u 65532 app
WORKDIR /src
COPY main.go .
ARG TARGETOS TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /app main.go

FROM scratch AS base
COPY --from=builder /app /bin/sh

FROM base
COPY --from=builder /etc/passwd /etc/group /etc/
COPY --from=builder /app /app
USER app
ENTRYPOINT ["/app"]
