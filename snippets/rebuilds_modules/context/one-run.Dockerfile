FROM golang:1.27-alpine
WORKDIR /src
ENV GOPROXY=file:///proxy
COPY --from=edit /src .
RUN --mount=type=bind,from=proxy,source=/proxy,target=/proxy \
    --mount=type=cache,id=one-run,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    go mod download && go build -o /go/bin/app .
CMD ["app"]
