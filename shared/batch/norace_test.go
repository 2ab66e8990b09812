//go:build !race

package batch_test

// raced says that the race detector slows every history down.
const raced = false
