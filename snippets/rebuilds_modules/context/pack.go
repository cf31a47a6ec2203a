// Packs a module as a proxy serves it: a zip file of a folder.
package main

import (
	"archive/zip"
	"log"
	"os"
)

func main() {
	archive := zip.NewWriter(os.Stdout)
	if err := archive.AddFS(os.DirFS(os.Args[1])); err != nil {
		log.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		log.Fatal(err)
	}
}
