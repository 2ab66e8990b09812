package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"easel/shared/catalog"
	"easel/shared/failover"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/settings"
	"easel/shared/task"
)

// submit makes the open attempt of a task, which this process has just started,
// and writes down what came of it. It outlives its caller's cancellation,
// because a call that was sent may be paid for, but not its deadline.
func (r *Runner) submit(ctx context.Context, t task.Task, c failover.Candidate, view catalog.View, m errand) (task.Task, bool, error) {
	ctx, cancel := detach(ctx)
	defer cancel()
	i, _ := t.Open()
	id := t.Attempts[i].ID
	answer, err := r.send(ctx, t, t.Attempts[i], c, view, m)
	if err != nil {
		return r.notAccepted(ctx, t, id, c, fault.FailureOf(err), generation.Usage{})
	}
	switch answer.State {
	case provider.Succeeded:
		r.Health.Report(c.Config.ID, nil, r.Now())
		return r.settle(ctx, t, id, answer, view)
	case provider.Failed:
		return r.notAccepted(ctx, t, id, c, failureOf(answer), answer.Usage)
	default:
		r.Health.Report(c.Config.ID, nil, r.Now())
		next, err := r.accepted(ctx, t, id, answer, c)
		return next, false, err
	}
}

// send calls the provider once.
func (r *Runner) send(ctx context.Context, t task.Task, a task.Attempt, c failover.Candidate, view catalog.View, m errand) (provider.Answer, error) {
	l, err := r.line(ctx, t, a, view)
	if err != nil {
		return provider.Answer{}, err
	}
	l.call.Model, l.call.Endpoint = c.Model, c.Endpoint
	ctx, cancel := context.WithTimeout(ctx, r.timeout(t, c))
	defer cancel()
	if streamer, ok := l.Provider.(provider.Streamer); ok && m.emit != nil {
		return streamer.Stream(ctx, l.call, m.emit)
	}
	return l.Submit(ctx, l.call)
}

// line is an attempt's way to its provider.
type line struct {
	provider.Provider
	call provider.Call
}

// line builds what every call about an attempt needs. Its errors are failures
// that are not unknown: nothing was sent.
func (r *Runner) line(ctx context.Context, t task.Task, a task.Attempt, view catalog.View) (line, error) {
	p, ok := r.Providers[a.Provider]
	if !ok {
		return line{}, &fault.Failure{Class: fault.ClassUnsupported, Detail: "no provider named " + a.Provider}
	}
	config, ok := view.Config(a.Config)
	if !ok {
		return line{}, &fault.Failure{Class: fault.ClassAuth, Detail: "the config was deleted"}
	}
	call := provider.Call{
		BaseURL: config.BaseURL, Endpoint: config.Endpoint, Model: a.Model, Data: config.Data,
		Request: t.Request, Task: t.ID, Attempt: a.ID, StartedAt: a.StartedAt, ExpiresAt: t.ExpiresAt,
	}
	if config.SecretName != "" {
		key, err := r.Keys.Get(ctx, config.SecretName)
		if err != nil {
			return line{}, &fault.Failure{Class: fault.ClassAuth, Detail: "the config's key could not be read", Cause: err}
		}
		call.Key = key
	}
	if r.CallbackURL != nil && notifies(p, config.Data) {
		call.CallbackURL = r.CallbackURL(a.Provider, t.ID, a.ID)
	}
	if r.Prepare != nil {
		if err := r.Prepare(ctx, &call, config); err != nil {
			if f, ok := errors.AsType[*fault.Failure](err); ok {
				return line{}, f
			}
			return line{}, &fault.Failure{Class: fault.ClassAuth, Detail: "the call could not be prepared", Cause: err}
		}
	}
	return line{p, call}, nil
}

// notAccepted writes down a submit that failed: refused for sure, or unknown.
func (r *Runner) notAccepted(ctx context.Context, t task.Task, id string, c failover.Candidate, f *fault.Failure, used generation.Usage) (task.Task, bool, error) {
	r.learn(t, c.Config.ID, c.Model, f)
	if f.Unknown {
		next, err := r.Engine.Doubt(ctx, t, id, f, r.reconcileAfter(c.Config.Provider, 0))
		return next, false, err
	}
	next, err := r.Engine.Refused(ctx, t, id, f, used)
	return next, true, err
}

// learn tells health about a failure of a task's attempt at a config; one that
// concerns a single model cools that model only.
func (r *Runner) learn(t task.Task, config, model string, f *fault.Failure) {
	name := config
	if f.Class == fault.ClassModelGone {
		name = failover.Candidate{Config: settings.Config{ID: config}, Model: model}.Key()
	}
	r.Health.Report(name, echoless(f, t.Request), r.Now())
}

// accepted writes down the provider's job and asks the worker to look at it.
func (r *Runner) accepted(ctx context.Context, t task.Task, id string, answer provider.Answer, c failover.Candidate) (task.Task, error) {
	delay := r.pollAfter(c.Config.Provider, c.Config.Data, answer.PollAfter, 0)
	next, err := r.Engine.Accept(ctx, t, id, answer, delay)
	if err != nil {
		return t, err
	}
	r.wake(ctx, next, delay)
	return next, nil
}

// wake sends a message for a task that is due after delay, unless the next
// sweep comes soon enough.
func (r *Runner) wake(ctx context.Context, t task.Task, delay time.Duration) {
	if delay >= time.Minute {
		return
	}
	if err := r.Queue.Send(ctx, task.Message{Task: t.ID, Reason: task.ReasonPoll}, delay); err != nil {
		r.Log.WarnContext(ctx, "the sweep will poll: no message could be sent", "task", t.ID, "error", err)
	}
}

// settle keeps what a provider delivered and ends the task.
func (r *Runner) settle(ctx context.Context, t task.Task, id string, answer provider.Answer, view catalog.View) (task.Task, bool, error) {
	i, _ := t.Attempt(id)
	d := Delivery{Text: answer.Text, Usage: answer.Usage, RequestID: answer.RequestID, GatewayID: answer.GatewayID, Charge: chargeOf(t, answer.Usage)}
	if d.Usage.CostMicroUSD == 0 {
		d.Usage.CostMicroUSD = r.cost(t, t.Attempts[i], answer, view)
	}
	for n, file := range answer.Files {
		asset, err := r.keep(ctx, fmt.Sprintf("out/%s/%d-%d", t.ID, t.Attempts[i].No, n), t.Kind, file)
		if err != nil {
			return r.notKept(ctx, t, t.Attempts[i], d.Usage, err)
		}
		d.Outputs = append(d.Outputs, asset)
	}
	if len(d.Outputs) == 0 && t.Kind != generation.Text {
		f := &fault.Failure{Class: fault.ClassBadAnswer, Detail: "the provider said success and delivered no file"}
		next, err := r.Engine.Refused(ctx, t, id, f, d.Usage)
		return next, true, err
	}
	if r.Latencies != nil {
		r.Latencies.Observe(t.Attempts[i].Config, r.Now().Sub(t.Attempts[i].StartedAt))
	}
	next, err := r.Engine.Finish(ctx, t, id, d)
	return next, true, err
}

// chargeOf is the price of the tokens that a text really has, where the task is
// priced by tokens and the provider counts them; nil is the usual charge.
func chargeOf(t task.Task, used generation.Usage) *int64 {
	if len(t.PriceLines) != 1 || t.PriceLines[0].What != string(catalog.PerTokens) || used.OutputTokens <= 0 {
		return nil
	}
	charge := t.PriceLines[0].Credits * ((used.OutputTokens + 999) / 1000)
	return &charge
}

// cost is what the price book says a delivery cost, 0 when it does not know.
func (r *Runner) cost(t task.Task, a task.Attempt, answer provider.Answer, view catalog.View) int64 {
	m, err := view.Models.Resolve(t.Kind, t.Model)
	if err != nil {
		return 0
	}
	up, _ := m.Upstream(a.Provider)
	if t.Kind == generation.Image {
		return up.CostMicroUSD * int64(len(answer.Files))
	}
	return up.CostMicroUSD * unitsOf(t, m.Model)
}

// unitsOf is how many units of a provider's price a task asks for.
func unitsOf(t task.Task, m catalog.Model) int64 {
	switch {
	case t.Kind == generation.Image:
		return int64(t.Request.Count())
	case m.Price.Unit == catalog.PerSecond:
		return int64(max(t.Request.Duration, int(m.Price.DefaultSeconds), 1))
	default:
		return 1
	}
}

// BookCost is what the price book says that an attempt of a task costs when it
// delivers all that was asked for, in micro-USD; 0 is not known.
func BookCost(t task.Task, a task.Attempt, m catalog.Model) int64 {
	up, _ := m.Upstream(a.Provider)
	return up.CostMicroUSD * unitsOf(t, m)
}

// spent is what a task's attempts cost so far, in micro-USD. A job that was
// accepted and failed may have been paid for: where its provider does not say what
// it cost, it counts with the price book's price.
func spent(t task.Task, m catalog.Model) int64 {
	var sum int64
	for _, a := range t.Attempts {
		cost := a.Usage.CostMicroUSD
		if cost == 0 && a.Outcome == task.Broken {
			cost = BookCost(t, a, m)
		}
		sum += cost
	}
	return sum
}

const (
	keepTries = 3
	keepPause = 200 * time.Millisecond
)

// keep stores one file, trying again when the storage stumbles.
func (r *Runner) keep(ctx context.Context, key string, kind generation.Kind, f provider.File) (asset generation.Asset, err error) {
	for try := range keepTries {
		if asset, err = r.Keeper.Keep(ctx, key, kind, f); err == nil || errors.Is(err, ErrUnusable) {
			return asset, err
		}
		if r.pause(ctx, keepPause<<try) != nil {
			return asset, err
		}
	}
	return asset, err
}

// notKept decides about a delivery that could not be stored. A job's result can
// be fetched again while the provider keeps it; the result of a synchronous call
// is gone.
func (r *Runner) notKept(ctx context.Context, t task.Task, a task.Attempt, used generation.Usage, cause error) (task.Task, bool, error) {
	r.Log.ErrorContext(ctx, "a result could not be stored", "task", t.ID, "attempt", a.ID, "error", cause)
	f := &fault.Failure{Class: fault.ClassStorage, Detail: "the result could not be stored", Cause: cause}
	if errors.Is(cause, ErrUnusable) {
		f = &fault.Failure{Class: fault.ClassBadAnswer, Detail: "the provider delivered a file that cannot be used", Cause: cause}
	} else if a.Outcome == task.Accepted && r.Now().Before(lastMoment(t)) {
		next, err := r.Engine.Looked(ctx, t, a.ID, t.Progress, ResendAfter)
		return next, false, err
	}
	next, err := r.Engine.Refused(ctx, t, a.ID, f, used)
	return next, true, err
}

func failureOf(a provider.Answer) *fault.Failure {
	if a.Failure != nil {
		return a.Failure
	}
	return &fault.Failure{Class: fault.ClassJobFailed, Detail: "the provider gave no reason"}
}

// detach returns a context that keeps ctx's values and deadline but does not end
// when ctx is canceled.
func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	free := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(free, deadline)
	}
	return free, func() {}
}
