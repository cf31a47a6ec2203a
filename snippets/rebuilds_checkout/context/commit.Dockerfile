# Plays a new commit: no build has seen this main.go before.
FROM golang:1.27-alpine
COPY main.go /src/
RUN echo "// committed at $(date +%s%N)" >> /src/main.go
