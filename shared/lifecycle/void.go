package lifecycle

import (
	"context"
	"errors"
	"fmt"

	"easel/shared/journal"
	"easel/shared/task"
	"easel/shared/usage"
)

// begun returns the task with the id after beginning it was refused because it is
// there: it began before. refusal is what the store said.
func (e *Engine) begun(ctx context.Context, id string, refusal error) (t task.Task, replayed bool, err error) {
	t, err = e.store.Task(ctx, id)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return t, false, fmt.Errorf("begin task: %w", refusal)
	case err != nil:
		return t, false, fmt.Errorf("read a task that began before: %w", err)
	default:
		return t, true, nil
	}
}

// Void makes sure that no task begins under the order's id, which must be set: it
// puts one in its place that has ended with the terminal status s and moves no
// credits. When a task has begun under the id, it is returned as it is, and voided
// is false.
func (e *Engine) Void(ctx context.Context, o Order, s task.Status, reason task.Error) (t task.Task, voided bool, err error) {
	now := e.now()
	t = task.Task{
		ID: o.ID, Account: o.Account, KeyID: o.KeyID, User: o.User, RequestID: o.RequestID,
		Kind: o.Request.Kind, Model: o.Request.Model, Request: o.Request, Status: s, Error: &reason, Metadata: o.Metadata,
		CreatedAt: now, UpdatedAt: now, FinishedAt: now, ExpiresAt: now, Version: 1,
	}
	record := usage.Of(t)
	err = e.store.Apply(ctx, journal.Change{Task: t, Usage: &record})
	if errors.Is(err, journal.ErrStale) {
		t, _, err = e.begun(ctx, o.ID, err)
		return t, false, err
	}
	if err != nil {
		return t, false, fmt.Errorf("end a task before it begins: %w", err)
	}
	return t, true, nil
}
