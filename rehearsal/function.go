package rehearsal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
)

// ErrTimeout is wrapped when an invocation took longer than its function may.
var ErrTimeout = errors.New("the function timed out")

// Function is one Lambda function: a binary whose environments are started on
// demand, up to a cap, and used again. It is safe for concurrent use.
type Function struct {
	api     *runtimeAPI
	address string // of api, host and port
	binary  string
	spec    functionSpec
	shared  []string // variables that every function has
	log     io.Writer
	slots   chan struct{}

	mu      sync.Mutex
	closed  bool
	idle    []*environment
	all     map[*environment]*invocation // what each works on; nil when idle
	records []Record
	work    sync.WaitGroup
}

// Record is what one invocation took.
type Record struct {
	Function string
	// Cold is true for the first invocation of an environment, and Init is how long
	// that took from its start until it asked for work.
	Cold bool
	Init time.Duration
	// Duration is from the event's arrival at the process to the end of its work.
	Duration time.Duration
	MemoryMB int
	// Err is why it failed, nil when it did not.
	Err error
}

// invoke runs one event. It returns when the answer begins; reading its body is
// up to the caller, who closes it. It waits while all environments are busy.
func (f *Function) invoke(ctx context.Context, payload []byte) (answer, error) {
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
	inv := &invocation{
		id: uuid.NewString(), payload: payload, timeout: f.spec.timeout,
		answer: make(chan answer, 1), finished: make(chan struct{}),
	}
	e, cold, err := f.take(inv)
	if err != nil {
		<-f.slots
		return answer{}, err
	}
	e.work <- inv
	ended := make(chan error, 1)
	f.work.Go(func() {
		defer func() { <-f.slots }()
		ended <- f.watch(e, inv, cold)
	})
	select {
	case a := <-inv.answer:
		return a, a.err
	case err := <-ended:
		select { // both may be there
		case a := <-inv.answer:
			return a, a.err
		default:
		}
		return answer{}, cmp.Or(err, ErrExited)
	case <-ctx.Done():
		f.work.Go(func() { abandon(e, inv) })
		return answer{}, ctx.Err()
	}
}

// abandon lets an invocation that nobody waits for any more come to its end.
func abandon(e *environment, inv *invocation) {
	select {
	case a := <-inv.answer:
		if a.body != nil {
			_ = a.body.Close() // always nil
		}
	case <-inv.finished:
	case <-e.done:
	}
}

// take returns an idle environment, or a new one.
func (f *Function) take(inv *invocation) (e *environment, cold bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, false, fmt.Errorf("function %s is stopped: %w", f.spec.name, ErrExited)
	}
	for n := len(f.idle); n > 0; n = len(f.idle) {
		e, f.idle = f.idle[n-1], f.idle[:n-1]
		if isClosed(e.done) {
			delete(f.all, e)
			continue
		}
		f.all[e] = inv
		return e, false, nil
	}
	id := f.spec.name + "-" + uuid.NewString()
	variables := append([]string{"AWS_LAMBDA_RUNTIME_API=" + f.address + runtimePath + id}, f.variables()...)
	e = newEnvironment(id, f.binary, variables, f.log)
	f.api.add(e) // before it can ask for work
	if err := e.start(); err != nil {
		f.api.remove(e)
		return nil, false, err
	}
	f.all[e] = inv
	return e, true, nil
}

func (f *Function) variables() []string {
	list := append([]string{
		"AWS_LAMBDA_FUNCTION_NAME=" + f.spec.name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_LOG_FORMAT=JSON",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(f.spec.memoryMB), "_HANDLER=bootstrap", "TZ=:UTC",
	}, f.shared...)
	for name, value := range f.spec.env {
		list = append(list, name+"="+value)
	}
	return list
}

// watch follows an invocation to its end and returns why it failed.
func (f *Function) watch(e *environment, inv *invocation, cold bool) error {
	limit := time.NewTimer(f.spec.timeout + initTimeout)
	defer limit.Stop()
	var err error
	select {
	case <-inv.finished:
	case <-e.done:
		err = ErrExited
	case <-limit.C:
		err = ErrTimeout
		e.kill()
	}
	select {
	case <-e.done:
		f.api.remove(e)
	default:
	}
	r := Record{Function: f.spec.name, Cold: cold, MemoryMB: f.spec.memoryMB, Err: err}
	if delivered := e.deliveredAt(inv); !delivered.IsZero() {
		r.Duration = time.Since(delivered)
	}
	if cold {
		r.Init = e.startUp()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.records = append(f.records, r)
	if err != nil || f.closed {
		delete(f.all, e)
		return err
	}
	f.all[e] = nil
	f.idle = append(f.idle, e)
	return nil
}

// initTimeout is what an environment may take to start.
const initTimeout = 10 * time.Second

// KillBusy kills, without warning, the processes that are in the middle of an
// invocation, and returns how many there were.
func (f *Function) KillBusy() int {
	f.mu.Lock()
	var busy []*environment
	for e, inv := range f.all {
		if inv != nil && !isClosed(inv.finished) {
			busy = append(busy, e)
		}
	}
	f.mu.Unlock()
	for _, e := range busy {
		e.kill()
	}
	return len(busy)
}

// Records returns what every finished invocation took, oldest first.
func (f *Function) Records() []Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Record(nil), f.records...)
}

// close kills every environment and waits for what was in hand.
func (f *Function) close() {
	f.mu.Lock()
	f.closed = true
	all := make([]*environment, 0, len(f.all))
	for e := range f.all {
		all = append(all, e)
	}
	f.mu.Unlock()
	for _, e := range all {
		e.kill()
		f.api.remove(e)
	}
	f.work.Wait()
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
