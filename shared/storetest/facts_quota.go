package storetest

import (
	"errors"
	"testing"

	"easel/shared/journal"
	"easel/shared/task"
)

const (
	month   = "2026-11"
	counter = "tasks/auto"
)

// counted is a change that begins a task and takes by of a limit.
func counted(id string, by, limit int64) journal.Change {
	change := begin(id)
	change.Quotas = []journal.QuotaMove{{Account: account, Month: month, Counter: counter, By: by, Limit: limit}}
	return change
}

func wantUsed(t *testing.T, s Store, want int64) {
	t.Helper()
	used, err := s.QuotaUse(t.Context(), account, month, []string{"other", counter})
	must(t, err)
	if len(used) != 2 || used[0] != 0 || used[1] != want {
		t.Fatalf("got the counters %v, want 0 and %d", used, want)
	}
}

func wantOverQuota(t *testing.T, err error, used int64) {
	t.Helper()
	over, ok := errors.AsType[*journal.OverQuota](err)
	if !ok || over.Used != used || over.Counter != counter {
		t.Fatalf("got error %v, want *journal.OverQuota at %d", err, used)
	}
}

func quotaLimit(t *testing.T, s Store) {
	fund(t, s, 100)
	apply(t.Context(), t, s, counted("task_1", 3, 5), counted("task_2", 2, 5))
	wantOverQuota(t, s.Apply(t.Context(), counted("task_3", 1, 5)), 5)
	wantUsed(t, s, 5)
	other := counted("task_4", 1, 5)
	other.Quotas[0].Month = "2026-12"
	apply(t.Context(), t, s, other) // a month of its own
	apply(t.Context(), t, s, counted("task_5", 1, 0))
	wantUsed(t, s, 6) // without a limit it only counts
}

func quotaRefused(t *testing.T, s Store) {
	fund(t, s, 100)
	wantOverQuota(t, s.Apply(t.Context(), counted("task_1", 6, 5)), 0)
	wantNoTask(t, s, "task_1")
	wantUsed(t, s, 0)
	wantLedger(t, s, "grant#first")
}

func quotaBack(t *testing.T, s Store) {
	fund(t, s, 100)
	began := counted("task_1", 1, 1)
	apply(t.Context(), t, s, began)
	back := journal.Change{Task: later(began.Task, task.Failed)}
	back.Quotas = []journal.QuotaMove{{Account: account, Month: month, Counter: counter, By: -1}}
	apply(t.Context(), t, s, back)
	wantError(t, s.Apply(t.Context(), back), journal.ErrStale)
	wantUsed(t, s, 0)
	apply(t.Context(), t, s, counted("task_2", 1, 1))
}

func quotaOrder(t *testing.T, s Store) {
	fund(t, s, 10)
	first := beginWith("task_1", "key", inAnHour())
	first.Quotas = counted("task_1", 1, 1).Quotas
	apply(t.Context(), t, s, first)
	wantOverQuota(t, s.Apply(t.Context(), counted("task_2", 1, 1)), 1)
	repeat := beginWith("task_3", "key", inAnHour())
	repeat.Quotas = first.Quotas
	wantDuplicate(t, s.Apply(t.Context(), repeat), *first.Idempotency)
	wantUsed(t, s, 1)
}

func quotaAtOnce(t *testing.T, s Store) {
	const callers, limit = 12, 5
	fund(t, s, 1000)
	admitted := int64(0)
	for _, err := range atOnce(callers, func(i int) error { return s.Apply(t.Context(), counted(name("task", i), 1, limit)) }) {
		if err == nil {
			admitted++
			continue
		}
		wantOverQuota(t, err, limit)
	}
	if admitted != limit {
		t.Errorf("admitted %d, want %d", admitted, limit)
	}
	wantUsed(t, s, limit)
}
