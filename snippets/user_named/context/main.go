package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Printf("uid %d, gid %d\n", os.Getuid(), os.Getgid())

	entries, err := os.ReadDir("/")
	if err != nil {
		fmt.Println(err)
	}
	for _, entry := range entries {
		fmt.Print("/", entry.Name(), " ")
	}
	fmt.Println()

	if err := os.WriteFile("/tmp/probe", []byte("probe"), 0o600); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("wrote /tmp/probe")
}
