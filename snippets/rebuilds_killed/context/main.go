package main

func main() {
	println(large(1))
}
