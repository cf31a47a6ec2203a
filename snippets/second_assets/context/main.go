package main

import (
	"embed"
	"fmt"
)

//go:embed static
var static embed.FS

func main() {
	files, err := static.ReadDir("static")
	if err != nil {
		panic(err)
	}
	for _, file := range files {
		fmt.Println(file.Name())
	}
	fmt.Println(len(files), "files")
}
