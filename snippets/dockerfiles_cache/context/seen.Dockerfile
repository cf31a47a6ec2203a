FROM golang:1.27-alpine
WORKDIR /src
COPY . .
