package app

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestFixtureByCaller(t *testing.T) {
	_, file, _, _ := runtime.Caller(0)
	fixture := filepath.Join(filepath.Dir(file), "testdata", "greeting.txt")
	if _, err := os.ReadFile(fixture); err != nil {
		t.Error(err)
	}
}

func TestFixtureByPath(t *testing.T) {
	if _, err := os.ReadFile("testdata/greeting.txt"); err != nil {
		t.Error(err)
	}
}
