package queue

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

const (
	defaultVisibility  = time.Minute
	defaultMaxReceives = 5
	defaultWorkers     = 8
	maxDead            = 1000
)

// LocalOptions configures a Local queue. The zero value is usable.
type LocalOptions struct {
	// Visibility is how long a delivered message is hidden while it is worked on.
	// A handler that takes longer sees its context end, and the message is
	// delivered once more even if the handler has not returned. 0 means a minute.
	Visibility time.Duration
	// RetryDelay is how long a message waits after its handler failed; 0 means
	// Visibility, as with SQS and Lambda.
	RetryDelay time.Duration
	// MaxReceives is how often a message is delivered before it counts as dead;
	// 0 means 5.
	MaxReceives int
	// Workers is how many handlers run at once; 0 means 8.
	Workers int
	// DuplicateEvery delivers every nth message a second time although it
	// succeeded, as SQS may; 0 means never. It is for tests.
	DuplicateEvery int
	// Logger hears of handlers that failed; nil means silence.
	Logger *slog.Logger
}

// Counts says how many messages are where.
type Counts struct {
	Ready    int // deliverable now
	Delayed  int // waiting for a delay or for another try
	InFlight int // delivered, and not yet settled
	Dead     int
}

// DeadMessage is a message that was delivered MaxReceives times in vain.
type DeadMessage struct {
	Body     []byte
	Receives int
	Err      error // of the last delivery that returned, nil when none did
}

// Local is a queue inside one process that behaves like SQS with Lambda behind
// it: visibility timeout, redelivery, delays, dead letters, duplicates. Make one
// with [NewLocal]; it is safe for concurrent use.
//
// It is not durable: what it holds is gone with the process. That loses nothing,
// because a message only points to work that the database knows of, and the
// sweeper sends again whatever is due there.
type Local struct {
	options LocalOptions
	wake    chan struct{} // has room for one: something changed

	mu       sync.Mutex
	waiting  schedule
	dead     []DeadMessage
	sequence int
	running  int           // handlers that have not returned
	draining chan struct{} // closed by Drain
	idle     chan struct{} // closed when draining and no handler runs
}

// NewLocal returns an empty queue. It delivers nothing until [Local.Run].
func NewLocal(options LocalOptions) *Local {
	options.Visibility = cmp.Or(options.Visibility, defaultVisibility)
	options.RetryDelay = cmp.Or(options.RetryDelay, options.Visibility)
	options.MaxReceives = cmp.Or(options.MaxReceives, defaultMaxReceives)
	options.Workers = cmp.Or(options.Workers, defaultWorkers)
	options.Logger = cmp.Or(options.Logger, slog.New(slog.DiscardHandler))
	return &Local{
		options:  options,
		wake:     make(chan struct{}, 1),
		draining: make(chan struct{}),
		idle:     make(chan struct{}),
	}
}

// Send puts a copy of body into the queue, to be delivered after delay. It
// returns an error that wraps [ErrMessage] for a message that SQS would refuse,
// or the context's. It may be called before, during and after Run.
func (q *Local) Send(ctx context.Context, body []byte, delay time.Duration) error {
	if err := check(body, delay); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	q.mu.Lock()
	q.sequence++
	heap.Push(&q.waiting, &message{body: bytes.Clone(body), due: time.Now().Add(delay), sequence: q.sequence})
	q.mu.Unlock()
	q.signal()
	return nil
}

// Run delivers messages to handle until ctx ends or [Local.Drain] is called, and
// returns when the last handler has. The handlers' contexts end with ctx. Call
// Run once.
func (q *Local) Run(ctx context.Context, handle Handler) {
	var handlers sync.WaitGroup
	defer handlers.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		next, wait := q.receive()
		if next != nil {
			handlers.Go(func() { q.deliver(ctx, *next, handle) })
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-q.draining:
			return
		case <-q.wake:
		case <-timer.C:
		}
	}
}

// Drain stops deliveries and waits until the handlers that run have returned, or
// ctx ends. What is left in the queue stays there, undelivered. It may be called
// more than once.
func (q *Local) Drain(ctx context.Context) error {
	q.mu.Lock()
	if !q.isDraining() {
		close(q.draining)
		if q.running == 0 {
			close(q.idle)
		}
	}
	q.mu.Unlock()
	select {
	case <-q.idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("drain queue: %w", context.Cause(ctx))
	}
}

// Depth returns how many messages the queue holds.
func (q *Local) Depth() Counts {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	counts := Counts{Dead: len(q.dead)}
	for _, m := range q.waiting {
		switch {
		case m.inFlight:
			counts.InFlight++
		case m.due.After(now):
			counts.Delayed++
		default:
			counts.Ready++
		}
	}
	return counts
}

// Dead returns the dead messages, oldest first; the newest 1000 are kept.
func (q *Local) Dead() []DeadMessage {
	q.mu.Lock()
	defer q.mu.Unlock()
	dead := make([]DeadMessage, len(q.dead))
	for i, m := range q.dead {
		dead[i] = DeadMessage{Body: bytes.Clone(m.Body), Receives: m.Receives, Err: m.Err}
	}
	return dead
}

// delivery is one hand-out of a message. Its receipt tells it from a later one.
type delivery struct {
	message *message
	receipt int
}

// receive takes the next deliverable message, or says how long nothing will be.
func (q *Local) receive() (*delivery, time.Duration) {
	const nothing = time.Hour // a signal comes sooner
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	for len(q.waiting) > 0 && !q.isDraining() {
		first := q.waiting[0]
		if wait := first.due.Sub(now); wait > 0 {
			return nil, wait
		}
		if first.receives >= q.options.MaxReceives {
			q.bury(first)
			continue
		}
		if q.running >= q.options.Workers {
			return nil, nothing
		}
		q.running++
		first.receives++
		first.inFlight = true
		first.due = now.Add(q.options.Visibility)
		heap.Fix(&q.waiting, first.index)
		return &delivery{message: first, receipt: first.receives}, 0
	}
	return nil, nothing
}

// bury moves a message to the dead ones.
func (q *Local) bury(m *message) {
	heap.Remove(&q.waiting, m.index)
	if len(q.dead) == maxDead {
		q.dead = q.dead[1:]
	}
	q.dead = append(q.dead, DeadMessage{Body: m.body, Receives: m.receives, Err: m.err})
	q.options.Logger.Error("message is dead", "receives", m.receives, "error", m.err)
}

func (q *Local) deliver(ctx context.Context, d delivery, handle Handler) {
	ctx, cancel := context.WithTimeout(ctx, q.options.Visibility)
	defer cancel()
	err := call(ctx, handle, bytes.Clone(d.message.body))
	if err != nil {
		q.options.Logger.Warn("message failed", "receives", d.receipt, "error", err)
	}
	q.settle(d, err)
	q.signal()
}

// settle records how a delivery ended.
func (q *Local) settle(d delivery, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running--
	if q.running == 0 && q.isDraining() {
		close(q.idle)
	}
	m := d.message
	if m.index < 0 {
		return // another delivery of it was faster
	}
	every := q.options.DuplicateEvery
	again := every > 0 && m.sequence%every == 0 && d.receipt == 1
	switch {
	case err == nil && !again:
		heap.Remove(&q.waiting, m.index)
	case m.receives != d.receipt:
		// It was delivered again meanwhile, and that delivery decides.
	case err == nil:
		m.inFlight, m.due = false, time.Now()
		heap.Fix(&q.waiting, m.index)
	default:
		m.err, m.inFlight, m.due = err, false, time.Now().Add(q.options.RetryDelay)
		heap.Fix(&q.waiting, m.index)
	}
}

func (q *Local) signal() {
	select {
	case q.wake <- struct{}{}:
	default: // one signal is already on its way
	}
}

// isDraining needs the lock.
func (q *Local) isDraining() bool {
	select {
	case <-q.draining:
		return true
	default:
		return false
	}
}

var errPanic = errors.New("handler panicked")

// call turns a panic into an error, as the crash of a Lambda does.
func call(ctx context.Context, handle Handler, body []byte) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, reason, debug.Stack())
		}
	}()
	return handle(ctx, body)
}

type message struct {
	body     []byte
	due      time.Time // deliverable from then on
	sequence int       // order of arrival
	receives int
	inFlight bool
	err      error
	index    int // in the schedule, -1 when it left it
}

// schedule is a heap of messages, the one due first on top.
type schedule []*message

func (s schedule) Len() int { return len(s) }

func (s schedule) Less(i, j int) bool {
	if !s[i].due.Equal(s[j].due) {
		return s[i].due.Before(s[j].due)
	}
	return s[i].sequence < s[j].sequence
}

func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

func (s *schedule) Push(x any) {
	m := x.(*message)
	m.index = len(*s)
	*s = append(*s, m)
}

func (s *schedule) Pop() any {
	old := *s
	last := old[len(old)-1]
	old[len(old)-1] = nil
	last.index = -1
	*s = old[:len(old)-1]
	return last
}
