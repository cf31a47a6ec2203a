// Prints one moment as local time, and in the zone that TZ names.
package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	moment := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	fmt.Println("local time:  ", moment.Local().Format("15:04 MST"))
	zone, err := time.LoadLocation(os.Getenv("TZ"))
	if err != nil {
		fmt.Println("LoadLocation:", err)
		os.Exit(1)
	}
	fmt.Println("LoadLocation:", moment.In(zone).Format("15:04 MST"))
}
