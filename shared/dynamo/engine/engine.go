// Package engine runs the embedded DynamoDB-compatible engine of the local mode
// and of the tests: dynoxide, as a child process that listens on loopback only
// and keeps its tables in one SQLite file.
//
// The engine speaks DynamoDB's own protocol, so a caller hands Endpoint to an
// ordinary AWS SDK client. Any region and any credentials do.
package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	// host is the only address the engine listens on: it checks no signatures.
	host = "127.0.0.1"
	// defaultReadyWithin is generous: a start takes some 20 ms, but tests start
	// engines while every core compiles.
	defaultReadyWithin = 20 * time.Second
	// stopGrace is how long an engine may take to close its file after SIGTERM.
	// Nothing is lost after it: a write that was answered is on disk.
	stopGrace = 3 * time.Second
	// portAttempts bounds the search for a free port, which another process can
	// take between the moment it was found and the moment the engine binds it.
	portAttempts = 5
)

// Options says which engine to run and where it keeps its data. The zero value
// runs the installed engine on a free port with a temporary database.
type Options struct {
	// Binary is the engine's program; empty means whatever Find finds.
	Binary string
	// DBPath is the database file, made when missing, together with its folder.
	// What was written to it survives the death of the engine and of its parent
	// at any moment. Empty means a temporary file that Stop removes.
	DBPath string
	// Memory keeps the tables in memory and nothing on disk; DBPath must be
	// empty then.
	Memory bool
	// Port to listen on; 0 means any free one.
	Port int
	// ReadyWithin bounds the wait until the engine answers; 0 means 20 seconds.
	ReadyWithin time.Duration
}

// Engine is one running engine. Its methods are safe for concurrent use.
type Engine struct {
	child    *child
	endpoint string
	scratch  string // folder of a temporary database, removed by Stop
	stop     func() error
}

// Start runs an engine and returns once it answers. The context bounds the start
// only; the engine lives until Stop. On Linux it also dies with this process,
// however that ends; elsewhere a killed parent leaves it behind.
//
// The error matches ErrNotInstalled when there is no engine to run. Otherwise it
// holds the last words of an engine that ended or did not become ready.
func Start(ctx context.Context, o Options) (*Engine, error) {
	if o.Memory && o.DBPath != "" {
		return nil, errors.New("start the engine: a database in memory has no path")
	}
	binary, err := Find(o.Binary)
	if err != nil {
		return nil, err
	}
	database, scratch, err := prepareDatabase(o)
	if err != nil {
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	within := o.ReadyWithin
	if within <= 0 {
		within = defaultReadyWithin
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()

	process, endpoint, err := launch(ctx, binary, database, o.Port)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the engine %s: %w", binary, err), removeScratch(scratch))
	}
	e := &Engine{child: process, endpoint: endpoint, scratch: scratch}
	e.stop = sync.OnceValue(e.shutDown)
	return e, nil
}

// Endpoint is the engine's base URL, such as http://127.0.0.1:40123.
func (e *Engine) Endpoint() string { return e.endpoint }

// Done is closed when the engine has ended, through Stop or by itself.
func (e *Engine) Done() <-chan struct{} { return e.child.done }

// Stop ends the engine, waits until it is gone and removes a temporary database.
// It asks first and kills after three seconds. Further calls return the first
// call's error; stopping an engine that has already ended is no error.
func (e *Engine) Stop() error { return e.stop() }

func (e *Engine) shutDown() error {
	return errors.Join(e.child.end(stopGrace), removeScratch(e.scratch))
}

// prepareDatabase returns the database's path, empty for memory, and the
// temporary folder that holds it, empty when the caller chose the path.
func prepareDatabase(o Options) (database, scratch string, err error) {
	switch {
	case o.Memory:
		return "", "", nil
	case o.DBPath != "":
		database, err = filepath.Abs(o.DBPath)
		if err != nil {
			return "", "", err
		}
		return database, "", os.MkdirAll(filepath.Dir(database), 0o700)
	default:
		scratch, err = os.MkdirTemp("", "easel-engine-")
		return filepath.Join(scratch, "easel.db"), scratch, err
	}
}

func removeScratch(folder string) error {
	if folder == "" {
		return nil
	}
	return os.RemoveAll(folder)
}

// launch runs the engine on the given port, or on a free one for port 0, and
// waits until it answers.
func launch(ctx context.Context, binary, database string, port int) (*child, string, error) {
	attempts := portAttempts
	if port != 0 {
		attempts = 1
	}
	var lastErr error
	for range attempts {
		chosen := port
		if chosen == 0 {
			var err error
			if chosen, err = freePort(ctx); err != nil {
				return nil, "", err
			}
		}
		args := []string{"serve", "--host", host, "--port", strconv.Itoa(chosen)}
		if database != "" {
			args = append(args, "--db-path", database)
		}
		endpoint := "http://" + net.JoinHostPort(host, strconv.Itoa(chosen))
		process, err := startChild(binary, args)
		if err != nil {
			return nil, "", err
		}
		if err = ready(ctx, process, endpoint); err == nil {
			return process, endpoint, nil
		}
		lastErr = errors.Join(err, process.end(0))
		if !process.output.contains("already in use") {
			break
		}
	}
	return nil, "", lastErr
}

// ready waits until the child says that it listens and then answers. Asking the
// child first matters: on a port lost to another engine, that one would answer.
func ready(ctx context.Context, process *child, endpoint string) error {
	select {
	case <-process.output.listening:
	case <-process.done:
		return fmt.Errorf("it ended at once (%w): %s", process.exit(), process.output.tail())
	case <-ctx.Done():
		return fmt.Errorf("it did not get ready: %w: %s", ctx.Err(), process.output.tail())
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("it listens but does not answer: %w", err)
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("it listens but answers %s", response.Status)
	}
	return nil
}

func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	if !ok {
		return 0, errors.New("find a free port: the listener has no TCP address")
	}
	return address.Port, nil
}

// terminate is the signal that asks the engine to close its file and leave.
const terminate = syscall.SIGTERM
