package main

import (
	_ "embed"
	"fmt"
)

//go:embed greeting.txt
var text string

func main() {
	fmt.Print(text)
}
