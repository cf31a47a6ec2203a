package main

import "example/internal/greet"

func main() {
	greet.Print("server")
}
