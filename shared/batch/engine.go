package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/task"
)

// Parts are what an engine works with. All are required.
type Parts struct {
	Store    Store
	Creator  Creator
	Due      Due
	Tasks    Tasks
	Placer   Placer
	Queue    Queue
	Reporter Reporter
	Now      func() time.Time
	// NewID makes unique ids that nobody can guess, with the given prefix.
	NewID func(prefix string) string
	Log   *slog.Logger
}

// Engine takes batches and moves them. It holds no state of its own, so it is safe
// for concurrent use, in one process or many, and any process may crash between
// any two lines.
type Engine struct{ Parts }

// New returns an engine of the parts.
func New(p Parts) *Engine { return &Engine{p} }

const (
	// memoryTTL is how long an Idempotency-Key is remembered, as for tasks.
	memoryTTL = 24 * time.Hour
	// slack is how long after a message should have come the sweep steps in.
	slack = 30 * time.Second
	// maxStale bounds how often a change is made again on a fresh read.
	maxStale = 8
)

// Draft is a batch that was checked and priced, and has not been taken yet.
type Draft struct {
	Account, KeyID, RequestID string
	KeyPlaces, UserPlaces     int
	// Requests are 1 to [MaxRequests], each at most [MaxRequest] bytes.
	Requests    []Request
	Metadata    map[string]string
	CallbackURL string
	// IdempotencyKey is the caller's, "" for none; Hash is of the whole request.
	IdempotencyKey, Hash string
}

// Recall returns the batch that the account's idempotency key made before, so that
// a repeat is not checked and stored again. An IdempotencyMismatch error says that
// the key was used for another request.
func (e *Engine) Recall(ctx context.Context, account, idempotencyKey, hash string) (b Batch, found bool, err error) {
	if idempotencyKey == "" {
		return b, false, nil
	}
	memory, ok, err := e.Creator.Remembered(ctx, account, idempotencyKey)
	if err != nil {
		return b, false, fmt.Errorf("look up an idempotency key: %w", err)
	}
	if !ok {
		return b, false, nil
	}
	return e.replay(ctx, memory, hash)
}

// Take stores a batch and asks the worker to begin it. When the idempotency key was
// used before for the same request, it returns that batch and replayed is true; ask
// Recall first. Errors: IdempotencyMismatch when the key was used for another request,
// RateLimited with the details "limited_by" and "limit" when the account has too many open batches.
func (e *Engine) Take(ctx context.Context, d Draft) (b Batch, replayed bool, err error) {
	c, err := e.create(d)
	if err != nil {
		return b, false, err
	}
	err = e.Creator.CreateBatch(ctx, c)
	if duplicate, ok := errors.AsType[*journal.Duplicate](err); ok {
		return e.replay(ctx, duplicate.Idempotency, d.Hash)
	}
	if errors.Is(err, ErrFull) {
		full := fault.New(fault.RateLimited, "the account has %d open batches already; wait until one has ended, or cancel one", MaxOpen).
			With("limited_by", "open_batches").With("limit", MaxOpen).Because(err)
		full.RetryAfter = time.Minute
		return b, false, full
	}
	if err != nil {
		return b, false, fmt.Errorf("store a batch: %w", err)
	}
	e.send(ctx, c.Batch, "created", 0)
	return c.Batch, false, nil
}

// create makes a new batch of a draft.
func (e *Engine) create(d Draft) (Creation, error) {
	now := e.Now().UTC()
	b := Batch{
		ID: e.NewID("batch_"), Account: d.Account, KeyID: d.KeyID, KeyPlaces: d.KeyPlaces, UserPlaces: d.UserPlaces, RequestID: d.RequestID,
		Status: Queued, Items: make([]Item, len(d.Requests)), Metadata: d.Metadata, CallbackURL: d.CallbackURL,
		CreatedAt: now, UpdatedAt: now, ExpiresAt: now.Add(Deadline), DueAt: now.Add(slack), Version: 1,
	}
	for n, r := range d.Requests {
		b.Items[n].Status = ItemQueued
		b.Quoted += r.Quote.Credits
		b.Named = b.Named || r.CustomID != ""
	}
	chunks, starts, err := split(d.Requests)
	if err != nil {
		return Creation{}, err
	}
	b.Chunks = starts
	c := Creation{Batch: b, Chunks: chunks}
	if d.IdempotencyKey != "" {
		c.Memory = &journal.Idempotency{
			Account: d.Account, Key: d.IdempotencyKey, Hash: d.Hash, Task: b.ID, ExpiresAt: now.Add(memoryTTL),
		}
	}
	return c, nil
}

func (e *Engine) replay(ctx context.Context, memory journal.Idempotency, hash string) (Batch, bool, error) {
	if memory.Hash != hash {
		return Batch{}, false, fault.New(fault.IdempotencyMismatch,
			"this Idempotency-Key was used before with another body; use a new key for a new request")
	}
	b, err := e.Store.Batch(ctx, memory.Task)
	if err != nil {
		return Batch{}, false, fmt.Errorf("read the batch of an idempotency key: %w", err)
	}
	return b, true, nil
}

// Cancel ends a batch at its caller's wish: nothing more begins, and what is under
// way is canceled by the worker. Canceling twice is the same; a batch that has
// ended otherwise is a Conflict.
func (e *Engine) Cancel(ctx context.Context, b Batch) (Batch, error) {
	for range maxStale {
		switch {
		case b.Status == Canceled || b.Status == Canceling:
			return b, nil
		case b.Status.Ended():
			return b, fault.New(fault.Conflict, "the batch has already %s", b.Status)
		}
		now := e.Now().UTC()
		next := b.clone()
		next.Status, next.CancelAt = Canceling, now
		next.drop(now)
		if !next.Lease.Held(now) {
			next.DueAt = now.Add(slack) // whoever holds the lease goes on by itself
		}
		stored, err := e.put(ctx, next, now)
		if err == nil {
			e.send(ctx, stored, "canceled", 0)
			return stored, nil
		}
		if !errors.Is(err, journal.ErrStale) {
			return b, err
		}
		if b, err = e.Store.Batch(ctx, b.ID); err != nil {
			return b, fmt.Errorf("read a batch again: %w", err)
		}
	}
	return b, fmt.Errorf("cancel batch %s: %w", b.ID, journal.ErrStale)
}

// put stores the batch's next version. A batch whose items have all ended ends
// with it.
func (e *Engine) put(ctx context.Context, next Batch, now time.Time) (Batch, error) {
	closes := !next.Status.Ended() && next.ended()
	if closes {
		next.finish(now)
	}
	next.Version, next.UpdatedAt = next.Version+1, now
	if err := e.Store.PutBatch(ctx, Change{Batch: next, Closes: closes}); err != nil {
		return next, fmt.Errorf("write batch %s: %w", next.ID, err)
	}
	return next, nil
}

// finish ends the batch.
func (b *Batch) finish(now time.Time) {
	b.Status = Completed
	if !b.CancelAt.IsZero() {
		b.Status = Canceled
	}
	b.FinishedAt, b.Lease, b.DueAt = now, task.Lease{}, time.Time{}
	if b.CallbackURL != "" {
		b.Delivery = b.Delivery.Again(now)
		b.DueAt = now
	}
}

// send asks the worker for the batch's next step. A message that cannot be sent is
// no error: the sweep finds the batch.
func (e *Engine) send(ctx context.Context, b Batch, reason string, delay time.Duration) {
	if b.DueAt.IsZero() {
		return
	}
	if err := e.Queue.Send(ctx, Message{Batch: b.ID, Version: b.Version, Reason: reason}, delay); err != nil {
		e.Log.WarnContext(ctx, "the sweep will move a batch: no message could be sent", "batch", b.ID, "error", err)
	}
}

// maxDue is how many batches one sweep wakes.
const maxDue = 100

// Sweep sends a message for every batch that is due, at most 100 of them. Run it
// every minute.
func (e *Engine) Sweep(ctx context.Context) error {
	ids, err := e.Due.DueBatches(ctx, e.Now(), maxDue)
	if err != nil {
		return fmt.Errorf("sweep batches: %w", err)
	}
	var failed error
	for _, id := range ids {
		if err := e.Queue.Send(ctx, Message{Batch: id, Reason: "sweep"}, 0); err != nil {
			failed = errors.Join(failed, fmt.Errorf("sweep batch %s: %w", id, err))
		}
	}
	return failed
}

// Handle returns a handler of the worker's queue that advances the batches that
// messages name, and hands every other message to next. An error asks for the
// message to be delivered again.
func (e *Engine) Handle(next func(ctx context.Context, body []byte) error) func(ctx context.Context, body []byte) error {
	return func(ctx context.Context, body []byte) error {
		var m Message
		if err := json.Unmarshal(body, &m); err != nil || m.Batch == "" {
			return next(ctx, body) // which knows what to do with it
		}
		if err := e.Advance(ctx, m); err != nil {
			e.Log.WarnContext(ctx, "a batch could not be advanced", "batch", m.Batch, "reason", m.Reason, "error", err)
			return err
		}
		return nil
	}
}
