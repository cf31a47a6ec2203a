package greeting

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestGreeting(t *testing.T) {
	_, file, _, _ := runtime.Caller(0)
	if _, err := os.ReadFile(filepath.Join(filepath.Dir(file), "testdata", "greeting.txt")); err != nil {
		t.Fatal(err)
	}
}
