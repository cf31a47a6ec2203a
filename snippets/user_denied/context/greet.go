// Package example greets.
package example

// Line is what it says.
const Line = "hello world"
