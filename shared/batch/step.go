package batch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/task"
)

const (
	// stepTime bounds the work of one step, and leaseTime is how long nobody else
	// begins requests meanwhile.
	stepTime  = 90 * time.Second
	leaseTime = stepTime + slack
	// writeTime bounds the write that ends a step whose time is over.
	writeTime = 10 * time.Second
	// maxFailures is how many requests in one step may fail to begin.
	maxFailures = 5
	// maxTries is how often a request is tried that fails for no reason that its
	// caller could be told.
	maxTries = 10
	// longestPause is the longest wait between two steps.
	longestPause = 30 * time.Second
)

// Advance makes a batch's next step: it looks at the tasks that are open, begins
// the next requests, ends the batch, or reports its end. It may be called at any
// time, by anybody, any number of times. An error means that the message should be
// delivered again.
func (e *Engine) Advance(ctx context.Context, m Message) error {
	b, err := e.Store.Batch(ctx, m.Batch)
	if errors.Is(err, journal.ErrNotFound) {
		e.Log.WarnContext(ctx, "message for a batch that does not exist", "batch", m.Batch, "reason", m.Reason)
		return nil
	}
	if err != nil {
		return fmt.Errorf("advance batch %s: %w", m.Batch, err)
	}
	now := e.Now()
	if !b.meant(m, now) || b.Lease.Held(now) {
		return nil
	}
	if b.Status.Ended() {
		err = e.report(ctx, b)
	} else {
		err = e.step(ctx, b)
	}
	if errors.Is(err, journal.ErrStale) {
		return nil // somebody else moved the batch, and sees to what comes next
	}
	if err != nil {
		return fmt.Errorf("advance batch %s: %w", b.ID, err)
	}
	return nil
}

// meant reports whether the message asks for a step from the batch as it is.
func (b Batch) meant(m Message, now time.Time) bool {
	if m.Version == 0 {
		return !b.DueAt.IsZero() && !now.Before(b.DueAt)
	}
	return m.Version == b.Version
}

func (e *Engine) step(ctx context.Context, b Batch) error {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	now := e.Now().UTC()
	next := b.clone()
	next.recover()
	next.drop(now)
	moved, failed := e.refresh(ctx, &next)
	chosen := next.choose(now)
	if len(chosen) == 0 {
		return e.rest(ctx, next, work{moved: moved, failed: failed})
	}
	next, err := e.claim(ctx, next, chosen, now)
	if err != nil {
		return err
	}
	done := e.begin(ctx, next, chosen)
	done.moved, done.failed = done.moved || moved, done.failed+failed
	return e.rest(ctx, next, done)
}

// refresh reads the tasks that are open, and cancels them where that was asked for.
// One that cannot be read now is looked at again with the next step, and keeps no
// other from being seen.
func (e *Engine) refresh(ctx context.Context, b *Batch) (moved bool, failed int) {
	for n, i := range b.Items {
		if i.Status != ItemOpen {
			continue
		}
		next, err := e.look(ctx, *b, n, i)
		if err != nil {
			e.Log.WarnContext(ctx, "a batch's task could not be looked at", "batch", b.ID, "task", TaskID(b.ID, n), "error", err)
			failed++
			continue
		}
		b.Items[n] = next
		moved = moved || next.Status != ItemOpen
	}
	return moved, failed
}

// look returns an open item as its task is now, after canceling it where that was
// asked for.
func (e *Engine) look(ctx context.Context, b Batch, n int, i Item) (Item, error) {
	t, err := e.Tasks.Task(ctx, TaskID(b.ID, n))
	if errors.Is(err, journal.ErrNotFound) { // cannot be: tasks outlive their batches
		e.Log.ErrorContext(ctx, "a batch's task is gone", "batch", b.ID, "task", TaskID(b.ID, n))
		return i.without(ItemFailed, fault.Internal, "the request's task is gone"), nil
	}
	if err == nil && !b.CancelAt.IsZero() && !t.Status.Terminal() {
		t, err = e.cancel(ctx, t)
	}
	if err != nil {
		return i, err
	}
	return i.with(t), nil
}

// cancel ends a task, unless it has ended by itself meanwhile.
func (e *Engine) cancel(ctx context.Context, t task.Task) (task.Task, error) {
	next, err := e.Placer.Cancel(ctx, t)
	if fault.CodeOf(err) == fault.Conflict {
		return e.Tasks.Task(ctx, t.ID)
	}
	return next, err
}

// claim writes down which requests are about to be begun, and by whom. It returns
// journal.ErrStale when somebody else moved the batch.
func (e *Engine) claim(ctx context.Context, b Batch, chosen []int, now time.Time) (Batch, error) {
	for _, n := range chosen {
		b.Items[n].Status = ItemStarting
	}
	if b.StartedAt.IsZero() && !b.stopping(now) {
		b.StartedAt, b.Status = now, Processing
	}
	b.Lease = task.Lease{Owner: e.NewID("own_"), Until: now.Add(leaseTime)}
	b.DueAt = b.Lease.Until
	return e.put(ctx, b, now)
}

// work is what a step did.
type work struct {
	// items are the claimed items as they are now, by their indexes.
	items map[int]Item
	// moved is true when something began or ended, and failed counts what did not
	// succeed and will be tried again.
	moved  bool
	failed int
}

// begin begins the claimed requests, one after the other, or makes sure that they
// never begin when the batch is stopping. What it does not reach stays queued.
func (e *Engine) begin(ctx context.Context, b Batch, chosen []int) work {
	done := work{items: make(map[int]Item, len(chosen))}
	read := e.reader(b)
	for _, n := range chosen {
		i := b.Items[n]
		i.Status = ItemQueued
		if ctx.Err() == nil && done.failed < maxFailures {
			i = e.beginOne(ctx, b, n, i, read)
			if i.Status == ItemQueued {
				done.failed++
			} else {
				done.moved = true
			}
		}
		done.items[n] = i
	}
	return done
}

// reader returns what reads single requests of the batch and remembers the chunk
// that it read last.
func (e *Engine) reader(b Batch) func(ctx context.Context, index int) (Request, error) {
	last, requests := -1, []Request(nil)
	return func(ctx context.Context, index int) (Request, error) {
		chunk, at := b.Chunk(index)
		if chunk != last {
			var err error
			if requests, err = e.Store.BatchRequests(ctx, b.ID, chunk); err != nil {
				return Request{}, fmt.Errorf("read the requests of a batch: %w", err)
			}
			last = chunk
		}
		if at >= len(requests) {
			return Request{}, fmt.Errorf("batch %s has no request %d", b.ID, index)
		}
		return requests[at], nil
	}
}

// beginOne returns the item as it is after one try to begin it.
func (e *Engine) beginOne(ctx context.Context, b Batch, n int, i Item, read func(context.Context, int) (Request, error)) Item {
	r, err := read(ctx, n)
	if err != nil {
		e.Log.WarnContext(ctx, "a batch's request could not be read", "batch", b.ID, "request", n, "error", err)
		i.Tries++
		return i
	}
	switch stopping := b.stopping(e.Now()); {
	case stopping && i.Doubtful:
		return e.void(ctx, b, n, i, r, i.without(b.ending()))
	case stopping:
		return i // it ends with the write that follows
	case i.Doubtful:
		if t, err := e.Tasks.Task(ctx, TaskID(b.ID, n)); err == nil {
			return i.with(t) // without a second look at its images and its words
		}
	}
	t, err := e.Placer.Place(ctx, b, n, r)
	if err == nil {
		return i.with(t)
	}
	return e.failed(ctx, b, n, i, r, err)
}

// void ends the item as wanted, together with a task that ended like it, so that
// nobody can begin it any more. A task that has begun stays, and the item follows it.
func (e *Engine) void(ctx context.Context, b Batch, n int, i Item, r Request, wanted Item) Item {
	status := task.Failed // what refused items are as tasks
	if s := task.Status(wanted.Status); s.Terminal() {
		status = s
	}
	t, voided, err := e.Placer.Void(ctx, b, n, r, status, *wanted.Error)
	switch {
	case err != nil:
		e.Log.WarnContext(ctx, "a batch's request could not be ended", "batch", b.ID, "request", n, "error", err)
		i.Tries++
		return i
	case !voided:
		return i.with(t)
	default:
		wanted.Begun, wanted.Doubtful = true, false
		return wanted
	}
}

// failed returns the item after its request could not be begun: refused for a
// reason that will not go away, or queued for another try.
func (e *Engine) failed(ctx context.Context, b Batch, n int, i Item, r Request, err error) Item {
	i.Tries++
	known, _ := errors.AsType[*fault.Error](err)
	switch code := fault.CodeOf(err); {
	case code == fault.RateLimited:
		return i // it has not begun, and may later
	case refuses(code):
		refused := i.without(ItemRefused, code, known.Message)
		if i.Doubtful {
			return e.void(ctx, b, n, i, r, refused)
		}
		return refused
	case code != fault.Unavailable && i.Tries >= maxTries:
		e.Log.ErrorContext(ctx, "a batch's request is given up", "batch", b.ID, "request", n, "error", err)
		return e.void(ctx, b, n, i, r, i.without(ItemRefused, fault.Internal, "the request could not be begun"))
	default:
		e.Log.WarnContext(ctx, "a batch's request could not be begun", "batch", b.ID, "request", n, "tries", i.Tries, "error", err)
		i.Doubtful = true // the answer may have been lost, and not the write
		return i
	}
}

// refuses reports whether the code says that the request has not begun and will
// not with another try.
func refuses(code fault.Code) bool {
	switch code {
	case fault.InvalidInput, fault.InsufficientCredits, fault.QuotaExceeded, fault.ContentRejected,
		fault.Forbidden, fault.NotFound, fault.TooLarge, fault.UnsupportedMedia:
		return true
	default:
		return false
	}
}

// rest writes down what a step did and plans the next one. When the batch was
// changed meanwhile, which only its caller may do while the lease is held, the
// work is written into what it is now.
func (e *Engine) rest(ctx context.Context, b Batch, done work) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
	defer cancel()
	owner := b.Lease.Owner
	for range maxStale {
		now := e.Now().UTC()
		next := b.clone()
		for n, i := range done.items {
			next.Items[n] = i
		}
		next.drop(now)
		next.Lease = task.Lease{}
		pause := next.plan(done, now)
		stored, err := e.put(ctx, next, now)
		if err == nil {
			return e.goOn(ctx, stored, pause)
		}
		if !errors.Is(err, journal.ErrStale) || owner == "" {
			return err
		}
		fresh, err := e.Store.Batch(ctx, b.ID)
		if err != nil {
			return fmt.Errorf("read a batch again: %w", err)
		}
		if fresh.Lease.Owner != owner {
			return journal.ErrStale // the lease was lost: its new holder finds the tasks
		}
		b = fresh
	}
	return journal.ErrStale
}

// plan sets when the batch is due again and returns how long to wait for it: not
// at all while requests can be begun, and else the longer the less happens.
func (b *Batch) plan(done work, now time.Time) time.Duration {
	pause := time.Duration(0)
	switch {
	case done.moved && done.failed == 0:
		b.Quiet = 0
		if len(b.choose(now)) == 0 {
			pause = time.Second
		}
	default:
		b.Quiet++
		pause = min(longestPause, time.Second*time.Duration(1+b.Quiet/2))
	}
	b.DueAt = now.Add(pause + slack)
	return pause
}

// goOn sees to it that a batch that was written is moved on.
func (e *Engine) goOn(ctx context.Context, b Batch, pause time.Duration) error {
	if !b.Status.Ended() {
		e.send(ctx, b, "step", pause)
		return nil
	}
	c := b.Counts()
	e.Log.InfoContext(ctx, "a batch has ended", "batch", b.ID, "status", b.Status, "succeeded", c.Succeeded, "of", len(b.Items))
	return e.report(ctx, b)
}

// report tells the caller's endpoint that the batch has ended, when that is due.
func (e *Engine) report(ctx context.Context, b Batch) error {
	if due := b.Delivery.NextAt; due.IsZero() || e.Now().Before(due) {
		return nil
	}
	try, retry := e.Reporter.Report(ctx, b)
	now := e.Now().UTC()
	next := b.clone()
	next.Delivery, next.DueAt = b.Delivery.Tried(try), time.Time{}
	switch {
	case try.Error == "":
		next.Delivery.DoneAt = now
	case retry > 0:
		next.Delivery.NextAt = now.Add(retry)
		next.DueAt = next.Delivery.NextAt
	}
	stored, err := e.put(ctx, next, now)
	if err != nil {
		return err
	}
	if retry < time.Minute {
		e.send(ctx, stored, "report", retry) // a later one is the sweep's
	}
	return nil
}
