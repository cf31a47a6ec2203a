// Packs a module as a proxy serves it: a zip file of its files, each under the module's name and version.
package main

import (
	"archive/zip"
	"log"
	"os"
)

func main() {
	archive := zip.NewWriter(os.Stdout)
	for _, name := range []string{"go.mod", "greet.go"} {
		content, err := os.ReadFile(name)
		if err != nil {
			log.Fatal(err)
		}
		file, err := archive.Create("example.com/greet@v1.0.0/" + name)
		if err != nil {
			log.Fatal(err)
		}
		file.Write(content)
	}
	if err := archive.Close(); err != nil {
		log.Fatal(err)
	}
}
