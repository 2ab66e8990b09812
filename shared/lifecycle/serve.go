package lifecycle

import (
	"context"
	"errors"
	"time"

	"easel/shared/catalog"
	"easel/shared/failover"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/task"
)

// Serve begins a task and makes what progress it can within wait, in this
// process. Where that is not possible, or wait is 0, the worker does it. It
// returns the task as it is then; read it again to see it end.
func (r *Runner) Serve(ctx context.Context, o Order, wait time.Duration) (t task.Task, replayed bool, err error) {
	return r.begin(ctx, o, wait, nil)
}

// ServeStream is Serve for text that its caller reads as it comes: emit is called
// with each piece. It fails over before the first piece and never after it. An
// error of emit ends the stream and not the task, which is settled all the same.
func (r *Runner) ServeStream(ctx context.Context, o Order, emit func(text string) error) (t task.Task, replayed bool, err error) {
	var gone error
	return r.begin(ctx, o, o.Request.Kind.Deadline(), func(text string) error {
		if gone == nil {
			gone = emit(text)
		}
		return nil
	})
}

func (r *Runner) begin(ctx context.Context, o Order, wait time.Duration, emit func(string) error) (t task.Task, replayed bool, err error) {
	r.Health.Sync(ctx)
	view, err := r.Views.View(ctx)
	if err != nil {
		return t, false, err
	}
	if o.ID == "" {
		o.ID = r.NewID("task_")
	}
	if err := r.arrive(ctx, o); err != nil {
		return t, false, err
	}
	defer func() {
		// A task that began before under the same id has its places still.
		if err != nil || replayed && (t.ID != o.ID || t.Status.Terminal()) {
			r.depart(ctx, o.places(), o.ID)
		}
	}()
	d, inline, err := r.opening(ctx, o, view, wait)
	if err != nil {
		return t, false, err
	}
	if inline {
		start := r.start(task.Task{}, d.Candidate)
		o.First = &start
	}
	t, replayed, err = r.Engine.Begin(ctx, o)
	if inline && (err != nil || replayed) {
		r.unenter(ctx, task.Task{ID: o.ID}, d.Candidate)
	}
	if err != nil || replayed {
		return t, replayed, err
	}
	if !inline {
		r.announce(ctx, t)
		return t, false, nil
	}
	next, err := r.serve(ctx, t, d.Candidate, view, emit)
	if err != nil {
		// The task exists and holds its credits: the sweep goes on with it.
		r.Log.ErrorContext(ctx, "a task could not be carried on in its request", "task", t.ID, "error", err)
		return t, false, nil
	}
	return next, false, nil
}

// opening decides how a new task starts: with which config, and whether in the
// caller's own request. It refuses what nothing can serve before anything is
// reserved.
func (r *Runner) opening(ctx context.Context, o Order, view catalog.View, wait time.Duration) (failover.Decision, bool, error) {
	planned := task.Task{
		ID: o.ID, Kind: o.Request.Kind, Model: o.Request.Model, Account: o.Account, User: o.User, ExpiresAt: r.Now().Add(time.Hour),
		Request: o.Request,
	}
	for range view.Configs {
		d := r.decide(planned, view)
		if d.Action == failover.Stop {
			return d, false, r.nothingServes(o, view, d)
		}
		if d.Action != failover.Try || !r.fits(ctx, d.Candidate.Config.Provider, o.Request.Kind, d.Candidate.Config.Timeout(), wait) {
			return d, false, nil
		}
		if r.enter(ctx, planned, d.Candidate) {
			return d, true, nil
		}
	}
	if len(view.Configs) == 0 {
		return failover.Decision{}, false, r.nothingServes(o, view, failover.Decision{})
	}
	return failover.Decision{}, false, nil
}

// nothingServes says why no config can serve an order: there is none, all of them
// are down, or what is left costs too much.
func (r *Runner) nothingServes(o Order, view catalog.View, d failover.Decision) error {
	resolved, err := view.Models.Resolve(o.Request.Kind, o.Request.Model)
	if err != nil {
		return err
	}
	if len(failover.Candidates(resolved.Model, view.Configs)) == 0 {
		return fault.New(fault.Unavailable, "no active config serves %s with model %s", o.Request.Kind, o.Request.Model)
	}
	if d.Capped {
		return fault.New(fault.Unavailable, "no config that is ready serves this request with model %s within this deployment's price cap", o.Request.Model)
	}
	unavailable := fault.New(fault.Unavailable, "every config that serves %s with model %s is unavailable now", o.Request.Kind, o.Request.Model)
	unavailable.RetryAfter = waitHint
	return unavailable
}

// serve makes the first attempt of a task in its own request, and the next ones
// for as long as one can follow at once.
func (r *Runner) serve(ctx context.Context, t task.Task, c failover.Candidate, view catalog.View, emit func(string) error) (task.Task, error) {
	ctx, cancel := detach(ctx)
	defer cancel()
	m := errand{Message: task.Message{Task: t.ID, Reason: serving}, emit: emit}
	next, more, err := r.submit(ctx, t, c, view, m)
	if err == nil {
		r.leave(ctx, t, next)
	}
	r.Health.Sync(ctx)
	if err == nil && more && !next.Status.Terminal() {
		next, err = r.drive(ctx, next, m)
	}
	if err == nil && next.Status.Terminal() && !next.Delivery.NextAt.IsZero() {
		r.announce(ctx, next)
	}
	return next, err
}

// fits reports whether the first call can be made in this request: the wait and
// the request's own deadline must cover a synchronous call; a job's submit is quick.
func (r *Runner) fits(ctx context.Context, name string, kind generation.Kind, timeout, wait time.Duration) bool {
	if wait <= 0 || !hasTime(ctx, timeout, r.Now()) {
		return false
	}
	p, ok := r.Providers[name]
	return ok && (kind == generation.Text || p.Describe().Jobs || wait >= timeout)
}

// announce asks the worker to start a task. A message that cannot be sent is no
// error: the sweep finds the task.
func (r *Runner) announce(ctx context.Context, t task.Task) {
	if err := r.Queue.Send(ctx, task.Message{Task: t.ID, Reason: "created"}, 0); err != nil {
		r.Log.WarnContext(ctx, "the sweep will start a task: no message could be sent", "task", t.ID, "error", err)
	}
}

// Cancel ends a task at its caller's wish and asks the worker to stop the
// provider's job.
func (r *Runner) Cancel(ctx context.Context, t task.Task) (task.Task, error) {
	next, err := r.Engine.Cancel(ctx, t)
	if err != nil {
		return t, err
	}
	r.leave(ctx, t, next)
	if !next.DueAt.IsZero() {
		err := r.Queue.Send(ctx, task.Message{Task: t.ID, Reason: "canceled"}, 0)
		if err != nil && !errors.Is(err, context.Canceled) {
			r.Log.WarnContext(ctx, "the sweep will cancel the job: no message could be sent", "task", t.ID, "error", err)
		}
	}
	return next, nil
}
