FROM golang:1.27-alpine
WORKDIR /src
ENV GOPRIVATE=github.com/your-company/*
RUN go mod download github.com/your-company/private@v1.0.0
