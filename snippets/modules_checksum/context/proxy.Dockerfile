# A module proxy is a folder: this one has one module, in one version.
FROM golang:1.27-alpine
WORKDIR /proxy/example.com/greet/@v
COPY pack.go /
COPY greet .
RUN go run /pack.go > v1.0.0.zip && \
    mv go.mod v1.0.0.mod && \
    rm greet.go && \
    echo '{"Version":"v1.0.0"}' > v1.0.0.info && \
    echo v1.0.0 > list
