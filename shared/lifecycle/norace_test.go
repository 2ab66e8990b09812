//go:build !race

package lifecycle_test

// raced says that the race detector slows every history down.
const raced = false
