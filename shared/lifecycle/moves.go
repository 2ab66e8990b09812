package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"time"

	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/task"
)

// ErrNothing is returned by a move that finds nothing to do: the fact it would
// write down is already there, or no longer matters. Read the task again.
var ErrNothing = errors.New("lifecycle: nothing to do")

// started returns the task with a new attempt that is about to be made.
func (e *Engine) started(t task.Task, s Start) task.Task {
	now := e.now()
	until := now.Add(s.Timeout + leaseMargin)
	t.Attempts = append(t.Attempts, task.Attempt{
		No: len(t.Attempts) + 1, ID: e.newID("att_"), Config: s.Config, Provider: s.Provider, Model: s.Model, Arm: s.Arm,
		Outcome: task.Started, StartedAt: now,
	})
	t.Status = task.Processing
	if t.StartedAt.IsZero() {
		t.StartedAt = now
	}
	t.Lease = task.Lease{Owner: s.Owner, Until: until}
	t.DueAt = until
	return t
}

// Start writes down that an attempt is about to be made, before it is made. The
// writer holds the task's lease until the call's timeout has passed. It returns
// journal.ErrStale when somebody else moved the task.
func (e *Engine) Start(ctx context.Context, t task.Task, s Start) (task.Task, error) {
	return e.apply(ctx, t, func(t task.Task, now time.Time) (task.Task, *credits.Entry, error) {
		if _, open := t.Open(); open || t.Status.Terminal() || t.Lease.Held(now) && t.Lease.Owner != s.Owner {
			return t, nil, ErrNothing
		}
		return e.started(t, s), nil, nil
	})
}

// attempt applies f to the open attempt with the id. The step does nothing when
// the attempt is not open any more: its outcome is known and never changes.
func attempt(id string, f func(t *task.Task, a *task.Attempt, now time.Time) *credits.Entry) step {
	return func(t task.Task, now time.Time) (task.Task, *credits.Entry, error) {
		i, ok := t.Attempt(id)
		if !ok || !t.Attempts[i].Outcome.Open() {
			return t, nil, ErrNothing
		}
		entry := f(&t, &t.Attempts[i], now)
		return t, entry, nil
	}
}

func ended(a *task.Attempt, outcome task.Outcome, now time.Time) {
	a.Outcome, a.EndedAt = outcome, now
	a.LatencyMS = now.Sub(a.StartedAt).Milliseconds()
}

func noteFailure(t *task.Task, a *task.Attempt, f *fault.Failure) {
	a.Class, a.Status, a.Detail = f.Class, f.Status, echoless(f, t.Request).Detail
	a.RequestID = cmp.Or(f.RequestID, a.RequestID)
	a.GatewayID = cmp.Or(f.GatewayID, a.GatewayID)
	a.Message = f.Message
	if a.Message == "" {
		a.Message = f.Class.Public()
	}
}

// Refused writes down that the provider did not take the attempt, or took it and
// failed. The task stays open for the next attempt, which may start at once.
func (e *Engine) Refused(ctx context.Context, t task.Task, id string, f *fault.Failure, used generation.Usage) (task.Task, error) {
	return e.retry(ctx, t, attempt(id, func(t *task.Task, a *task.Attempt, now time.Time) *credits.Entry {
		refuse(t, a, f, used, now)
		return nil
	}))
}

func refuse(t *task.Task, a *task.Attempt, f *fault.Failure, used generation.Usage, now time.Time) {
	outcome := task.Rejected
	if a.Outcome == task.Accepted {
		outcome = task.Broken
	}
	ended(a, outcome, now)
	noteFailure(t, a, f)
	a.Usage = used
	// What could not be stored was made all the same, and its caller does not pay.
	t.Loss = t.Loss || f.Class == fault.ClassStorage
	t.Lease, t.DueAt, t.Progress = task.Lease{}, now.Add(ResendAfter), 0
	settleEnded(t)
}

// settleEnded drops what an ended task kept watch for, once nothing is open.
func settleEnded(t *task.Task) {
	if _, open := t.Open(); !open && t.Status.Terminal() {
		t.LateUntil, t.DueAt, t.Lease = time.Time{}, time.Time{}, task.Lease{}
		scheduleReport(t)
	}
}

// Doubt writes down that nobody knows whether the provider took the attempt.
// The reservation stays; the sweep looks again at due.
func (e *Engine) Doubt(ctx context.Context, t task.Task, id string, f *fault.Failure, due time.Duration) (task.Task, error) {
	return e.retry(ctx, t, attempt(id, func(t *task.Task, a *task.Attempt, now time.Time) *credits.Entry {
		if a.Outcome == task.Accepted {
			return nil // the job is known: a failed look-up does not unlearn it
		}
		a.Outcome = task.Unknown
		noteFailure(t, a, f)
		t.Lease = task.Lease{}
		t.DueAt = capDue(*t, now.Add(due))
		return nil
	}))
}

// Accept writes down the job that the provider made of an attempt. It resolves
// an unknown outcome. The sweep looks at the job at due.
func (e *Engine) Accept(ctx context.Context, t task.Task, id string, a provider.Answer, due time.Duration) (task.Task, error) {
	return e.retry(ctx, t, attempt(id, func(t *task.Task, at *task.Attempt, now time.Time) *credits.Entry {
		if at.Outcome != task.Accepted {
			at.Class, at.Message, at.Detail = "", "", ""
		}
		at.Outcome = task.Accepted
		at.Job, at.Handle = a.Job.ID, a.Job.Handle
		at.RequestID = cmp.Or(a.RequestID, at.RequestID)
		at.GatewayID = cmp.Or(a.GatewayID, at.GatewayID)
		t.Lease = task.Lease{}
		t.Progress = max(t.Progress, a.Progress)
		t.DueAt = capDue(*t, now.Add(due))
		return nil
	}))
}

// Named writes down the job that the provider itself names, in a report, for an
// attempt whose submit has no answer yet. Once an answer was written down there
// is nothing to do: it knows more of the job than a report does.
func (e *Engine) Named(ctx context.Context, t task.Task, id, job string) (task.Task, error) {
	return e.retry(ctx, t, func(t task.Task, now time.Time) (task.Task, *credits.Entry, error) {
		i, ok := t.Attempt(id)
		if !ok || !t.Attempts[i].Outcome.Open() || t.Attempts[i].Outcome == task.Accepted {
			return t, nil, ErrNothing
		}
		a := &t.Attempts[i]
		a.Class, a.Message, a.Detail = "", "", ""
		a.Outcome, a.Job = task.Accepted, job
		t.Lease, t.DueAt = task.Lease{}, capDue(t, now)
		return t, nil, nil
	})
}

// Looked writes down a look-up that found the job still at work.
func (e *Engine) Looked(ctx context.Context, t task.Task, id string, progress float64, due time.Duration) (task.Task, error) {
	return e.apply(ctx, t, attempt(id, func(t *task.Task, a *task.Attempt, now time.Time) *credits.Entry {
		a.Polls++
		t.Progress = max(t.Progress, min(progress, 0.99))
		t.DueAt = capDue(*t, now.Add(due))
		return nil
	}))
}

// Postpone writes down that an open attempt is looked at later, although nobody
// has looked now.
func (e *Engine) Postpone(ctx context.Context, t task.Task, id string, due time.Duration) (task.Task, error) {
	return e.apply(ctx, t, attempt(id, func(t *task.Task, _ *task.Attempt, now time.Time) *credits.Entry {
		t.DueAt = capDue(*t, now.Add(due))
		return nil
	}))
}

// Park writes down that nothing can be done for an open task before at.
func (e *Engine) Park(ctx context.Context, t task.Task, at time.Time) (task.Task, error) {
	return e.apply(ctx, t, func(t task.Task, _ time.Time) (task.Task, *credits.Entry, error) {
		if t.Status.Terminal() {
			return t, nil, ErrNothing
		}
		t.Lease, t.DueAt = task.Lease{}, capDue(t, at)
		return t, nil, nil
	})
}

// capDue keeps a due time from passing the moment when the task must be ended or closed.
func capDue(t task.Task, due time.Time) time.Time {
	if end := lastMoment(t); due.After(end) {
		return end
	}
	return due
}

// lastMoment is until when an open attempt may still deliver: the deadline of an
// open task, the end of the grace period of one that has ended.
func lastMoment(t task.Task) time.Time {
	if t.Status.Terminal() {
		return t.LateUntil
	}
	return t.ExpiresAt
}

// Delivery is what a successful attempt produced.
type Delivery struct {
	Outputs []generation.Asset
	Text    string
	Usage   generation.Usage
	// RequestID and GatewayID are the provider's and an AI gateway's ids of the call.
	RequestID, GatewayID string
	// Charge overrides what the task pays, 0 to its price; nil charges by how many
	// of the images asked for were delivered.
	Charge *int64
}

// Finish ends a task with what its attempt delivered and settles its credits.
// A task that expired within the grace period is delivered late and paid from
// what the account has available; where that is not enough, and for a task that
// ended otherwise, the delivery is booked as the operator's loss.
func (e *Engine) Finish(ctx context.Context, t task.Task, id string, d Delivery) (task.Task, error) {
	next, err := e.retry(ctx, t, attempt(id, func(t *task.Task, a *task.Attempt, now time.Time) *credits.Entry {
		return deliver(t, a, d, now)
	}))
	if errors.Is(err, credits.ErrInsufficient) {
		return e.retry(ctx, t, attempt(id, func(t *task.Task, a *task.Attempt, now time.Time) *credits.Entry {
			lose(t, a, d, now)
			return nil
		}))
	}
	return next, err
}

func deliver(t *task.Task, a *task.Attempt, d Delivery, now time.Time) *credits.Entry {
	late := t.Status == task.Expired
	if t.Status.Terminal() && !late {
		lose(t, a, d, now)
		return nil
	}
	charge := catalog.Charge(t.Price, t.Request.Count(), len(d.Outputs))
	if t.Kind != generation.Image {
		charge = t.Price
	}
	if d.Charge != nil {
		charge = min(max(*d.Charge, 0), t.Price)
	}
	entry := credits.ForSettle(t.Account, t.ID, t.Reserved, charge, now)
	if late {
		entry = credits.ForLate(t.Account, t.ID, charge, now)
	}
	noteDelivery(t, a, d, now)
	t.Outputs, t.Text, t.Usage = d.Outputs, d.Text, d.Usage
	t.Charged, t.Reserved, t.Error = charge, 0, nil
	end(t, task.Succeeded, now)
	return &entry
}

// lose notes a delivery that nobody pays for.
func lose(t *task.Task, a *task.Attempt, d Delivery, now time.Time) {
	noteDelivery(t, a, d, now)
	t.Loss = true
	settleEnded(t)
}

func noteDelivery(t *task.Task, a *task.Attempt, d Delivery, now time.Time) {
	ended(a, task.Delivered, now)
	a.Class, a.Message, a.Detail = "", "", ""
	a.Usage = d.Usage
	a.RequestID = cmp.Or(d.RequestID, a.RequestID)
	a.GatewayID = cmp.Or(d.GatewayID, a.GatewayID)
	t.Lease = task.Lease{}
}

// end puts a task into a terminal status.
func end(t *task.Task, s task.Status, now time.Time) {
	t.Status, t.FinishedAt = s, now
	if s == task.Succeeded {
		t.Progress = 1
	}
	t.Lease, t.DueAt, t.LateUntil = task.Lease{}, time.Time{}, time.Time{}
	if _, open := t.Open(); open {
		t.LateUntil = now.Add(Grace)
		t.DueAt = now
	}
	if t.CallbackURL != "" {
		t.Delivery = t.Delivery.Again(now)
	}
	scheduleReport(t)
}

// scheduleReport makes the task due when its report to the caller is.
func scheduleReport(t *task.Task) {
	next := t.Delivery.NextAt
	if !next.IsZero() && (t.DueAt.IsZero() || next.Before(t.DueAt)) {
		t.DueAt = next
	}
}

// release ends a task without a result and gives its reservation back.
func release(t *task.Task, s task.Status, e task.Error, now time.Time) *credits.Entry {
	entry := credits.ForRelease(t.Account, t.ID, t.Reserved, now)
	t.Reserved = 0
	t.Error = &e
	end(t, s, now)
	return &entry
}

// Fail ends a task that no attempt can serve. A refusal for content is charged
// where the task's model says so; everything else is released.
func (e *Engine) Fail(ctx context.Context, t task.Task, reason task.Error) (task.Task, error) {
	return e.apply(ctx, t, func(t task.Task, now time.Time) (task.Task, *credits.Entry, error) {
		if _, open := t.Open(); open || t.Status.Terminal() {
			return t, nil, ErrNothing
		}
		if reason.Code == fault.ContentRejected && t.ChargeModerated {
			entry := credits.ForSettle(t.Account, t.ID, t.Reserved, t.Price, now)
			t.Charged, t.Reserved, t.Error = t.Price, 0, &reason
			end(&t, task.Failed, now)
			return t, &entry, nil
		}
		entry := release(&t, task.Failed, reason, now)
		return t, entry, nil
	})
}

// Cancel ends a task at its caller's wish and gives its reservation back. What a
// provider still delivers is the operator's loss. A task that has ended is a
// Conflict, except a canceled one, which is returned as it is.
func (e *Engine) Cancel(ctx context.Context, t task.Task) (task.Task, error) {
	next, err := e.retry(ctx, t, func(t task.Task, now time.Time) (task.Task, *credits.Entry, error) {
		if t.Status == task.Canceled {
			return t, nil, ErrNothing
		}
		if t.Status.Terminal() {
			return t, nil, fault.New(fault.Conflict, "the task has already %s", t.Status)
		}
		entry := release(&t, task.Canceled, task.Error{Code: "canceled", Message: "the caller canceled the task"}, now)
		return t, entry, nil
	})
	if errors.Is(err, ErrNothing) {
		return e.store.Task(ctx, t.ID)
	}
	return next, err
}

// Expire ends a task whose deadline has passed and gives its reservation back.
// While a provider may still deliver, the sweep watches it through the grace period.
func (e *Engine) Expire(ctx context.Context, t task.Task) (task.Task, error) {
	return e.apply(ctx, t, func(t task.Task, now time.Time) (task.Task, *credits.Entry, error) {
		if t.Status.Terminal() || now.Before(t.ExpiresAt) || t.Lease.Held(now) {
			return t, nil, ErrNothing
		}
		entry := release(&t, task.Expired, task.Error{
			Code: fault.DeadlineExceeded, Message: "the task was not finished by its deadline",
		}, now)
		return t, entry, nil
	})
}

// Abandon closes the open attempt of an ended task that nothing more is expected
// of. Work that the provider may have done is booked as the operator's loss.
func (e *Engine) Abandon(ctx context.Context, t task.Task, id string) (task.Task, error) {
	return e.apply(ctx, t, attempt(id, func(t *task.Task, a *task.Attempt, now time.Time) *credits.Entry {
		ended(a, task.Abandoned, now)
		t.Loss = true
		settleEnded(t)
		return nil
	}))
}
