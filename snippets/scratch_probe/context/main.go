// Probe reports what a program finds in the image that it runs in.
package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"time"
)

func main() {
	report("CA roots", roots)
	report("/tmp", temporary)
	report("user", name)
	report("zone", zone)
	report("shell", shell)
}

func report(what string, find func() (string, error)) {
	found, err := find()
	if err != nil {
		found = "missing: " + err.Error()
	}
	fmt.Printf("%-9s %s\n", what, found)
}

func roots() (string, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return "", err
	}
	// Subjects is deprecated for other systems; on Linux it has them all.
	return strconv.Itoa(len(pool.Subjects())), nil
}

func temporary() (string, error) {
	return "writable", os.WriteFile("/tmp/probe", nil, 0o600)
}

func name() (string, error) {
	found, err := user.LookupId(strconv.Itoa(os.Getuid()))
	if err != nil {
		return "", err
	}
	return found.Username, nil
}

func zone() (string, error) {
	found, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return "", err
	}
	return found.String(), nil
}

func shell() (string, error) {
	return exec.LookPath("sh")
}
