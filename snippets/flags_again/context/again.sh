go build -o /tmp/app main.go
echo "compiled again:         $(go build -v -o /tmp/app main.go 2>&1 | wc -l) packages"
echo "compiled again with -a: $(go build -a -v -o /tmp/app main.go 2>&1 | wc -l) packages"
