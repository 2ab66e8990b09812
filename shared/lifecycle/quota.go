package lifecycle

import (
	"slices"
	"time"

	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/task"
)

// count brings what the task holds of its monthly limits to what its state takes,
// and returns the moves that do it. They are written with the task, so each is
// made exactly once. Only a task that begins is held to the limits: what a late
// success takes again was promised before.
func count(t *task.Task) []journal.QuotaMove {
	var moves []journal.QuotaMove
	t.Quotas = slices.Clone(t.Quotas)
	for i := range t.Quotas {
		q := &t.Quotas[i]
		takes := t.Takes(q.Unit)
		if takes == q.Held {
			continue
		}
		move := journal.QuotaMove{Account: t.Account, Month: q.Month, Counter: q.Counter, By: takes - q.Held}
		if t.Version == 1 {
			move.Limit = q.Limit
		}
		moves = append(moves, move)
		q.Held = takes
	}
	return moves
}

// overQuota is what a caller is told whose month is used up.
func overQuota(o *journal.OverQuota, t task.Task, now time.Time) error {
	of := "tasks of model " + t.Model
	for _, q := range t.Quotas {
		if q.Counter == o.Counter && q.Unit == task.QuotaCredits {
			of = "credits"
		}
	}
	e := fault.New(fault.QuotaExceeded, "the monthly limit of %d %s is used up: %d are counted, this needs %d more", o.Limit, of, o.Used, o.By).
		With("limit", o.Limit).With("used", o.Used).With("needed", o.By)
	if month, err := time.Parse("2006-01", o.Month); err == nil {
		resets := month.AddDate(0, 1, 0)
		e = e.With("resets_at", resets.Format(time.RFC3339))
		e.RetryAfter = resets.Sub(now)
	}
	return e
}
