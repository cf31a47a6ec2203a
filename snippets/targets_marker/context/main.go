package main

import "fmt"

func greeting() string {
	return "hello wrold"
}

func main() {
	fmt.Println(greeting())
}
