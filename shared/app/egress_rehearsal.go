//go:build rehearsal

package app

// reachLoopback is true in binaries that are built for the rehearsal, whose
// providers are simulated on this machine. No deployed binary has the build tag.
const reachLoopback = true
