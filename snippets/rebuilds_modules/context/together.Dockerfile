FROM golang:1.27-alpine
WORKDIR /src
COPY --from=proxy /proxy /proxy
ENV GOPROXY=file:///proxy
COPY --from=edit /src .
RUN --mount=type=cache,target=/root/.cache/go-build \
    go build -o /go/bin/app .
CMD ["app"]
