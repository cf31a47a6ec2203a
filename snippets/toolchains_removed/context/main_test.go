package main

import "testing"

func TestContext(t *testing.T) {
	if t.Context() == nil {
		t.Error("no context")
	}
}
