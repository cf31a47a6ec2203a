# Builds the two programs as the Dockerfiles of this site do, and prints their sizes.
export CGO_ENABLED=0
go build -trimpath -ldflags=-s -o /out/ ./hello ./service
stat -c '%s %n' /out/hello /out/service
