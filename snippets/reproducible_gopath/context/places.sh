# Each build gets its own cache, because Go's cache doesn't tell the two apart.
build() {
    mkdir -p "$1" /root/.cache/go-build
    cp /src/main.go "$1"
    cp -r /root/.cache/go-build "$2.cache"
    cd "$1" && GOCACHE="$2.cache" go build -trimpath -o "$2" main.go
}
build /go/src/app /tmp/one
build /elsewhere /tmp/two
cmp /tmp/one /tmp/two
