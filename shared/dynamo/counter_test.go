package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"easel/shared/apikey"
	"easel/shared/credits"
	"easel/shared/dynamo"
	"easel/shared/journal"
	"easel/shared/settings"
	"easel/shared/task"
	"easel/shared/usage"
)

// TestCost holds the round trips and units of docs/data-model.md.
func TestCost(t *testing.T) {
	t.Parallel()
	counter := &dynamo.Counter{}
	store := newStore(t, dynamo.Options{Counter: counter})
	ctx := t.Context()
	fund(t, store, 1000)
	first := hold(newTask("task_1"))
	first.Idempotency = &journal.Idempotency{Account: "acct_1", Key: "key", Task: "task_1", ExpiresAt: time.Now().Add(time.Hour)}
	claimed := first.Task
	claimed.Version, claimed.Status, claimed.DueAt = 2, task.Processing, epoch().Add(time.Minute)
	renewed := claimed
	renewed.Version, renewed.Progress = 3, 0.5
	done := renewed
	done.Version, done.Status, done.DueAt, done.FinishedAt = 4, task.Succeeded, time.Time{}, epoch().Add(time.Minute)
	settle, record := credits.ForSettle("acct_1", "task_1", 10, 10, epoch()), usage.Of(done)

	for _, step := range []struct {
		name  string
		do    func(ctx context.Context) error
		calls map[string]int
		units float64
	}{
		{"begin", func(ctx context.Context) error { return store.Apply(ctx, first) }, map[string]int{"TransactWriteItems": 1}, 11},
		{"claim", func(ctx context.Context) error { return store.Apply(ctx, journal.Change{Task: claimed}) }, map[string]int{"PutItem": 1}, 4},
		{"renew", func(ctx context.Context) error { return store.Apply(ctx, journal.Change{Task: renewed}) }, map[string]int{"PutItem": 1}, 1},
		{"poll", func(ctx context.Context) error { _, err := store.Task(ctx, "task_1"); return err }, map[string]int{"GetItem": 1}, 1},
		{"remembered", func(ctx context.Context) error {
			memory, ok, err := store.Remembered(ctx, "acct_1", "key")
			if err == nil && (!ok || memory.Task != "task_1") {
				return fmt.Errorf("remembered %+v, %t", memory, ok)
			}
			return err
		}, map[string]int{"GetItem": 1}, 1},
		{"tasks to look up together", func(ctx context.Context) error {
			found, err := store.TasksByID(ctx, []string{"task_1"})
			if err == nil && (len(found) != 1 || found[0].ID != "task_1") {
				return fmt.Errorf("found %v", found)
			}
			return err
		}, map[string]int{"BatchGetItem": 1}, 0.5},
		{"due", func(ctx context.Context) error { _, err := store.Due(ctx, epoch(), 10); return err }, map[string]int{"Query": 8}, 4},
		{"settle", func(ctx context.Context) error {
			return store.Apply(ctx, journal.Change{Task: done, Entry: &settle, Usage: &record})
		}, map[string]int{"TransactWriteItems": 1}, 13},
		{"tasks", func(ctx context.Context) error {
			_, _, err := store.TasksByAccount(ctx, "acct_1", dynamo.TaskFilter{}, "", 10)
			return err
		}, map[string]int{"Query": 1, "BatchGetItem": 1}, 1},
		{"account", func(ctx context.Context) error { _, err := store.Account(ctx, "acct_1"); return err }, map[string]int{"GetItem": 1}, 1},
		{"ledger", func(ctx context.Context) error { _, _, err := store.Ledger(ctx, "acct_1", "", 10); return err }, map[string]int{"Query": 1}, 0.5},
		{"new key", func(ctx context.Context) error {
			return store.PutKey(ctx, apikey.Key{ID: "k", Account: "acct_1", CreatedAt: epoch()}, 0)
		}, map[string]int{"PutItem": 1}, 3},
		{"change key", func(ctx context.Context) error {
			return store.PutKey(ctx, apikey.Key{ID: "k", Account: "acct_1", CreatedAt: epoch(), RevokedAt: epoch()}, 1)
		}, map[string]int{"PutItem": 1}, 1},
		{"create account", func(ctx context.Context) error {
			return store.CreateAccount(ctx, credits.Account{ID: "acct_2", CreatedAt: epoch()})
		}, map[string]int{"PutItem": 1}, 3},
		{"grant", func(ctx context.Context) error {
			return store.Post(ctx, credits.ForGrant("acct_2", "1", 5, "", "", epoch()))
		}, map[string]int{"TransactWriteItems": 1}, 5},
		{"unknown key", func(ctx context.Context) error {
			if _, err := store.Key(ctx, "nobody"); !errors.Is(err, journal.ErrNotFound) {
				return fmt.Errorf("got %w, want ErrNotFound", err)
			}
			return nil
		}, map[string]int{"GetItem": 2}, 1.5},
		{"key", func(ctx context.Context) error { _, err := store.Key(ctx, "k"); return err }, map[string]int{"GetItem": 1}, 0.5},
		{"put config", func(ctx context.Context) error { return store.PutConfig(ctx, settings.Config{ID: "c"}, 0) }, map[string]int{"TransactWriteItems": 1}, 4},
		{"configs", func(ctx context.Context) error { _, err := store.Configs(ctx); return err }, map[string]int{"Query": 1}, 1},
		{"catalog version", func(ctx context.Context) error { _, err := store.CatalogVersion(ctx); return err }, map[string]int{"GetItem": 1}, 0.5},
		{"usage of one", func(ctx context.Context) error {
			_, _, err := store.Usage(ctx, dynamo.UsageFilter{Account: "acct_1", To: epoch().Add(1)}, "", 10)
			return err
		}, map[string]int{"Query": 1}, 0.5},
		{"usage of all", func(ctx context.Context) error {
			_, _, err := store.Usage(ctx, dynamo.UsageFilter{From: epoch(), To: epoch().Add(1)}, "", 10)
			return err
		}, map[string]int{"Query": 8}, 4},
	} {
		counter.Reset()
		must(t, step.do(ctx))
		if got := counter.Calls(); !maps.Equal(got, step.calls) {
			t.Errorf("%s made the calls %v, want %v", step.name, got, step.calls)
		}
		if got := counter.Units(); got != step.units {
			t.Errorf("%s took %g units, want %g", step.name, got, step.units)
		}
	}
}
