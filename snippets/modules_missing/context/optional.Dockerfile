FROM golang:1.27-alpine
WORKDIR /src
COPY go.mod go.sum* ./
RUN go mod download
COPY . .
RUN go build -o /go/bin/app .
