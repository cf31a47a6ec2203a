package main

import (
	"fmt"
	"os/exec"
	"syscall"
)

func main() {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("this program:", limit.Cur)
	child, err := exec.Command("sh", "-c", "ulimit -n").Output()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("a program that it starts: %s", child)
}
