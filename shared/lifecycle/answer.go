package lifecycle

import (
	"context"
	"errors"
	"fmt"

	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/task"
	"easel/shared/usage"
)

// Result is what a task delivered that was asked for the same before.
type Result struct {
	// Task is that one.
	Task    string
	Outputs []generation.Asset
	Text    string
	Usage   generation.Usage
}

// Answer begins and ends a task with a result that is there already, in one write.
// It costs nothing, so nothing is reserved, and no limit counts it: no provider is
// called. Its idempotency key is remembered like that of any other task; replayed
// is true when that has made a task before, which is returned. Errors:
// IdempotencyMismatch when the key was used for another request.
func (e *Engine) Answer(ctx context.Context, o Order, r Result) (t task.Task, replayed bool, err error) {
	now := e.now()
	deadline := o.Deadline
	if deadline == 0 {
		deadline = o.Request.Kind.Deadline()
	}
	t = task.Task{
		ID: e.newID("task_"), Account: o.Account, KeyID: o.KeyID, User: o.User, RequestID: o.RequestID,
		Kind: o.Request.Kind, Model: o.Request.Model, Request: o.Request, Metadata: o.Metadata, CallbackURL: o.CallbackURL,
		Outputs: r.Outputs, Text: r.Text, Usage: r.Usage, Caching: task.Caching{Key: o.Caching.Key, From: r.Task},
		CreatedAt: now, StartedAt: now, UpdatedAt: now, ExpiresAt: now.Add(deadline), Version: 1,
	}
	if o.ID != "" {
		t.ID = o.ID
	}
	end(&t, task.Succeeded, now)
	record := usage.Of(t)
	change := journal.Change{Task: t, Usage: &record}
	if o.IdempotencyKey != "" {
		change.Idempotency = &journal.Idempotency{
			Account: o.Account, Key: o.IdempotencyKey, Hash: o.Hash, Task: t.ID, ExpiresAt: now.Add(IdempotencyTTL),
		}
	}
	err = e.store.Apply(ctx, change)
	if duplicate, ok := errors.AsType[*journal.Duplicate](err); ok {
		return e.replay(ctx, duplicate.Idempotency, o.Hash)
	}
	if err != nil {
		return task.Task{}, false, fmt.Errorf("answer a task: %w", err)
	}
	return t, false, nil
}

// Answer is [Engine.Answer], and asks the worker to report the task's end.
func (r *Runner) Answer(ctx context.Context, o Order, result Result) (task.Task, bool, error) {
	t, replayed, err := r.Engine.Answer(ctx, o, result)
	if err == nil && !replayed && !t.Delivery.NextAt.IsZero() {
		r.announce(ctx, t)
	}
	return t, replayed, err
}
