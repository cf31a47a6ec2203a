package main

import "fmt"

func greeting() string {
	return "hello world"
}

func main() {
	fmt.Println(greeting())
}
