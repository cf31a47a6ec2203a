FROM golang:1.27-alpine AS source

FROM scratch
COPY --from=source /usr/local/go/src/bufio /src/bufio
COPY --from=source /usr/local/go/src/bytes /src/bytes
COPY --from=source /usr/local/go/src/errors /src/errors
COPY --from=source /usr/local/go/src/fmt /src/fmt
COPY --from=source /usr/local/go/src/io /src/io
COPY --from=source /usr/local/go/src/os /src/os
COPY --from=source /usr/local/go/src/sort /src/sort
COPY --from=source /usr/local/go/src/strings /src/strings
