//go:build !rehearsal

package app

// reachLoopback is whether a deployed function may call addresses of its own
// machine. It may not: in Lambda that is the Runtime API.
const reachLoopback = false
