package dynamo_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"easel/shared/dynamo"
	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/replycache"
	"easel/shared/task"
	"easel/shared/usage"
)

func TestRepliesAreRememberedUnderTheirHash(t *testing.T) {
	t.Parallel()
	counter := &dynamo.Counter{}
	store := newStore(t, dynamo.Options{Counter: counter})
	if _, err := store.Reply(t.Context(), "h"); !errors.Is(err, journal.ErrNotFound) {
		t.Fatalf("nothing is remembered: %v", err)
	}
	e := replycache.Entry{
		Account: "acc", Task: "task_1", Outputs: []generation.Asset{{Key: "out/1", Bytes: 3}}, Text: "words",
		Usage: generation.Usage{OutputTokens: 2}, ExpiresAt: time.Now().Add(time.Hour).UTC().Truncate(time.Second),
	}
	for _, step := range []struct {
		name  string
		do    func() error
		calls map[string]int
		units float64
	}{
		{"remember", func() error { return store.PutReply(t.Context(), "h", e) }, map[string]int{"PutItem": 1}, 1},
		{"look", func() error { _, err := store.Reply(t.Context(), "h"); return err }, map[string]int{"GetItem": 1}, 0.5},
	} {
		counter.Reset()
		must(t, step.do())
		if got := counter.Calls(); !maps.Equal(got, step.calls) || counter.Units() != step.units {
			t.Errorf("%s made the calls %v for %g units, want %v for %g", step.name, got, counter.Units(), step.calls, step.units)
		}
	}
	if got, err := store.Reply(t.Context(), "h"); err != nil || got.Task != e.Task || got.Text != e.Text || got.Outputs[0] != e.Outputs[0] ||
		got.Usage != e.Usage || !got.ExpiresAt.Equal(e.ExpiresAt) {
		t.Errorf("remembered is %+v, %v", got, err)
	}
	e.Task = "task_2"
	must(t, store.PutReply(t.Context(), "h", e))
	if got, err := store.Reply(t.Context(), "h"); err != nil || got.Task != "task_2" {
		t.Errorf("remembered is %+v, %v; want the newer one", got, err)
	}
	if err := store.PutReply(t.Context(), "", e); err == nil {
		t.Error("a reply without a hash is remembered")
	}
}

// TestATaskFromTheCacheCosts holds the units of a task that is answered from the
// cache in the write that begins it.
func TestATaskFromTheCacheCosts(t *testing.T) {
	t.Parallel()
	counter := &dynamo.Counter{}
	store := newStore(t, dynamo.Options{Counter: counter})
	answered := newTask("task_1")
	answered.Status, answered.DueAt, answered.FinishedAt = task.Succeeded, time.Time{}, epoch()
	answered.Price, answered.Reserved, answered.Caching = 0, 0, task.Caching{Key: "h", From: "task_0"}
	record := usage.Of(answered)
	if !record.Cached {
		t.Errorf("the record is %+v", record)
	}
	must(t, store.Apply(t.Context(), journal.Change{Task: answered, Usage: &record}))
	if got := counter.Calls(); !maps.Equal(got, map[string]int{"TransactWriteItems": 1}) || counter.Units() != 7 {
		t.Errorf("it made the calls %v for %g units, want 7", got, counter.Units())
	}
	if got, err := store.Task(t.Context(), "task_1"); err != nil || got.Caching != answered.Caching {
		t.Errorf("stored is %+v, %v", got, err)
	}
}
