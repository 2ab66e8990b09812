package lifecycle

import (
	"context"
	"time"

	"easel/shared/credits"
	"easel/shared/fault"
	"easel/shared/task"
)

// Redeliver makes the report of an ended task's end due again, now, with a fresh
// count of tries, whatever came of the last one. Send the worker a message to have
// it done at once. A task that has not ended, or that has no callback URL, is a
// Conflict.
func (e *Engine) Redeliver(ctx context.Context, t task.Task) (task.Task, error) {
	return e.retry(ctx, t, func(t task.Task, now time.Time) (task.Task, *credits.Entry, error) {
		switch {
		case !t.Status.Terminal():
			return t, nil, fault.New(fault.Conflict, "the task has not ended; its end will be reported")
		case t.CallbackURL == "":
			return t, nil, fault.New(fault.Conflict, "the task has no callback URL")
		}
		t.Delivery = t.Delivery.Again(now)
		scheduleReport(&t)
		return t, nil, nil
	})
}
