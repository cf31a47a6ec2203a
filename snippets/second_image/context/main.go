package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	bundle, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.Count(string(bundle), "BEGIN CERTIFICATE"), "certificate authorities")
}
