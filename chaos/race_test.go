//go:build race

package chaos_test

// raced says that the race detector slows everything down, the drawing of pictures most.
const raced = true
