// One program that does what both do: `both server` and `both worker`.
package main

import (
	"os"

	"example/internal/greet"
)

func main() {
	greet.Print(os.Args[1])
}
