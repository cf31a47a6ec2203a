FROM golang:1.27-alpine AS source
RUN mkdir /src && cd /usr/local/go/src && \
    cp -r bufio bytes errors fmt io os sort strings /src

FROM scratch
COPY --from=source /src /src
