FROM golang:1.27-alpine
COPY app /src
RUN echo "// edited at $(date +%s%N)" >> /src/main.go
