package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// invocation is one event on its way through an environment.
type invocation struct {
	id      string
	payload []byte
	timeout time.Duration

	answer   chan answer   // has room for one
	finished chan struct{} // closed when the environment asks for the next one

	delivered time.Time // guarded by the environment's mu
}

// answer is what a function said. Body ends with an error when the function broke
// its answer off.
type answer struct {
	contentType string
	body        io.ReadCloser
	err         error
}

// environment is one execution environment: a process that serves one
// invocation at a time.
type environment struct {
	id      string
	command *exec.Cmd
	work    chan *invocation // has room for one
	done    chan struct{}    // closed when the process has ended

	mu      sync.Mutex
	current *invocation
	started time.Time
	ready   time.Time // of its first request for work
}

// ErrExited is wrapped when the process of an environment ended before its
// invocation did.
var ErrExited = errors.New("the runtime exited")

// newEnvironment returns an environment whose process has not started.
func newEnvironment(id, binary string, variables []string, log io.Writer) *environment {
	command := exec.Command(binary) //nolint:noctx // the program under rehearsal; it outlives every request
	command.Env, command.Stdout, command.Stderr = variables, log, log
	return &environment{id: id, command: command, work: make(chan *invocation, 1), done: make(chan struct{})}
}

// start starts the process.
func (e *environment) start() error {
	e.mu.Lock()
	e.started = time.Now()
	e.mu.Unlock()
	if err := e.command.Start(); err != nil {
		return fmt.Errorf("start an environment: %w", err)
	}
	go func() {
		_ = e.command.Wait() // killed is how every environment ends
		close(e.done)
	}()
	return nil
}

// kill ends the process at once.
func (e *environment) kill() {
	_ = e.command.Process.Kill() // an error means that it has ended already
	<-e.done
}

// next finishes the invocation in hand and waits for another. It returns nil when
// ctx or the process ends first.
func (e *environment) next(ctx context.Context) *invocation {
	e.mu.Lock()
	if e.ready.IsZero() {
		e.ready = time.Now()
	}
	if e.current != nil {
		close(e.current.finished)
		e.current = nil
	}
	e.mu.Unlock()
	select {
	case inv := <-e.work:
		e.mu.Lock()
		defer e.mu.Unlock()
		inv.delivered = time.Now()
		e.current = inv
		return inv
	case <-ctx.Done():
	case <-e.done:
	}
	return nil
}

// invocation returns the invocation in hand, if it has the id.
func (e *environment) invocation(id string) *invocation {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil || e.current.id != id {
		return nil
	}
	return e.current
}

// startUp returns how long the process took from its start to its first request
// for work.
func (e *environment) startUp() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ready.IsZero() {
		return 0
	}
	return e.ready.Sub(e.started)
}

// deliveredAt returns when the invocation reached the process.
func (e *environment) deliveredAt(inv *invocation) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return inv.delivered
}
