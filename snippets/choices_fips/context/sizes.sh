for module in off v1.0.0; do
  CGO_ENABLED=0 GOFIPS140=$module go build -trimpath -ldflags=-s -o /out/$module .
  stat -c '%s %n' /out/$module
done
