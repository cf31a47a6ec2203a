package main

import (
	"crypto/fips140"
	"crypto/sha256"
	"fmt"
)

func main() {
	fmt.Printf("SHA-256: %x\n", sha256.Sum256([]byte("hello world")))
	fmt.Println("FIPS 140-3 mode:", fips140.Enabled())
	fmt.Println("module:", fips140.Version())
}
