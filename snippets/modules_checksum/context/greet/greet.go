// Package greet knows what to say.
package greet

// Line returns the greeting for a name.
func Line(name string) string {
	return "hello " + name
}
