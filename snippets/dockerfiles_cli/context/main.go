package main

import (
	"fmt"
	"os"

	"example/greet"
)

func main() {
	name := "world"
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	fmt.Println(greet.Line(name))
}
