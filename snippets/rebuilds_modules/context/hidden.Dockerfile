FROM golang:1.27-alpine
WORKDIR /src
ENV GOPROXY=file:///proxy
COPY --from=edit /src/go.mod /src/go.sum ./
# The proxy can be reached in this instruction only, as a private one can where its password is mounted.
RUN --mount=type=bind,from=proxy,source=/proxy,target=/proxy \
    go mod download
COPY --from=edit /src .
RUN --mount=type=cache,id=hidden,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    go build -o /go/bin/app .
CMD ["app"]
