package main

import (
	"encoding/json"
	"log"
	"net/http"
)

type greeting struct {
	Line string `json:"line"`
}

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewEncoder(w).Encode(greeting{"hello world"}); err != nil {
			log.Print(err)
		}
	})
	log.Fatal(http.ListenAndServe(":8080", nil))
}
