# Plays a fresh `git clone` of that commit: the file is new, and the umask decides its permission bits.
FROM golang:1.27-alpine
ARG MODE
COPY --from=commit /src/main.go /src/
RUN touch /src/main.go && chmod $MODE /src/main.go && stat -c '%a %n' /src/main.go
