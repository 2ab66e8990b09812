//go:build !unix

package engine

import "syscall"

func processAttributes() *syscall.SysProcAttr { return nil }
