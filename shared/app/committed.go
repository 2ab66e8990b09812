package app

import (
	"cmp"
	"context"
	"slices"

	"easel/shared/credits"
	"easel/shared/emf"
	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/lifecycle"
	"easel/shared/task"
)

// store counts what the changes that next has applied mean, and has webhooks
// awaited that were promised. bookCost is what the price book says that an attempt
// costs, in micro-USD; 0 is not known.
func (m *Metrics) store(next lifecycle.Store, webhooks *awaited, bookCost func(context.Context, task.Task, task.Attempt) int64) lifecycle.Store { //nolint:ireturn // a decorator
	if m == nil {
		return next
	}
	return countedStore{next, m, webhooks, bookCost}
}

type countedStore struct {
	lifecycle.Store

	metrics  *Metrics
	webhooks *awaited
	bookCost func(context.Context, task.Task, task.Attempt) int64
}

// Apply applies the change and counts it when it was written.
func (s countedStore) Apply(ctx context.Context, c journal.Change) error {
	quicker := s.webhooks.quicker(ctx, c)
	s.webhooks.note(ctx, quicker)
	if err := s.Store.Apply(ctx, c); err != nil {
		return err
	}
	s.webhooks.remind(ctx, quicker)
	s.committed(ctx, c)
	return nil
}

// committed tells what is new in a change by what only the write of an event has:
// a task ends together with its entry in the ledger; an attempt ends at the very
// time of the write; and an attempt is written as started once, when it begins.
func (s countedStore) committed(ctx context.Context, c journal.Change) {
	t := c.Task
	if c.Entry != nil && c.Entry.Reason != credits.Hold {
		s.metrics.ended(t)
	}
	for i, a := range t.Attempts {
		if !a.Outcome.Open() && a.EndedAt.Equal(t.UpdatedAt) {
			s.attempted(ctx, t, a)
		}
		begins := i > 0 && i == len(t.Attempts)-1 && a.Outcome == task.Started && c.Entry == nil && !t.Status.Terminal()
		if begins && t.Attempts[i-1].Config != a.Config {
			s.metrics.count(env.MetricFailovers, nil)
		}
	}
}

// ended counts a task that has come to its end.
func (m *Metrics) ended(t task.Task) {
	kind := emf.Dimensions{env.DimensionKind: string(t.Kind)}
	m.count(env.MetricTasks, emf.Dimensions{env.DimensionOutcome: taskOutcome(t)})
	m.meter.Add(env.MetricTaskDuration, milliseconds(t.FinishedAt.Sub(t.CreatedAt)), kind)
	if t.Charged > 0 {
		m.meter.Add(env.MetricCredits, float64(t.Charged), kind)
	}
}

func taskOutcome(t task.Task) string {
	if t.Status == task.Failed && t.Error != nil && (t.Error.Code == fault.ContentRejected || t.Error.Code == fault.InvalidInput) {
		return env.OutcomeRefused
	}
	switch t.Status {
	case task.Succeeded:
		return env.OutcomeSucceeded
	case task.Canceled:
		return env.OutcomeCanceled
	case task.Expired:
		return env.OutcomeExpired
	default:
		return env.OutcomeFailed
	}
}

// attempted counts a call of a provider that has come to its end.
func (s countedStore) attempted(ctx context.Context, t task.Task, a task.Attempt) {
	m, class := s.metrics, attemptClass(t, a)
	provider := cmp.Or(a.Provider, "unknown")
	m.count(env.MetricAttempts, emf.Dimensions{env.DimensionProvider: provider, env.DimensionClass: string(class)})
	if isProviderFault(class) {
		m.count(env.MetricProviderFaults, nil)
	}
	if slices.Contains([]fault.Class{fault.ClassAuth, fault.ClassOutOfCredit, fault.ClassModelGone}, class) {
		m.count(env.MetricConfigFaults, nil)
		m.log.ErrorContext(ctx, "a config needs its operator", "config", a.Config, "class", class, "task", t.ID, "attempt", a.ID)
	}
	if cost := a.Usage.CostMicroUSD; cost > 0 {
		m.meter.Add(env.MetricProviderCost, float64(cost), emf.Dimensions{env.DimensionProvider: provider})
	}
	if t.Loss && (a.Outcome == task.Delivered || a.Outcome == task.Abandoned || a.Class == fault.ClassStorage) {
		cost := a.Usage.CostMicroUSD
		if cost == 0 { // nobody said what it cost
			cost = s.bookCost(ctx, t, a)
		}
		m.count(env.MetricLosses, nil)
		if cost > 0 {
			m.meter.Add(env.MetricLossCost, float64(cost), nil)
		}
		m.log.WarnContext(ctx, "a provider's work is paid by nobody", "task", t.ID, "attempt", a.ID, "config", a.Config,
			"outcome", a.Outcome, "cost_micro_usd", cost)
	}
}

// attemptClass is why an attempt ended as it did; [env.ClassNone] is well.
func attemptClass(t task.Task, a task.Attempt) fault.Class {
	switch {
	case a.Outcome == task.Delivered:
		return env.ClassNone
	case a.Class != "":
		return a.Class
	case t.Status == task.Canceled:
		return fault.ClassCanceled
	default: // abandoned: its provider never came to an end
		return fault.ClassTimeout
	}
}

// isProviderFault leaves out what the request itself or its caller led to.
func isProviderFault(c fault.Class) bool {
	switch c {
	case env.ClassNone, fault.ClassModerated, fault.ClassInvalidInput, fault.ClassUnsupported, fault.ClassCanceled:
		return false
	default:
		return true
	}
}
