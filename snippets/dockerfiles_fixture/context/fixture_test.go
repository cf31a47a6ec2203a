package example

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Looks for the fixture next to the source file whose path the compiler recorded.
func TestByCaller(t *testing.T) {
	_, file, _, _ := runtime.Caller(0)
	if _, err := os.ReadFile(filepath.Join(filepath.Dir(file), "testdata", "greeting.txt")); err != nil {
		t.Error(err)
	}
}

// Looks for it in the working directory: `go test` starts each test in its package's directory.
func TestByWorkingDirectory(t *testing.T) {
	if _, err := os.ReadFile(filepath.Join("testdata", "greeting.txt")); err != nil {
		t.Error(err)
	}
}
