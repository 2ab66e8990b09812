package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"easel/shared/catalog"
	"easel/shared/failover"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/provider"
	"easel/shared/secret"
	"easel/shared/settings"
	"easel/shared/task"
)

// Views gives what the operator has configured, from a cache of a few seconds.
type Views interface {
	View(ctx context.Context) (catalog.View, error)
}

// Keys gives the providers' keys by their names in the secret store.
type Keys interface {
	Get(ctx context.Context, name string) (secret.Value, error)
}

// Keeper stores one produced file under a key; storing the same key again is
// harmless. An error that errors.Is ErrUnusable will not go away by itself.
type Keeper interface {
	Keep(ctx context.Context, key string, kind generation.Kind, f provider.File) (generation.Asset, error)
}

// ErrUnusable marks a Keeper's error about the file itself: too large, not of an
// allowed type, gone, or empty.
var ErrUnusable = errors.New("the file cannot be used")

// Queue carries messages to the worker: at least once, in any order.
type Queue interface {
	Send(ctx context.Context, m task.Message, delay time.Duration) error
}

// Health knows which configs cool down, and learns from every call.
type Health interface {
	failover.Readiness
	Report(config string, f *fault.Failure, now time.Time)
	// Sync tells the other processes what this one learned and learns from them,
	// where that is due. It costs nothing most of the time, and fails silently.
	Sync(ctx context.Context)
}

// Gate admits attempts to configs: within a config's limits, and one probe at a
// time to one that was down. The id names the attempt; a repeat takes no second
// place.
type Gate interface {
	// Enter reports whether the attempt may be made now. When it may not, Health
	// says from when on the config is ready. A place is held until Leave, or for hold.
	Enter(ctx context.Context, c failover.Candidate, id string, hold time.Duration) bool
	// Leave gives the attempt's place back; again is harmless.
	Leave(ctx context.Context, c settings.Config, id string)
}

// Latencies remembers how quickly configs deliver.
type Latencies interface {
	failover.Latencies
	Observe(config string, took time.Duration)
}

// Callers holds API keys and end users to the tasks that they may have open at once.
type Callers interface {
	// Begin takes the places of a new task; a repeat takes no second ones. It returns
	// a RateLimited error when all are taken, and takes none then. A place falls free
	// by itself after hold.
	Begin(ctx context.Context, p Places, taskID string, hold time.Duration) error
	// End gives the task's places back; again is harmless.
	End(ctx context.Context, p Places, taskID string)
}

// Places are whose open tasks a task is among, and how many they may have at
// once; 0 is no limit.
type Places struct {
	KeyID         string
	PerKey        int
	Account, User string
	PerUser       int
}

// Results remembers what tasks were answered with, where they ask for it;
// *replycache.Cache is the one. It never fails a task.
type Results interface {
	Keep(ctx context.Context, t task.Task)
}

// Reporter tells a caller's endpoint that its task has ended. The status is the
// endpoint's HTTP status, 0 without an answer.
type Reporter interface {
	Report(ctx context.Context, t task.Task) (status int, err error)
}

// Due finds the tasks that the sweep must look at, at most limit of them.
type Due interface {
	Due(ctx context.Context, now time.Time, limit int) ([]string, error)
}

// Parts are what a Runner works with. All are required but where it says so.
type Parts struct {
	Engine *Engine
	Store  Store
	Due    Due
	// Memory may be nil: then Recall finds nothing.
	Memory Memory
	// Many may be nil: then every due task has a message of its own.
	Many Many
	// Gather is how long before their time a sweep takes up look-ups, so that jobs
	// of one config that are looked up every few seconds come into one message; 0
	// takes up only what is due.
	Gather    time.Duration
	Views     Views
	Providers map[string]provider.Provider
	Keys      Keys
	Keeper    Keeper
	Queue     Queue
	Health    Health
	Reporter  Reporter
	// Gate and Callers may be nil: then nothing is limited.
	Gate    Gate
	Callers Callers
	// Results may be nil: then no answer is remembered.
	Results Results
	// Prepare completes a call for its config, such as for a proxy; nil does nothing.
	Prepare func(ctx context.Context, c *provider.Call, config settings.Config) error
	// CallbackURL is where a provider reports an attempt; nil or "" is nowhere.
	CallbackURL func(providerName, taskID, attemptID string) string
	// Latencies tells how quick configs are, for models that are routed by it, and
	// learns from every delivery; nil knows nothing.
	Latencies Latencies
	// Policy holds failover's constants.
	Policy failover.Policy
	Now    func() time.Time
	NewID  func(prefix string) string
	// Pause waits for d or until ctx ends, whose error it then returns; nil is a timer.
	Pause func(ctx context.Context, d time.Duration) error
	Log   *slog.Logger
}

// Runner drives tasks. It is safe for concurrent use, in one process or many.
type Runner struct{ Parts }

// NewRunner returns a runner of the parts.
func NewRunner(p Parts) *Runner { return &Runner{p} }

// serving is the reason of work done in a caller's own request, which leaves
// reports to the worker.
const serving = "serving"

// maxSteps bounds the work of one Advance.
const maxSteps = 64

// Advance makes all the progress with a task that is possible now: it submits,
// looks up, settles, expires or reports, and returns the task as it is then. It
// may be called at any time, by anybody, any number of times. An error means
// that the message should be delivered again.
func (r *Runner) Advance(ctx context.Context, m task.Message) (task.Task, error) {
	t, err := r.Store.Task(ctx, m.Task)
	if errors.Is(err, journal.ErrNotFound) {
		r.Log.WarnContext(ctx, "message for a task that does not exist", "task", m.Task, "reason", m.Reason)
		return t, nil
	}
	if err != nil {
		return t, fmt.Errorf("advance task %s: %w", m.Task, err)
	}
	return r.drive(ctx, t, errand{Message: m})
}

// errand is why a task is worked on, and who wants its text piece by piece.
type errand struct {
	task.Message
	emit func(text string) error
}

func (r *Runner) drive(ctx context.Context, t task.Task, m errand) (task.Task, error) {
	r.Health.Sync(ctx)
	defer r.Health.Sync(ctx)
	for range maxSteps {
		next, more, err := r.step(ctx, t, m)
		if errors.Is(err, ErrNothing) || errors.Is(err, journal.ErrStale) {
			next, err = r.Store.Task(ctx, t.ID)
			more = err == nil
		}
		if err != nil {
			return t, fmt.Errorf("advance task %s: %w", t.ID, err)
		}
		r.leave(ctx, t, next)
		t = next
		if !more {
			return t, nil
		}
		if err := ctx.Err(); err != nil {
			return t, fmt.Errorf("advance task %s: %w", t.ID, err)
		}
	}
	return t, nil
}

// step makes one move; more says that another may follow at once.
func (r *Runner) step(ctx context.Context, t task.Task, m errand) (next task.Task, more bool, err error) {
	now := r.Now()
	if due := t.Delivery.NextAt; t.Status.Terminal() && !due.IsZero() && !now.Before(due) && m.Reason != serving {
		next, err = r.report(ctx, t)
		return next, true, err
	}
	i, open := t.Open()
	switch {
	case open:
		return r.follow(ctx, t, t.Attempts[i], m.Message)
	case t.Status.Terminal():
		return t, false, nil
	case !now.Before(t.ExpiresAt):
		next, err = r.Engine.Expire(ctx, t)
		return next, true, err
	default:
		return r.next(ctx, t, m)
	}
}

// next asks failover what to do with a task that nobody works on.
func (r *Runner) next(ctx context.Context, t task.Task, m errand) (task.Task, bool, error) {
	view, err := r.Views.View(ctx)
	if err != nil {
		return t, false, fmt.Errorf("read the configuration: %w", err)
	}
	d := r.decide(t, view)
	switch d.Action {
	case failover.Try:
		return r.try(ctx, t, d.Candidate, view, m)
	case failover.Wait:
		return r.wait(ctx, t, d.At)
	default:
		if d.Capped {
			r.Log.WarnContext(ctx, "the price cap allows no further attempt", "task", t.ID, "attempts", len(t.Attempts), "cap_micro_usd", r.Policy.PriceCap)
		}
		next, err := r.Engine.Fail(ctx, t, reasonToFail(t, d.Class))
		return next, true, err
	}
}

func (r *Runner) decide(t task.Task, view catalog.View) failover.Decision {
	resolved, err := view.Models.Resolve(t.Kind, t.Model)
	if err != nil {
		return failover.Decision{Action: failover.Stop, Class: fault.ClassModelGone}
	}
	seed := t.ID
	if resolved.Routing.Sticky && t.User != "" {
		seed = t.Account + "/" + t.User
	}
	var latencies failover.Latencies
	if r.Latencies != nil {
		latencies = r.Latencies
	}
	return r.Policy.Next(failover.Situation{
		Candidates: failover.Route(resolved.Routing, failover.Candidates(resolved.Model, view.Configs), seed, latencies),
		Attempts:   t.Attempts, Now: r.Now(), Deadline: t.ExpiresAt, Health: r.Health,
		Spent: spent(t, resolved.Model), Units: unitsOf(t, resolved.Model),
	})
}

// reasonToFail is what the caller is told when no attempt can help any more.
func reasonToFail(t task.Task, class fault.Class) task.Error {
	switch class {
	case fault.ClassModerated:
		return task.Error{Code: fault.ContentRejected, Message: class.Public()}
	case fault.ClassInvalidInput:
		return task.Error{Code: fault.InvalidInput, Message: class.Public()}
	case fault.ClassStorage:
		return task.Error{Code: fault.Internal, Message: class.Public()}
	case "":
		return task.Error{Code: fault.Unavailable, Message: fmt.Sprintf("no active config can serve %s tasks of model %s now", t.Kind, t.Model)}
	default:
		return task.Error{Code: fault.ProviderFailed, Message: fmt.Sprintf("every provider failed (%d attempts); the last one: %s", len(t.Attempts), class.Public())}
	}
}

// shortWait is the longest wait for a retry that a process sits out by itself.
const shortWait = 3 * time.Second

// wait sits a short wait out and leaves a long one to the queue.
func (r *Runner) wait(ctx context.Context, t task.Task, at time.Time) (task.Task, bool, error) {
	delay := at.Sub(r.Now())
	if delay > shortWait || !hasTime(ctx, delay, r.Now()) {
		next, err := r.Engine.Park(ctx, t, at)
		if err != nil {
			return t, false, err
		}
		return next, false, r.Queue.Send(ctx, task.Message{Task: t.ID, Reason: "retry"}, delay)
	}
	if err := r.pause(ctx, delay); err != nil {
		return t, false, err
	}
	return t, true, nil
}

func (r *Runner) pause(ctx context.Context, d time.Duration) error {
	if r.Pause != nil {
		return r.Pause(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hasTime reports whether ctx lives at least d longer.
func hasTime(ctx context.Context, d time.Duration, now time.Time) bool {
	deadline, ok := ctx.Deadline()
	return !ok || deadline.Sub(now) >= d
}

// try starts an attempt in the store and makes it.
func (r *Runner) try(ctx context.Context, t task.Task, c failover.Candidate, view catalog.View, m errand) (task.Task, bool, error) {
	timeout := r.timeout(t, c)
	if !hasTime(ctx, timeout, r.Now()) {
		// This process would be stopped in the middle of the call: leave it to one
		// with more time.
		return t, false, r.Queue.Send(ctx, task.Message{Task: t.ID, Reason: "handover"}, 0)
	}
	if !r.enter(ctx, t, c) {
		return t, true, nil // decide again, without this config
	}
	next, err := r.Engine.Start(ctx, t, r.start(t, c))
	if err != nil {
		r.unenter(ctx, t, c)
		return t, false, err
	}
	return r.submit(ctx, next, c, view, m)
}

func (r *Runner) start(t task.Task, c failover.Candidate) Start {
	return Start{
		Owner: r.NewID("own_"), Timeout: r.timeout(t, c),
		Config: c.Config.ID, Provider: c.Config.Provider, Model: c.Model, Arm: c.Arm,
	}
}

// timeout is how long one call may take: the config's timeout, within the task's deadline.
func (r *Runner) timeout(t task.Task, c failover.Candidate) time.Duration {
	left := t.ExpiresAt.Sub(r.Now())
	if t.ExpiresAt.IsZero() {
		left = c.Config.Timeout()
	}
	return min(c.Config.Timeout(), left)
}
