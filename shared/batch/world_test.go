package batch_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"easel/shared/batch"
	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/lifecycle"
	"easel/shared/storetest"
	"easel/shared/task"
)

const (
	account = "acct"
	price   = int64(5)
)

// world is a gateway with batches and everything around them made of chance:
// processes that stand still and die at every call that leaves them, a store that
// fails before and after it wrote, a queue that drops, doubles and reorders,
// requests that are refused, delayed and lost, callers that cancel and repeat
// themselves, and a clock that only moves when told. One seed is one history.
type world struct {
	rnd     *rand.Rand
	now     time.Time
	ids     int
	store   *storetest.Memory
	tasks   *lifecycle.Engine
	batches *batch.Engine
	queue   []batch.Message
	// calm is true once the chaos is over.
	calm      bool
	processes []*process
	yield     func(struct{}) bool

	taken    []string
	promised map[string]string
	// begun are the tasks, touched the tasks and batches written since the last check,
	// and the maps what the last check saw, with the sums of what tasks hold and paid.
	begun, touchedTasks, touched []string
	seen                         map[string]batch.Batch
	seenTasks                    map[string]task.Task
	reserved, charged            int64

	reports map[string]int
	granted int64
	broken  []string
	kills   map[string]int
	pauses  int
	ended   map[batch.ItemStatus]int
	rescued int
}

var errLost = errors.New("the answer was lost")

func newWorld(seed uint64) *world {
	w := &world{
		rnd: rand.New(rand.NewPCG(seed, 11)), now: time.Date(2226, 11, 22, 0, 0, 0, 0, time.UTC), store: &storetest.Memory{},
		promised: map[string]string{}, seen: map[string]batch.Batch{}, seenTasks: map[string]task.Task{}, reports: map[string]int{}, kills: map[string]int{},
		ended: map[batch.ItemStatus]int{},
	}
	clock := func() time.Time { return w.now }
	newID := func(prefix string) string { w.ids++; return fmt.Sprintf("%s%06d", prefix, w.ids) }
	w.tasks = lifecycle.NewEngine(hookedTasks{w}, clock, newID)
	w.batches = batch.New(batch.Parts{
		Store: hooked{w}, Creator: hooked{w}, Due: w.store, Tasks: hooked{w}, Placer: hooked{w}, Queue: hooked{w}, Reporter: hooked{w},
		Now: clock, NewID: newID, Log: slog.New(slog.DiscardHandler),
	})
	must(w.store.CreateAccount(context.Background(), credits.Account{ID: account}))
	w.grant(60)
	return w
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (w *world) chance(p float64) bool { return w.rnd.Float64() < p }

// fault reports whether something goes wrong, which it never does in calm.
func (w *world) fault(p float64) bool { return !w.calm && w.chance(p) }

func (w *world) grant(amount int64) {
	w.granted += amount
	must(w.store.Post(context.Background(), credits.ForGrant(account, fmt.Sprint("g", w.granted), amount, "", "", w.now)))
}

// killed is what a process dies of.
type killed struct{}

// process is an operation that stands still while others run.
type process struct {
	resume func() (struct{}, bool)
	kill   func()
}

// boundary is a place where a process may die, or stand still while others run.
func (w *world) boundary(where string) {
	if w.calm {
		return
	}
	if w.chance(0.02) {
		w.kills[where]++
		panic(killed{})
	}
	if w.yield == nil || len(w.processes) >= 4 || !w.chance(0.06) {
		return
	}
	yield := w.yield
	if !yield(struct{}{}) {
		w.kills[where]++
		panic(killed{}) // it never came back
	}
	w.yield = yield
	w.pauses++
}

// spawn runs an operation until it ends, dies or stands still.
func (w *world) spawn(operation func(context.Context)) {
	next, stop := iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if r := recover(); r != nil {
				if _, ok := r.(killed); !ok {
					panic(r)
				}
			}
		}()
		w.yield = yield
		operation(context.Background())
	})
	w.processes = append(w.processes, &process{next, stop})
	w.goOn(len(w.processes) - 1)
}

func (w *world) goOn(i int) {
	p := w.processes[i]
	w.processes = append(w.processes[:i], w.processes[i+1:]...)
	_, paused := p.resume()
	w.yield = nil
	if paused {
		w.processes = append(w.processes, p)
	}
}

// calmDown ends the chaos: of the processes that stand still, each dies or goes on.
func (w *world) calmDown() {
	for len(w.processes) > 0 {
		i := w.rnd.IntN(len(w.processes))
		if w.chance(0.5) {
			w.processes[i].kill()
			w.yield = nil
			w.processes = append(w.processes[:i], w.processes[i+1:]...)
			continue
		}
		w.goOn(i)
	}
	w.calm = true
}

// hooked is everything that the engine of batches works with, with boundaries
// around every call and faults in some.
type hooked struct{ w *world }

// call makes a call that may fail before it happened, or after. What the call
// returned counts for nothing when call returns an error.
func (h hooked) call(name string, do func() error) error {
	h.w.boundary(name + "/before")
	if h.w.fault(0.02) {
		return fmt.Errorf("%s: %w", name, errors.New("the store is down"))
	}
	err := do()
	h.w.boundary(name + "/after")
	if err == nil && h.w.fault(0.02) {
		return fmt.Errorf("%s: %w", name, errLost)
	}
	return err
}

func (h hooked) Batch(ctx context.Context, id string) (b batch.Batch, err error) {
	return b, h.call("read", func() error {
		b, err = h.w.store.Batch(ctx, id)
		return err
	})
}

func (h hooked) PutBatch(ctx context.Context, c batch.Change) error {
	return h.call("put", func() error {
		err := h.w.store.PutBatch(ctx, c)
		if err == nil {
			h.w.touched = append(h.w.touched, c.Batch.ID)
		}
		return err
	})
}

func (h hooked) BatchRequests(ctx context.Context, id string, chunk int) (requests []batch.Request, err error) {
	return requests, h.call("requests", func() error {
		requests, err = h.w.store.BatchRequests(ctx, id, chunk)
		return err
	})
}

func (h hooked) Remembered(ctx context.Context, account, key string) (journal.Idempotency, bool, error) {
	return h.w.store.Remembered(ctx, account, key)
}

func (h hooked) CreateBatch(ctx context.Context, c batch.Creation) error {
	return h.call("create", func() error {
		err := h.w.store.CreateBatch(ctx, c)
		if err == nil {
			h.w.taken, h.w.touched = append(h.w.taken, c.Batch.ID), append(h.w.touched, c.Batch.ID)
		}
		return err
	})
}

func (h hooked) Task(ctx context.Context, id string) (t task.Task, err error) {
	return t, h.call("task", func() error {
		t, err = h.w.store.Task(ctx, id)
		return err
	})
}

func order(b batch.Batch, n int, r batch.Request) lifecycle.Order {
	return lifecycle.Order{ID: batch.TaskID(b.ID, n), Account: b.Account, Request: r.Request, Quote: r.Quote}
}

func (h hooked) Place(ctx context.Context, b batch.Batch, n int, r batch.Request) (t task.Task, err error) {
	return t, h.call("place", func() error {
		switch {
		case h.w.fault(0.05):
			return fault.New(fault.RateLimited, "too many")
		case h.w.fault(0.05):
			return fault.New(fault.Unavailable, "nobody serves it")
		case h.w.fault(0.05) || r.Request.Prompt == "bad": // a filter may change its mind
			return fault.New(fault.ContentRejected, "not this")
		}
		t, _, err = h.w.tasks.Begin(ctx, order(b, n, r))
		return err
	})
}

func (h hooked) Void(ctx context.Context, b batch.Batch, n int, r batch.Request, s task.Status, reason task.Error) (t task.Task, voided bool, err error) {
	err = h.call("void", func() error {
		t, voided, err = h.w.tasks.Void(ctx, order(b, n, r), s, reason)
		return err
	})
	if voided && err == nil {
		h.w.rescued++
	}
	return t, voided, err
}

func (h hooked) Cancel(ctx context.Context, t task.Task) (next task.Task, err error) {
	return next, h.call("cancel", func() error {
		next, err = h.w.tasks.Cancel(ctx, t)
		return err
	})
}

func (h hooked) Send(_ context.Context, m batch.Message, _ time.Duration) error {
	h.w.boundary("send/before")
	if h.w.fault(0.05) {
		return errors.New("the queue is down")
	}
	if !h.w.fault(0.05) {
		h.w.queue = append(h.w.queue, m)
	}
	h.w.boundary("send/after")
	return nil
}

func (h hooked) Report(_ context.Context, b batch.Batch) (task.Try, time.Duration) {
	h.w.boundary("report/before")
	if h.w.fault(0.2) {
		return task.Try{At: h.w.now, Error: "no"}, 5 * time.Second
	}
	h.w.reports[b.ID]++
	h.w.boundary("report/after")
	return task.Try{At: h.w.now, Status: 200}, 0
}

// hookedTasks is the store of the engine of tasks.
type hookedTasks struct{ w *world }

func (h hookedTasks) Task(ctx context.Context, id string) (task.Task, error) {
	return h.w.store.Task(ctx, id)
}

func (h hookedTasks) Apply(ctx context.Context, c journal.Change) error {
	return hooked(h).call("apply", func() error {
		err := h.w.store.Apply(ctx, c)
		if err == nil {
			h.w.touchedTasks = append(h.w.touchedTasks, c.Task.ID)
			if c.Task.Version == 1 {
				h.w.begun = append(h.w.begun, c.Task.ID)
			}
		}
		return err
	})
}

// operate lets chance decide what happens next.
func (w *world) operate() {
	if n := len(w.processes); n > 0 && w.chance(0.3) {
		w.goOn(w.rnd.IntN(n))
		return
	}
	w.spawn(w.operation)
}

func (w *world) operation(ctx context.Context) {
	switch n := w.rnd.IntN(100); {
	case n < 5:
		w.take(ctx)
	case n < 55:
		w.deliver(ctx)
	case n < 62:
		_ = w.batches.Sweep(ctx)
	case n < 63:
		w.cancel(ctx)
	case n < 85:
		w.work(ctx)
	case n < 87:
		w.grant(1 + w.rnd.Int64N(20))
	case n < 95:
		w.now = w.now.Add(time.Duration(w.rnd.IntN(60)) * time.Second)
	case n < 99 || !w.chance(0.2):
		w.now = w.now.Add(time.Duration(w.rnd.IntN(20)) * time.Minute)
	default:
		w.now = w.now.Add(time.Duration(w.rnd.IntN(30)) * time.Hour)
	}
}

// take is a caller that makes a batch, and does it again until it has an answer.
func (w *world) take(ctx context.Context) {
	if len(w.taken) >= 4 {
		return
	}
	key := w.rnd.IntN(3)
	d := batch.Draft{Account: account, CallbackURL: "https://caller/hook", IdempotencyKey: fmt.Sprint("key", key), Hash: strconv.Itoa(key), KeyPlaces: 2 * w.rnd.IntN(5)}
	for n := range 1 + 4*key {
		prompt := "good"
		if n%5 == 3 {
			prompt = "bad"
		}
		d.Requests = append(d.Requests, batch.Request{
			Request: generation.Request{Kind: generation.Image, Model: "auto", Prompt: prompt}, Quote: catalog.Quote{Credits: price},
		})
	}
	for range 3 {
		b, found, err := w.batches.Recall(ctx, account, d.IdempotencyKey, d.Hash)
		if err == nil && !found {
			b, _, err = w.batches.Take(ctx, d)
		}
		if err != nil {
			continue
		}
		if before, ok := w.promised[d.IdempotencyKey]; ok && before != b.ID {
			w.broken = append(w.broken, fmt.Sprintf("the key %s made batch %s and then %s", d.IdempotencyKey, before, b.ID))
		}
		w.promised[d.IdempotencyKey] = b.ID
		return
	}
}

// deliver hands some message to the worker: perhaps again, perhaps out of order.
func (w *world) deliver(ctx context.Context) {
	if len(w.queue) == 0 {
		return
	}
	i := w.rnd.IntN(len(w.queue))
	m := w.queue[i]
	if !w.fault(0.1) {
		w.queue = append(w.queue[:i], w.queue[i+1:]...)
	}
	if err := w.batches.Advance(ctx, m); err != nil && len(w.queue) < 100 {
		w.queue = append(w.queue, m)
	}
}

func (w *world) cancel(ctx context.Context) {
	if len(w.taken) == 0 {
		return
	}
	b, err := w.store.Batch(ctx, w.taken[w.rnd.IntN(len(w.taken))])
	must(err)
	_, _ = w.batches.Cancel(ctx, b)
}

// work is what providers and time do to the tasks.
func (w *world) work(ctx context.Context) {
	if len(w.begun) == 0 {
		return
	}
	w.workOn(ctx, w.begun[w.rnd.IntN(len(w.begun))])
}

func (w *world) workOn(ctx context.Context, id string) {
	t, err := w.store.Task(ctx, id)
	must(err)
	i, open := t.Open()
	switch {
	case open && t.Status.Terminal() && !w.now.Before(t.LateUntil):
		_, _ = w.tasks.Abandon(ctx, t, t.Attempts[i].ID)
	case open && !t.Status.Terminal() && !w.now.Before(t.ExpiresAt):
		_, _ = w.tasks.Expire(ctx, t)
	case open && w.chance(0.6):
		_, _ = w.tasks.Finish(ctx, t, t.Attempts[i].ID, lifecycle.Delivery{Outputs: []generation.Asset{{Key: "out"}}})
	case open:
		_, _ = w.tasks.Refused(ctx, t, t.Attempts[i].ID, &fault.Failure{Class: fault.ClassUnavailable}, generation.Usage{})
	case t.Status.Terminal():
	case !w.now.Before(t.ExpiresAt):
		_, _ = w.tasks.Expire(ctx, t)
	case w.calm || w.chance(0.8):
		_, _ = w.tasks.Start(ctx, t, lifecycle.Start{Owner: "o", Timeout: time.Second, Config: "c", Provider: "p"})
	default:
		_, _ = w.tasks.Fail(ctx, t, task.Error{Code: fault.ProviderFailed, Message: "no"})
	}
}
