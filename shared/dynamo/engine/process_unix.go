//go:build unix && !linux

package engine

import "syscall"

// processAttributes keeps the engine out of the terminal's process group: on
// Ctrl-C the parent still needs its store to finish what it has begun, and then
// stops the engine itself.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
