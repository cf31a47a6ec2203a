FROM golang:1.27-alpine AS go
WORKDIR /src

FROM go AS bound
RUN --mount=type=bind,from=edit,source=/src,target=. \
    --mount=type=cache,target=/root/.cache/go-build \
    echo "the mount: go build runs" && go build -o /app .

FROM go AS copied
COPY --from=edit /src .
RUN --mount=type=cache,target=/root/.cache/go-build \
    echo "the copy: go build runs" && go build -o /app .

FROM scratch
COPY --from=bound /app /bound
COPY --from=copied /app /copied
