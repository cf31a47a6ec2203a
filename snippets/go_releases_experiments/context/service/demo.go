package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// Starts the service, prints what it finds in its container, and stops it as `docker stop` would.
func demo(ctx context.Context, listener net.Listener) error {
	stopped := make(chan error, 1)
	go func() { stopped <- serve(ctx, listener) }()

	fmt.Println("compiled for: ", runtime.GOOS, runtime.GOARCH)
	fmt.Println("start page:   ", page("/"))
	fmt.Println("health check: ", healthCheck())
	fmt.Println("authorities:  ", authorities())
	fmt.Println("Europe/Paris: ", zone("Europe/Paris"))
	fmt.Println("local time:   ", noon(time.Local))
	fmt.Println("user, group:  ", os.Getuid(), os.Getgid())
	fmt.Println("memory limit: ", memoryLimit())

	slow := make(chan string, 1)
	go func() { slow <- page("/slow") }()
	time.Sleep(100 * time.Millisecond) // until the request has arrived
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		return err
	}
	fmt.Println("after SIGTERM:", <-slow)
	return <-stopped
}

func page(path string) string {
	answer, err := http.Get("http://127.0.0.1" + address + path)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	return answer.Status + ", " + string(body)
}

// Runs this program again, as HEALTHCHECK would.
func healthCheck() string {
	self, err := os.Executable()
	if err != nil {
		return err.Error()
	}
	if err := exec.Command(self, "-health").Run(); err != nil {
		return err.Error()
	}
	return "exit status 0"
}

// How many certificate authorities are trusted. Without any, HTTPS fails.
func authorities() any {
	roots, err := x509.SystemCertPool()
	if err != nil {
		return err
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

// The time in that place when it is noon UTC on a summer day.
func noon(place *time.Location) string {
	return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC).In(place).Format("15:04 MST")
}

func memoryLimit() string {
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		return "none"
	}
	return fmt.Sprint(limit/(1<<20), " MiB")
}
