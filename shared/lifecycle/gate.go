package lifecycle

import (
	"context"
	"strconv"
	"time"

	"easel/shared/failover"
	"easel/shared/fault"
	"easel/shared/task"
)

// place names the n-th attempt of a task at the gate, before it has an id.
func place(taskID string, n int) string { return taskID + "#" + strconv.Itoa(n) }

// enter asks the gate for a place for the task's next attempt.
func (r *Runner) enter(ctx context.Context, t task.Task, c failover.Candidate) bool {
	if r.Gate == nil {
		return true
	}
	hold := max(t.ExpiresAt.Sub(r.Now()), c.Config.Timeout()) + leaseMargin
	return r.Gate.Enter(ctx, c, place(t.ID, len(t.Attempts)+1), hold)
}

// unenter gives back the place of an attempt that was not made after all.
func (r *Runner) unenter(ctx context.Context, t task.Task, c failover.Candidate) {
	if r.Gate == nil {
		return
	}
	r.Health.Report(c.Config.ID, &fault.Failure{Class: fault.ClassCanceled}, r.Now())
	r.Gate.Leave(ctx, c.Config, place(t.ID, len(t.Attempts)+1))
}

// arrive takes a place among the open tasks of the caller's key.
func (r *Runner) arrive(ctx context.Context, o Order) error {
	if r.Callers == nil || o.KeyPlaces == 0 {
		return nil
	}
	hold := o.Deadline
	if hold == 0 {
		hold = o.Request.Kind.Deadline()
	}
	return r.Callers.Begin(ctx, o.KeyID, o.KeyPlaces, o.ID, hold+leaseMargin)
}

// depart gives that place back.
func (r *Runner) depart(ctx context.Context, keyID string, places int, taskID string) {
	if r.Callers != nil && places > 0 {
		r.Callers.End(ctx, keyID, places, taskID)
	}
}

// leave gives back what ended between two states of a task: the places of its
// attempts, and its own.
func (r *Runner) leave(ctx context.Context, before, after task.Task) {
	if after.Status.Terminal() && !before.Status.Terminal() {
		r.depart(ctx, after.KeyID, after.KeyPlaces, after.ID)
	}
	if r.Gate == nil {
		return
	}
	for i, a := range after.Attempts {
		if a.Outcome.Open() || i < len(before.Attempts) && !before.Attempts[i].Outcome.Open() {
			continue
		}
		view, err := r.Views.View(ctx)
		if err != nil {
			return // the places fall free by themselves
		}
		if config, ok := view.Config(a.Config); ok {
			r.Gate.Leave(ctx, config, place(after.ID, a.No))
		}
	}
}

// waitHint is what a caller is told to wait when every config that could serve
// it is unavailable for now.
const waitHint = 30 * time.Second
