FROM golang:1.27-alpine
COPY main.go /src/
RUN sed -i "s/world/$(date +%s)/" /src/main.go
