package dynamo_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"easel/shared/dynamo"
	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/task"
	"easel/shared/usage"
)

// ended writes a task that ended, with its usage record.
func ended(t *testing.T, s *dynamo.Store, id, account string, at time.Time) task.Task {
	t.Helper()
	one := newTask(id)
	one.Account, one.CreatedAt, one.FinishedAt, one.Status = account, at, at.Add(time.Second), task.Expired
	record := usage.Of(one)
	must(t, s.Apply(t.Context(), journal.Change{Task: one, Usage: &record}))
	return one
}

func TestUsage(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	all, own := make([]string, 0, 60), make([]string, 0, 20)
	start := time.Date(2026, 9, 28, 0, 0, 0, 0, time.UTC) // over the ends of two months
	for i := range 60 {
		id, account := fmt.Sprintf("task_%02d", i), fmt.Sprintf("acct_%d", i%3)
		ended(t, store, id, account, start.Add(time.Duration(i)*14*time.Hour))
		all = append(all, id)
		if i%3 == 1 {
			own = append(own, id)
		}
	}
	slices.Reverse(all)
	slices.Reverse(own)
	id := func(r usage.Record) string { return r.ID }
	window := dynamo.UsageFilter{From: start, To: start.Add(60 * 14 * time.Hour)}
	for _, limit := range []int{1, 7, 60, 100} {
		got := pages(t, limit, func(cursor string, limit int) ([]usage.Record, string, error) {
			return store.Usage(t.Context(), window, cursor, limit)
		})
		wantIDs(t, got, id, all...)
		one := window
		one.Account = "acct_1"
		got = pages(t, limit, func(cursor string, limit int) ([]usage.Record, string, error) {
			return store.Usage(t.Context(), one, cursor, limit)
		})
		wantIDs(t, got, id, own...)
	}

	part := dynamo.UsageFilter{From: start.Add(14 * time.Hour), To: start.Add(4 * 14 * time.Hour)}
	got, _, err := store.Usage(t.Context(), part, "", 100)
	must(t, err)
	wantIDs(t, got, id, "task_03", "task_02", "task_01") // From is in, To is not
}

func TestUsageOfALateSuccessReplacesTheRecord(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	one := ended(t, store, "task_1", "acct_1", epoch())
	one.Status, one.FinishedAt, one.Charged, one.Version = task.Succeeded, epoch().AddDate(0, 1, 0), 10, 2
	record := usage.Of(one)
	must(t, store.Apply(t.Context(), journal.Change{Task: one, Usage: &record}))
	for _, account := range []string{"", "acct_1"} {
		got, next, err := store.Usage(t.Context(), dynamo.UsageFilter{Account: account, To: epoch().Add(time.Hour)}, "", 10)
		must(t, err)
		if len(got) != 1 || next != "" || got[0].Credits != 10 || got[0].Status != task.Succeeded {
			t.Errorf("got %+v and the cursor %q", got, next)
		}
	}
}

func TestUsageRefusesABadWindow(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	for _, filter := range []dynamo.UsageFilter{
		{From: epoch(), To: epoch()}, {From: epoch(), To: epoch().Add(-1)}, {From: epoch().AddDate(-2, 0, 0), To: epoch()},
	} {
		_, _, err := store.Usage(t.Context(), filter, "", 10)
		wantCode(t, err, fault.InvalidInput)
	}
	for _, account := range []string{"", "acct_1"} {
		_, _, err := store.Usage(t.Context(), dynamo.UsageFilter{Account: account}, "?", 10)
		wantCode(t, err, fault.InvalidInput)
	}
}

func TestUsageOfLongRecordsIsComplete(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	noise := make([]byte, 240<<10)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	detail := base64.StdEncoding.EncodeToString(noise)
	want := make([]string, 0, 40)
	for i := range 40 { // five to a shard, each over 240 KB: more than one answer holds
		one := newTask(fmt.Sprintf("task_%02d", i))
		one.CreatedAt = epoch().Add(time.Duration(-i) * time.Minute)
		record := usage.Of(one)
		record.Attempts = []task.Attempt{{No: 1, Detail: detail}}
		must(t, store.Apply(t.Context(), journal.Change{Task: one, Usage: &record}))
		want = append(want, one.ID)
	}
	for _, account := range []string{"", "acct_1"} {
		var got []string
		for cursor, more := "", true; more; more = cursor != "" {
			page, next, err := store.Usage(t.Context(), dynamo.UsageFilter{Account: account, To: epoch().Add(1)}, cursor, 30)
			must(t, err)
			for _, r := range page {
				got = append(got, r.ID)
			}
			cursor = next
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
