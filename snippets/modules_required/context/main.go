package main

import (
	"fmt"

	"example.com/app/greet"
)

func main() {
	fmt.Println(greet.Line("world"))
}
