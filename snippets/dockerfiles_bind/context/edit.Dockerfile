FROM alpine:3.22
COPY . /src
RUN date +%s%N >> /src/README.md
