# Builds the go command from the source that comes with it, with each set of flags.
export CGO_ENABLED=0 GOCACHE=/tmp/cache
cd /usr/local/go/src
echo "lines of Go: $(go list -deps -f '{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}} {{end}}' cmd/go | xargs cat | wc -l)"
echo "compiled: $(go build -v -o /tmp/plain cmd/go 2>&1 | wc -l) packages"
go build -ldflags="-w" -o /tmp/w cmd/go
go build -ldflags="-s" -o /tmp/s cmd/go
go build -ldflags="-s -w" -o /tmp/s-w cmd/go
go build -ldflags='-s -extldflags "-static"' -o /tmp/static cmd/go
stat -c '%s %n' /tmp/plain /tmp/w /tmp/s /tmp/s-w /tmp/static
echo "gzipped plain: $(gzip -c /tmp/plain | wc -c)"
echo "gzipped s: $(gzip -c /tmp/s | wc -c)"
echo "// edited" >> cmd/go/main.go
echo "compiled after an edit: $(go build -v -o /tmp/plain cmd/go 2>&1 | wc -l) packages"
