// Package greet knows what to say.
package greet

import "fmt"

// Print greets in the name of a program.
func Print(program string) {
	fmt.Println("hello from the", program)
}
