package engine

import "syscall"

// processAttributes ties the engine's life to its parent's, and keeps it out of
// the terminal's process group: on Ctrl-C the parent still needs its store to
// finish what it has begun, and then stops the engine itself.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
