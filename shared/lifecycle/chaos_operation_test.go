package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/lifecycle"
	"easel/shared/task"
)

// operation is one thing that somebody does to the gateway, or that befalls it.
func (w *world) operation(ctx context.Context) {
	switch n := w.rnd.IntN(100); {
	case n < 14:
		w.begin(ctx)
	case n < 50:
		w.deliverMessage(ctx)
	case n < 62:
		w.webhook(ctx)
	case n < 66:
		w.cancel(ctx)
	case n < 74:
		if _, err := w.runner.Sweep(ctx, 50); err != nil && !excused(err) {
			w.broken = append(w.broken, "sweep: "+err.Error())
		}
	case n < 76:
		w.redeliver(ctx)
	case n < 78:
		w.rush(ctx)
	case n < 92:
		w.jump("seconds", time.Duration(w.rnd.IntN(40))*time.Second)
	case n < 95:
		w.jump("minutes", time.Duration(w.rnd.IntN(30))*time.Minute)
	case n < 96:
		w.jump("hours", time.Duration(w.rnd.IntN(5*60))*time.Minute)
	default:
		for _, name := range vendorNames() {
			w.vendors[name].work()
		}
	}
}

func (w *world) jump(kind string, d time.Duration) {
	w.tally.faults["clock: jump of "+kind]++
	w.now = w.now.Add(d)
}

// begin is a caller's request. A caller who gets an error sends the same request
// again under the same Idempotency-Key, when it has one.
func (w *world) begin(ctx context.Context) {
	o := lifecycle.Order{
		Account: account, Request: generation.Request{Kind: generation.Image, Model: "auto", Prompt: "p", N: 1 + w.rnd.IntN(2)},
	}
	o.Quote = catalog.Quote{Credits: 7 * int64(o.Request.N)}
	o.ChargeModerated = w.chance(0.5)
	if w.chance(0.3) {
		o.CallbackURL = "https://caller/hook"
	}
	if w.chance(0.5) {
		o.IdempotencyKey, o.Hash = fmt.Sprint("key", w.rnd.IntN(4)), fmt.Sprint("hash", w.rnd.IntN(2))
	}
	wait := time.Duration(0)
	if w.chance(0.5) {
		wait = time.Minute
	}
	for range 1 + w.rnd.IntN(3) {
		t, _, err := w.runner.Serve(ctx, o, wait)
		if err == nil {
			w.promise(o, t)
			return
		}
		code := fault.CodeOf(err)
		if code != fault.InsufficientCredits && code != fault.IdempotencyMismatch && code != fault.Unavailable && !excused(err) {
			w.broken = append(w.broken, "begin: "+err.Error())
		}
		if o.IdempotencyKey == "" {
			return
		}
	}
}

// promise notes which task an Idempotency-Key stands for: never another one.
func (w *world) promise(o lifecycle.Order, t task.Task) {
	if _, err := w.store.Task(context.Background(), t.ID); err != nil {
		w.broken = append(w.broken, fmt.Sprintf("task %s was promised and is not there: %v", t.ID, err))
	}
	if o.IdempotencyKey == "" {
		return
	}
	name := o.IdempotencyKey + "/" + o.Hash
	if before, ok := w.promised[name]; ok && before != t.ID {
		w.broken = append(w.broken, fmt.Sprintf("the key %s made task %s and then %s", name, before, t.ID))
	}
	w.promised[name] = t.ID
}

// webhook delivers a verified message about some job of the vendor with webhooks:
// early, late, doubled, out of order or about an attempt that is not its own.
func (w *world) webhook(ctx context.Context) {
	v := w.vendors["hooks"]
	if len(v.order) == 0 {
		return
	}
	j := v.jobs[v.order[w.rnd.IntN(len(v.order))]]
	m := task.Message{Task: j.task, Attempt: j.attempt, Job: j.id, Reason: "notice"}
	w.tally.faults["webhook: at a random moment"]++
	if w.fault(0.05, "webhook: about no attempt") {
		m.Attempt = "att_wrong"
	}
	for range 1 + w.rnd.IntN(2) {
		if _, err := w.runner.Advance(ctx, m); err != nil && !excused(err) {
			w.broken = append(w.broken, "notice: "+err.Error())
		}
	}
}

func (w *world) cancel(ctx context.Context) {
	if t, ok := w.anyTask(); ok {
		if _, err := w.runner.Cancel(ctx, t); err != nil && fault.CodeOf(err) != fault.Conflict && !excused(err) {
			w.broken = append(w.broken, "cancel: "+err.Error())
		}
	}
}

// redeliver is an operator who wants a report to be sent again.
func (w *world) redeliver(ctx context.Context) {
	if t, ok := w.anyTask(); ok {
		if _, err := w.engine.Redeliver(ctx, t); err != nil && fault.CodeOf(err) != fault.Conflict && !excused(err) {
			w.broken = append(w.broken, "redeliver: "+err.Error())
		}
	}
}

// rush is a worker that starts an attempt of a task which has an open one.
func (w *world) rush(ctx context.Context) {
	t, ok := w.anyTask()
	if _, open := t.Open(); !ok || !open {
		return
	}
	s := lifecycle.Start{Owner: "rash", Timeout: time.Second, Config: "cfg_jobs", Provider: "jobs", Model: "m"}
	if _, err := w.engine.Start(ctx, t, s); !errors.Is(err, lifecycle.ErrNothing) && !excused(err) {
		w.broken = append(w.broken, fmt.Sprintf("an attempt of task %s started while one is open: %v", t.ID, err))
	}
}

// anyTask returns some task as it is now; it may be stale when it is used.
func (w *world) anyTask() (task.Task, bool) {
	if len(w.tasks) == 0 {
		return task.Task{}, false
	}
	return w.store1(w.tasks[w.rnd.IntN(len(w.tasks))]), true
}
