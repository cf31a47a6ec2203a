package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello world")
	})
	log.Println("listening on", os.Args[1])
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
