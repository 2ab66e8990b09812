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

// limited reports whether anybody counts the open tasks of the places.
func (p Places) limited() bool { return p.PerKey > 0 || p.PerUser > 0 }

func (o Order) places() Places {
	return Places{KeyID: o.KeyID, PerKey: o.KeyPlaces, Account: o.Account, User: o.User, PerUser: o.UserPlaces}
}

func placesOf(t task.Task) Places {
	return Places{KeyID: t.KeyID, PerKey: t.KeyPlaces, Account: t.Account, User: t.User, PerUser: t.UserPlaces}
}

// arrive takes a place among the open tasks of the caller's key, and of its user.
func (r *Runner) arrive(ctx context.Context, o Order) error {
	if r.Callers == nil || !o.places().limited() {
		return nil
	}
	hold := o.Deadline
	if hold == 0 {
		hold = o.Request.Kind.Deadline()
	}
	return r.Callers.Begin(ctx, o.places(), o.ID, hold+leaseMargin)
}

// depart gives those places back.
func (r *Runner) depart(ctx context.Context, p Places, taskID string) {
	if r.Callers != nil && p.limited() {
		r.Callers.End(ctx, p, taskID)
	}
}

// leave gives back what ended between two states of a task: the places of its
// attempts, and its own. What it came to is remembered where that is asked for.
func (r *Runner) leave(ctx context.Context, before, after task.Task) {
	if after.Status.Terminal() && !before.Status.Terminal() {
		r.depart(ctx, placesOf(after), after.ID)
	}
	if r.Results != nil && after.Status == task.Succeeded && before.Status != task.Succeeded {
		r.Results.Keep(ctx, after)
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
