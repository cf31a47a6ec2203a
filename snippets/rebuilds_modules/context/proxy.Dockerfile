# A module proxy is a folder: this one has one module, in one version.
FROM golang:1.27-alpine
WORKDIR /proxy/example.com/greet/@v
COPY greet /module/example.com/greet@v1.0.0
COPY pack.go /
RUN go run /pack.go /module > v1.0.0.zip && \
    cp /module/example.com/greet@v1.0.0/go.mod v1.0.0.mod && \
    echo '{"Version":"v1.0.0"}' > v1.0.0.info && \
    echo v1.0.0 > list
