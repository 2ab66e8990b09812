package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/provider"
	"easel/shared/secret"
	"easel/shared/task"
)

const (
	// maxRound is how many jobs one message looks up at most.
	maxRound = 25
	// roundTime is what a worker must have left to look up one more job of a round,
	// or to copy one more result.
	roundTime = lookTimeout + 10*time.Second
	// maxStumbles is how many look-ups in a row a provider may fail before the
	// rest of a round waits.
	maxStumbles = 2
	// maxCopies is how many results a round copies by itself. The others go on in
	// messages of their own, side by side.
	maxCopies = 4
	// punctual is how early a message may come: it carries a delay in whole
	// seconds, and clocks differ.
	punctual = time.Second
)

// inRounds reports whether a task is looked up together with others: it waits
// for a job, and for nothing else.
func inRounds(t task.Task) (config string, ok bool) {
	i, open := t.Open()
	if !open || t.Status.Terminal() || t.Attempts[i].Outcome != task.Accepted {
		return "", false
	}
	return t.Attempts[i].Config, true
}

// tooEarly reports whether a message that asks for a look-up comes before it is
// due: somebody has looked since it was sent, and sent a message of his own.
func tooEarly(t task.Task, m task.Message, now time.Time) bool {
	return (m.Reason == task.ReasonPoll || m.Reason == task.ReasonSweep) && t.DueAt.After(now.Add(punctual))
}

// Round looks up the jobs of one config that a message names, one after the
// other: with one reading of the configuration and one of the key, and one read
// of each task. When the provider says that it is asked too often, or does not
// answer, the rest of the round waits. What the jobs delivered is kept after the
// last look-up. An error means that the message should be delivered again; what
// was done by then is not done twice.
func (r *Runner) Round(ctx context.Context, m task.Message) error {
	r.Health.Sync(ctx)
	defer r.Health.Sync(ctx)
	view, err := r.Views.View(ctx)
	if err != nil {
		return fmt.Errorf("look up jobs of config %s: %w", m.Config, err)
	}
	g := &round{config: m.Config, queue: r.Queue, eager: m.Reason == task.ReasonGather}
	own := *r
	own.Keys, own.Queue = &onceKeys{next: r.Keys}, g
	g.Runner = &own
	if ready := r.Health.ReadyAt(m.Config, r.Now()); ready.After(r.Now()) {
		g.stumbles = maxStumbles - 1 // it is down: one look tells whether the others may
	}
	for n, id := range m.Tasks {
		if !hasTime(ctx, roundTime, r.Now()) {
			g.fail(r.Queue.Send(ctx, roundOf(m.Config, m.Tasks[n:], m.Reason), 0))
			break
		}
		g.fail(g.visit(ctx, id, view))
	}
	g.keepAll(ctx, view)
	g.fail(g.next(ctx))
	if g.failed != nil {
		return fmt.Errorf("look up jobs of config %s: %w", m.Config, g.failed)
	}
	return nil
}

// round is the work of one Round. Its Runner reads the key once and sends what
// asks for another look to the round.
type round struct {
	*Runner
	config string
	queue  Queue
	// eager looks at jobs before they are due, as early as their provider allows.
	eager bool
	// stumbles counts the failed look-ups in a row; when stopped, the rest waits,
	// for at least wait.
	stumbles int
	stopped  bool
	wait     time.Duration

	delivered []delivered
	// again are the tasks to look at with the next round, in later.
	again  []string
	later  time.Duration
	failed error
}

// delivered is a job's result that was not kept yet.
type delivered struct {
	task    task.Task
	attempt string
	answer  provider.Answer
}

func (g *round) fail(err error) { g.failed = errors.Join(g.failed, err) }

// Send keeps what asks for another look for the next round, and sends the rest.
func (g *round) Send(ctx context.Context, m task.Message, delay time.Duration) error {
	if m.Reason != task.ReasonPoll {
		return g.queue.Send(ctx, m, delay)
	}
	g.again, g.later = append(g.again, m.Task), max(g.later, delay)
	return nil
}

// visit looks one job up, or leaves its task to others.
func (g *round) visit(ctx context.Context, id string, view catalog.View) error {
	t, err := g.Store.Task(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("task %s: %w", id, err)
	}
	now := g.Now()
	config, ok := inRounds(t)
	switch {
	case !ok || config != g.config || !now.Before(t.ExpiresAt):
		if t.DueAt.IsZero() || t.DueAt.After(now) {
			return nil
		}
		return g.Queue.Send(ctx, task.Message{Task: id, Reason: task.ReasonSweep}, 0)
	case !g.mayLook(t, now):
		return nil // somebody else looked since, and will again
	}
	i, _ := t.Open()
	if g.stopped {
		return g.postpone(ctx, t, t.Attempts[i], view)
	}
	return g.ask(ctx, t, t.Attempts[i], view)
}

// mayLook reports whether it is time to look: the look-up is due, or an eager
// round comes no sooner after the task's last write than its provider allows.
func (g *round) mayLook(t task.Task, now time.Time) bool {
	if !t.DueAt.After(now.Add(punctual)) {
		return true
	}
	i, _ := t.Open()
	every := pollEvery
	if p, ok := g.Providers[t.Attempts[i].Provider]; ok {
		every = max(every, p.Describe().PollEvery)
	}
	return g.eager && now.Sub(t.UpdatedAt) >= every
}

// ask makes one look-up and writes down what came of it, but for a result, which
// waits until all were asked.
func (g *round) ask(ctx context.Context, t task.Task, a task.Attempt, view catalog.View) error {
	l, answer, err := g.pollOnce(ctx, t, a, view)
	g.learnLook(err)
	if err == nil && answer.State == provider.Succeeded {
		g.delivered = append(g.delivered, delivered{t, a.ID, answer})
		return nil
	}
	return g.moved(ctx, t, func() (task.Task, bool, error) { return g.heard(ctx, t, a, l, answer, err, view) })
}

// moved makes a move and hands a task on with which more can be done at once: that may take
// minutes, and the others do not wait for it.
func (g *round) moved(ctx context.Context, t task.Task, move func() (task.Task, bool, error)) error {
	next, more, err := move()
	if errors.Is(err, ErrNothing) || errors.Is(err, journal.ErrStale) {
		return nil // somebody else moved it, and carries it on
	}
	if err != nil {
		return fmt.Errorf("task %s: %w", t.ID, err)
	}
	g.leave(ctx, t, next)
	if more && (!next.Status.Terminal() || !next.DueAt.IsZero()) {
		return g.queue.Send(ctx, task.Message{Task: t.ID, Reason: "handover"}, 0)
	}
	return nil
}

// learnLook stops the round when its provider asks for it or is down.
func (g *round) learnLook(err error) {
	if err == nil {
		g.stumbles = 0
		return
	}
	f := fault.FailureOf(err)
	switch f.Class {
	case fault.ClassRateLimited, fault.ClassAuth, fault.ClassOutOfCredit:
		g.stopped = true
	case fault.ClassUnavailable, fault.ClassConnect, fault.ClassTimeout:
		g.stumbles++
		g.stopped = g.stumbles >= maxStumbles
	default: // about this job alone
	}
	g.wait = max(g.wait, f.RetryAfter)
}

// postpone plans the next look-up of a task that was not looked at.
func (g *round) postpone(ctx context.Context, t task.Task, a task.Attempt, view catalog.View) error {
	config, _ := view.Config(a.Config)
	delay := g.pollAfter(a.Provider, config.Data, g.wait, a.Polls+1)
	return g.moved(ctx, t, func() (task.Task, bool, error) {
		next, err := g.Engine.Postpone(ctx, t, a.ID, delay)
		if err == nil {
			g.wake(ctx, next, delay)
		}
		return next, false, err
	})
}

// keepAll keeps what the jobs delivered. What there is no time for is looked up
// again by somebody who has more: nobody's result waits for many others, and the
// next tick does not find them all due again.
func (g *round) keepAll(ctx context.Context, view catalog.View) {
	for n, d := range g.delivered {
		if n >= maxCopies || !hasTime(ctx, roundTime, g.Now()) {
			g.fail(g.queue.Send(ctx, task.Message{Task: d.task.ID, Reason: "handover"}, 0))
			continue
		}
		g.fail(g.moved(ctx, d.task, func() (task.Task, bool, error) {
			return g.settle(ctx, d.task, d.attempt, d.answer, view)
		}))
	}
}

// next asks for the next round, for when the last of its tasks is due.
func (g *round) next(ctx context.Context) error {
	if len(g.again) == 0 {
		return nil
	}
	return g.queue.Send(ctx, roundOf(g.config, g.again, task.ReasonPoll), g.later)
}

// roundOf is the message that asks for a look-up of some tasks' jobs at a config.
func roundOf(config string, ids []string, reason string) task.Message {
	if len(ids) == 1 && reason != task.ReasonGather {
		return task.Message{Task: ids[0], Reason: reason}
	}
	return task.Message{Task: ids[0], Reason: reason, Config: config, Tasks: ids}
}

// onceKeys reads each key once.
type onceKeys struct {
	next  Keys
	known map[string]secret.Value
}

// Get returns the key as it was when it was first asked for.
func (k *onceKeys) Get(ctx context.Context, name string) (secret.Value, error) {
	if v, ok := k.known[name]; ok {
		return v, nil
	}
	v, err := k.next.Get(ctx, name)
	if err != nil {
		return v, err
	}
	if k.known == nil {
		k.known = map[string]secret.Value{}
	}
	k.known[name] = v
	return v, nil
}
