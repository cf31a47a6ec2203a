package main

import "testing"

func TestGreeting(t *testing.T) {
	if got, want := greeting(), "hello world"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
