package lifecycle

import (
	"context"
	"fmt"

	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/task"
)

// Memory remembers Idempotency-Keys; *dynamo.Store is the one.
type Memory interface {
	// Remembered returns what an account's key stands for; ok is false when it is free.
	Remembered(ctx context.Context, account, key string) (memory journal.Idempotency, ok bool, err error)
}

// Recall returns the task that an account's Idempotency-Key made before for the
// request with the hash; found is false when it made none, or when the Runner has no Memory.
// It is for requests that cost something before [Runner.Serve], which finds
// replays by itself, in its one write. A key of another request is an
// IdempotencyMismatch error.
func (r *Runner) Recall(ctx context.Context, account, key, hash string) (t task.Task, found bool, err error) {
	if r.Memory == nil || key == "" {
		return t, false, nil
	}
	memory, ok, err := r.Memory.Remembered(ctx, account, key)
	if err != nil {
		return t, false, fmt.Errorf("look an idempotency key up: %w", err)
	}
	if !ok {
		return t, false, nil
	}
	return r.Engine.replay(ctx, memory, hash)
}

// replay returns the task of an idempotency key that was used for the same request.
func (e *Engine) replay(ctx context.Context, d journal.Idempotency, hash string) (task.Task, bool, error) {
	if d.Hash != hash {
		return task.Task{}, false, fault.New(fault.IdempotencyMismatch,
			"this Idempotency-Key was used before with another body; use a new key for a new request")
	}
	t, err := e.store.Task(ctx, d.Task)
	if err != nil {
		return task.Task{}, false, fmt.Errorf("read the task of an idempotency key: %w", err)
	}
	return t, true, nil
}
