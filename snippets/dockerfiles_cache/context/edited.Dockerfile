FROM golang:1.27-alpine
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -o /app .

# An edit: no build has seen this main.go before.
RUN echo "// edited at $(date +%s%N)" >> main.go

RUN --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -v -trimpath -o /app-with . 2> /with-the-mount

RUN CGO_ENABLED=0 go build -v -trimpath -o /app-without . 2> /without-the-mount

CMD ["wc", "-l", "/with-the-mount", "/without-the-mount"]
