package lifecycle

import (
	"context"
	"encoding/json"
	"time"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/provider"
	"easel/shared/task"
)

// follow moves a task on whose open attempt a provider may be working.
func (r *Runner) follow(ctx context.Context, t task.Task, a task.Attempt, m task.Message) (task.Task, bool, error) {
	if a.Outcome != task.Accepted && m.Attempt == a.ID && m.Job != "" {
		// The provider's own word says that it took the work, perhaps before its
		// answer to the submit has arrived.
		next, err := r.Engine.Named(ctx, t, a.ID, m.Job)
		return next, true, err
	}
	switch a.Outcome {
	case task.Started:
		if t.Lease.Held(r.Now()) {
			return t, false, nil // its maker is at work
		}
		next, err := r.Engine.Doubt(ctx, t, a.ID, &fault.Failure{
			Class: fault.ClassTimeout, Unknown: true,
			Detail: "the process that made the attempt ended before it wrote down what came of it",
		}, 0)
		return next, true, err
	default:
		if tooEarly(t, m, r.Now()) {
			return t, false, nil
		}
		if a.Outcome == task.Unknown {
			return r.resolve(ctx, t, a)
		}
		return r.look(ctx, t, a)
	}
}

// resolve learns from the provider's records what became of an unknown submit,
// or, when time is up, not at all. A webhook may tell at any moment.
func (r *Runner) resolve(ctx context.Context, t task.Task, a task.Attempt) (task.Task, bool, error) {
	view, err := r.Views.View(ctx)
	if err != nil {
		return t, false, err
	}
	l, err := r.line(ctx, t, a, view)
	if err == nil {
		if finder, ok := l.Provider.(provider.Finder); ok {
			job, found, err := r.find(ctx, finder, l.call)
			if err == nil && found {
				next, err := r.Engine.Accept(ctx, t, a.ID, provider.Answer{Job: job}, 0)
				return next, true, err
			}
		}
	}
	return r.stillOpen(ctx, t, a, 0, r.reconcileAfter(a.Provider, a.Polls+1))
}

func (r *Runner) find(ctx context.Context, f provider.Finder, call provider.Call) (provider.Job, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return f.Find(ctx, call)
}

// lookTimeout bounds one look-up or cancellation at a provider.
const lookTimeout = 20 * time.Second

// look asks the provider how a job is.
func (r *Runner) look(ctx context.Context, t task.Task, a task.Attempt) (task.Task, bool, error) {
	view, err := r.Views.View(ctx)
	if err != nil {
		return t, false, err
	}
	l, answer, err := r.pollOnce(ctx, t, a, view)
	return r.heard(ctx, t, a, l, answer, err, view)
}

func (r *Runner) pollOnce(ctx context.Context, t task.Task, a task.Attempt, view catalog.View) (line, provider.Answer, error) {
	l, err := r.line(ctx, t, a, view)
	if err != nil {
		return l, provider.Answer{}, err
	}
	answer, err := l.poll(ctx, a)
	return l, answer, err
}

// heard writes down what a look-up found, or that it failed.
func (r *Runner) heard(ctx context.Context, t task.Task, a task.Attempt, l line, answer provider.Answer, err error, view catalog.View) (task.Task, bool, error) {
	if err != nil {
		f := fault.FailureOf(err)
		r.Log.WarnContext(ctx, "a job could not be looked up", "task", t.ID, "attempt", a.ID, "config", a.Config, "class", f.Class,
			"detail", echoless(f, t.Request).Detail)
		return r.stillOpen(ctx, t, a, 0, r.pollAfter(a.Provider, l.call.Data, f.RetryAfter, a.Polls+1))
	}
	switch answer.State {
	case provider.Succeeded:
		return r.settle(ctx, t, a.ID, answer, view)
	case provider.Failed:
		f := *failureOf(answer)
		f.Unknown = false
		next, err := r.Engine.Refused(ctx, t, a.ID, &f, answer.Usage)
		if err == nil {
			r.learn(t, a.Config, a.Model, &f)
		}
		return next, true, err
	default:
		if t.Status.Terminal() || !r.Now().Before(t.ExpiresAt) {
			r.cancelJob(ctx, l, a)
		}
		return r.stillOpen(ctx, t, a, answer.Progress, r.pollAfter(a.Provider, l.call.Data, answer.PollAfter, a.Polls+1))
	}
}

func (l line) poll(ctx context.Context, a task.Attempt) (provider.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return l.Poll(ctx, l.call, job(a))
}

func job(a task.Attempt) provider.Job { return provider.Job{ID: a.Job, Handle: a.Handle} }

// cancelJob asks the provider to stop a job that nobody waits for any more. It
// is tried again with every later look-up.
func (r *Runner) cancelJob(ctx context.Context, l line, a task.Attempt) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	if err := l.Cancel(ctx, l.call, job(a)); err != nil {
		r.Log.WarnContext(ctx, "a job could not be canceled", "task", l.call.Task, "attempt", a.ID, "config", a.Config, "error", err)
	}
}

// stillOpen ends the patience with an attempt when its time is up, and plans the
// next look otherwise.
func (r *Runner) stillOpen(ctx context.Context, t task.Task, a task.Attempt, progress float64, delay time.Duration) (task.Task, bool, error) {
	now := r.Now()
	switch {
	case !t.Status.Terminal() && !now.Before(t.ExpiresAt):
		next, err := r.Engine.Expire(ctx, t)
		return next, true, err
	case t.Status.Terminal() && (!now.Before(t.LateUntil) || !r.canDeliver(a)):
		next, err := r.Engine.Abandon(ctx, t, a.ID)
		return next, true, err
	default:
		next, err := r.Engine.Looked(ctx, t, a.ID, progress, delay)
		if err != nil {
			return t, false, err
		}
		r.wake(ctx, next, delay)
		return next, false, nil
	}
}

// canDeliver reports whether anything can still come of an open attempt: a job
// can be looked up, and an unknown submit of a provider with jobs can be found.
func (r *Runner) canDeliver(a task.Attempt) bool {
	p, ok := r.Providers[a.Provider]
	return ok && p.Describe().Jobs
}

// pollEvery is the usual pace of look-ups where the provider names no slower one.
const pollEvery = 2 * time.Second

// pollAfter is how long to wait before the n-th look-up of a job, from 0: the
// provider's own wish, else its usual pace, slowing down. Where a webhook will
// report, the look-ups are only a net below it.
func (r *Runner) pollAfter(providerName string, data json.RawMessage, asked time.Duration, n int) time.Duration {
	every, top := pollEvery, 15*time.Second
	if p, ok := r.Providers[providerName]; ok {
		d := p.Describe()
		every = max(every, d.PollEvery)
		if notifies(p, data) && r.CallbackURL != nil && r.CallbackURL(providerName, "t", "a") != "" {
			every, top = 15*time.Second, 2*time.Minute
		}
	}
	delay := min(top, every+every/4*time.Duration(n))
	return max(delay, min(asked, 5*time.Minute))
}

// notifies reports whether the jobs of a config with this data report their end.
func notifies(p provider.Provider, data json.RawMessage) bool {
	if n, ok := p.(provider.Notifier); ok {
		return n.Notifies(data)
	}
	return p.Describe().Webhooks
}

// reconcileAfter is how long to wait before the n-th try to resolve an unknown submit.
func (r *Runner) reconcileAfter(_ string, n int) time.Duration {
	return min(5*time.Second<<min(n, 6), 2*time.Minute)
}
