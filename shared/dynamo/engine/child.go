package engine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

// tailBytes is how much of a child's output is kept for error messages.
const tailBytes = 2048

// outputGrace bounds the wait for output that something else still holds open
// after the process itself is gone.
const outputGrace = time.Second

// child is one process of the engine.
type child struct {
	command *exec.Cmd
	output  *output
	done    chan struct{} // closed once the process is gone and waited for
	waitErr error         // how it ended; read it after done
}

// startChild starts the program and waits for its end in the background.
func startChild(binary string, args []string) (*child, error) {
	// The program is the one the operator installed or named. No context: the
	// engine outlives the call that started it.
	command := exec.Command(binary, args...) //nolint:noctx // see above
	c := &child{command: command, output: newOutput(), done: make(chan struct{})}
	command.Stdout = c.output
	command.Stderr = c.output
	command.SysProcAttr = processAttributes()
	command.WaitDelay = outputGrace

	started := make(chan error, 1)
	go func() {
		// Linux ties a child to the thread that made it, not to the process.
		// This thread therefore stays until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			c.waitErr = command.Wait()
		}
		close(c.done)
	}()
	return c, <-started
}

// exit says how the process ended. Call it after done.
func (c *child) exit() error {
	if c.waitErr == nil {
		return errors.New("exit status 0")
	}
	return c.waitErr
}

// end asks the process to leave, kills it after the grace and waits until it is
// gone. A process that is already gone is no error, and neither is how it ended.
func (c *child) end(grace time.Duration) error {
	if grace > 0 && c.command.Process.Signal(terminate) == nil {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-c.done:
			return nil
		case <-timer.C:
		}
	}
	if err := c.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill the engine: %w", err)
	}
	<-c.done
	return nil
}

// output collects what a child prints: it notices the line that says that the
// child listens, and keeps the end for error messages.
type output struct {
	listening chan struct{} // closed when the child says that it listens

	mu    sync.Mutex
	kept  []byte
	heard bool
}

func newOutput() *output { return &output{listening: make(chan struct{})} }

// Write implements io.Writer and never fails.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept = append(o.kept, p...)
	if !o.heard && bytes.Contains(o.kept, []byte("listening on")) {
		o.heard = true
		close(o.listening)
	}
	if extra := len(o.kept) - tailBytes; extra > 0 {
		o.kept = append(o.kept[:0], o.kept[extra:]...)
	}
	return len(p), nil
}

func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if text := strings.TrimSpace(string(o.kept)); text != "" {
		return text
	}
	return "it printed nothing"
}

func (o *output) contains(text string) bool { return strings.Contains(o.tail(), text) }
