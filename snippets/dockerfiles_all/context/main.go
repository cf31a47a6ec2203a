// A web service that asks itself for its start page, says what it found around it, and ends.
package main

import (
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"
)

func main() {
	listener, err := net.Listen("tcp", ":8080")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("GET /", home)
	go http.Serve(listener, nil)

	fmt.Println("compiled for:", runtime.GOOS, runtime.GOARCH)
	fmt.Println("start page:  ", page("http://127.0.0.1:8080/"))
	fmt.Println("authorities: ", authorities())
	fmt.Println("Europe/Paris:", zone("Europe/Paris"))
	fmt.Println("local time:  ", noon(time.Local))
	fmt.Println("user, group: ", os.Getuid(), os.Getgid())
}

func home(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprint(w, "hello world")
}

func page(url string) string {
	answer, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return answer.Status + ", " + string(body)
}

// How many certificate authorities are trusted: none means no HTTPS to anyone.
func authorities() int {
	roots, err := x509.SystemCertPool()
	if err != nil {
		log.Fatal(err)
	}
	return len(roots.Subjects())
}

func zone(name string) string {
	place, err := time.LoadLocation(name)
	if err != nil {
		return err.Error()
	}
	return noon(place)
}

// When it is noon UTC on a day in summer, in that place.
func noon(place *time.Location) string {
	return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC).In(place).Format("15:04 MST")
}
