package main

import (
	"fmt"
	"runtime"
)

func main() {
	fmt.Println("compiled for", runtime.GOOS, runtime.GOARCH)
}
