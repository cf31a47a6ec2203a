package main

import (
	"fmt"
	"os/user"
)

func main() {
	me, err := user.Current()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("hello from", me.Username, "with the number", me.Uid)
}
