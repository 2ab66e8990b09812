// Package lifecycle is the one place where a task's state and its credits move.
//
// An [Engine] turns each step of a task's life into one atomic change of task,
// ledger and balance. A [Runner] drives tasks through those steps: it asks
// failover which provider is next, writes down each attempt before it is made,
// and settles what comes back. Both hold no state of their own, so any process
// may crash between any two lines and any other continues.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/task"
	"easel/shared/usage"
)

// Store is where tasks and money are kept. Apply is atomic and returns
// journal.ErrStale, *journal.Duplicate, *journal.OverQuota or *journal.Insufficient when it refuses;
// Task returns journal.ErrNotFound. Both read what was written last.
type Store interface {
	Task(ctx context.Context, id string) (task.Task, error)
	Apply(ctx context.Context, c journal.Change) error
}

// The engine's constants.
const (
	// ResendAfter is how long a new task may stay without a worker before the sweep asks again.
	ResendAfter = 30 * time.Second
	// Grace is how long after its end a task's provider may still deliver.
	Grace = time.Hour
	// IdempotencyTTL is how long an Idempotency-Key is remembered.
	IdempotencyTTL = 24 * time.Hour
	// leaseMargin is added to a call's timeout for writing down what came of it.
	leaseMargin = 15 * time.Second
)

// Engine moves tasks and money. It is safe for concurrent use.
type Engine struct {
	store Store
	now   func() time.Time
	newID func(prefix string) string
}

// NewEngine returns an engine on the store. now is the clock; newID makes unique
// ids that nobody can guess, with the given prefix.
func NewEngine(store Store, now func() time.Time, newID func(prefix string) string) *Engine {
	return &Engine{store: store, now: now, newID: newID}
}

// Order is what Begin needs to know of a request that was validated and priced.
type Order struct {
	// ID is the task's id where it must be known before; "" makes one.
	ID                              string
	Account, KeyID, User, RequestID string
	// KeyPlaces is how many tasks the key may have open at once; 0 is no limit.
	KeyPlaces int
	// UserPlaces is how many tasks the account's user may have open at once; 0 is no limit.
	UserPlaces      int
	Request         generation.Request
	Quote           catalog.Quote
	ChargeModerated bool
	// IdempotencyKey is the caller's, "" for none; Hash is of the request's body.
	IdempotencyKey, Hash string
	Metadata             map[string]string
	CallbackURL          string
	// Deadline is how long the task may take; 0 is the kind's.
	Deadline time.Duration
	// Quotas are the monthly limits that the task counts against, of which it holds
	// nothing yet.
	Quotas []task.Quota
	// Caching says where the answer is to be remembered.
	Caching task.Caching
	// First, if set, starts the first attempt in the same write, for a process
	// that will call the provider itself at once.
	First *Start
}

// Start is an attempt that is about to be made.
type Start struct {
	// Owner names the process that makes it, and Timeout bounds its call.
	Owner                   string
	Timeout                 time.Duration
	Config, Provider, Model string
	// Arm is the arm that the attempt belongs to, "" for none.
	Arm string
}

// Begin reserves the price, creates the task and remembers the idempotency key,
// all in one write. When the key was used before for the same request, or a task
// has begun under the order's id, it returns that task and replayed is true.
// Errors: IdempotencyMismatch when the key was used for another request,
// QuotaExceeded with the details "limit", "used", "needed" and "resets_at",
// InsufficientCredits with "balance" and "price".
func (e *Engine) Begin(ctx context.Context, o Order) (t task.Task, replayed bool, err error) {
	now := e.now()
	deadline := o.Deadline
	if deadline == 0 {
		deadline = o.Request.Kind.Deadline()
	}
	t = task.Task{
		ID: e.newID("task_"), Account: o.Account, KeyID: o.KeyID, KeyPlaces: o.KeyPlaces, UserPlaces: o.UserPlaces, User: o.User, RequestID: o.RequestID,
		Kind: o.Request.Kind, Model: o.Request.Model, Request: o.Request,
		Status: task.Queued, Price: o.Quote.Credits, Reserved: o.Quote.Credits, PriceLines: o.Quote.Lines,
		ChargeModerated: o.ChargeModerated, Metadata: o.Metadata, CallbackURL: o.CallbackURL, Quotas: o.Quotas, Caching: o.Caching,
		CreatedAt: now, UpdatedAt: now, ExpiresAt: now.Add(deadline), DueAt: now.Add(ResendAfter), Version: 1,
	}
	if o.ID != "" {
		t.ID = o.ID
	}
	if o.First != nil {
		t = e.started(t, *o.First)
	}
	entry := credits.ForHold(t.Account, t.ID, t.Price, now)
	quotas := count(&t)
	change := journal.Change{Task: t, Entry: &entry, Quotas: quotas}
	if o.IdempotencyKey != "" {
		change.Idempotency = &journal.Idempotency{
			Account: o.Account, Key: o.IdempotencyKey, Hash: o.Hash, Task: t.ID, ExpiresAt: now.Add(IdempotencyTTL),
		}
	}
	err = e.store.Apply(ctx, change)
	if duplicate, ok := errors.AsType[*journal.Duplicate](err); ok {
		return e.replay(ctx, duplicate.Idempotency, o.Hash)
	}
	if o.ID != "" && errors.Is(err, journal.ErrStale) {
		return e.begun(ctx, o.ID, err)
	}
	return t, false, asFault(err, t, now)
}

func asFault(err error, t task.Task, now time.Time) error {
	if over, ok := errors.AsType[*journal.OverQuota](err); ok {
		return overQuota(over, t, now)
	}
	if short, ok := errors.AsType[*journal.Insufficient](err); ok {
		return fault.New(fault.InsufficientCredits, "the task costs %d credits, the account has %d available", t.Price, short.Available).
			With("balance", short.Available).With("price", t.Price).Because(err)
	}
	if err != nil {
		return fmt.Errorf("begin task: %w", err)
	}
	return nil
}

// change is one step of a task: it returns the task as it shall be and the
// entry that moves its credits, nil for none. It must not change its argument's
// slices in place; the engine hands it a clone.
type step func(t task.Task, now time.Time) (task.Task, *credits.Entry, error)

// apply makes one step on the task as it was read. It returns journal.ErrStale
// when somebody else moved it meanwhile.
func (e *Engine) apply(ctx context.Context, t task.Task, s step) (task.Task, error) {
	now := e.now()
	next, entry, err := s(t.Clone(), now)
	if err != nil {
		return t, err
	}
	if next.Status != t.Status && !t.Status.CanMove(next.Status) {
		return t, fault.New(fault.Conflict, "a task cannot go from %s to %s", t.Status, next.Status)
	}
	next.Version, next.UpdatedAt = t.Version+1, now
	quotas := count(&next)
	change := journal.Change{Task: next, Entry: entry, Quotas: quotas}
	if next.Status.Terminal() && (next.Status != t.Status || recordChanged(t, next)) {
		record := usage.Of(next)
		change.Usage = &record
	}
	if err := e.store.Apply(ctx, change); err != nil {
		return t, err
	}
	return next, nil
}

// recordChanged reports whether an ended task's usage record must be written again.
func recordChanged(before, after task.Task) bool {
	if before.Loss != after.Loss || len(before.Attempts) != len(after.Attempts) {
		return true
	}
	for i := range before.Attempts {
		if before.Attempts[i].Outcome != after.Attempts[i].Outcome {
			return true
		}
	}
	return false
}

// maxStale bounds how often a step is tried on a task that others keep changing.
const maxStale = 8

// retry makes a step, and makes it again on a fresh read when it was stale.
func (e *Engine) retry(ctx context.Context, t task.Task, s step) (task.Task, error) {
	for range maxStale {
		next, err := e.apply(ctx, t, s)
		if !errors.Is(err, journal.ErrStale) {
			return next, err
		}
		if t, err = e.store.Task(ctx, t.ID); err != nil {
			return t, fmt.Errorf("read a task again: %w", err)
		}
	}
	return t, fmt.Errorf("task %s: %w", t.ID, journal.ErrStale)
}
