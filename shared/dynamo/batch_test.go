package dynamo_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"easel/shared/batch"
	"easel/shared/catalog"
	"easel/shared/dynamo"
	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/storetest"
)

func TestBatches(t *testing.T) {
	t.Parallel()
	storetest.RunBatches(t, func(t *testing.T) storetest.Batches {
		t.Helper()
		return newStore(t, dynamo.Options{})
	})
}

// TestBatchCost holds the round trips and units that docs/data-model.md says of a
// batch of a thousand requests.
func TestBatchCost(t *testing.T) {
	t.Parallel()
	counter := &dynamo.Counter{}
	store := newStore(t, dynamo.Options{Counter: counter})
	now := time.Now()
	c := batch.Creation{
		Batch:  batch.Batch{ID: "batch_1", Account: "acct_1", Status: batch.Queued, CreatedAt: now, ExpiresAt: now.Add(batch.Deadline), DueAt: now, Version: 1},
		Memory: &journal.Idempotency{Account: "acct_1", Key: "key", Task: "batch_1", ExpiresAt: now.Add(time.Hour)},
	}
	for chunk := range 20 {
		c.Batch.Chunks, c.Chunks = append(c.Batch.Chunks, 50*chunk), append(c.Chunks, nil)
		for range 50 {
			c.Batch.Items = append(c.Batch.Items, batch.Item{Status: batch.ItemQueued})
			c.Chunks[chunk] = append(c.Chunks[chunk], batch.Request{
				Request: generation.Request{Kind: generation.Image, Model: "auto", Prompt: "a lighthouse at dusk"}, Quote: catalog.Quote{Credits: 10},
			})
		}
	}
	moved, ended := c.Batch, c.Batch
	moved.Version, moved.DueAt = 2, now.Add(time.Minute)
	ended.Version, ended.Status, ended.DueAt, ended.FinishedAt = 3, batch.Completed, time.Time{}, now
	for _, step := range []struct {
		name  string
		do    func(ctx context.Context) error
		calls map[string]int
		units float64
	}{
		{"create", func(ctx context.Context) error { return store.CreateBatch(ctx, c) }, map[string]int{"PutItem": 20, "TransactWriteItems": 1}, 168},
		{"read", func(ctx context.Context) error { _, err := store.Batch(ctx, "batch_1"); return err }, map[string]int{"GetItem": 1}, 1},
		{"chunk", func(ctx context.Context) error { _, err := store.BatchRequests(ctx, "batch_1", 7); return err }, map[string]int{"GetItem": 1}, 2},
		{"due", func(ctx context.Context) error { _, err := store.DueBatches(ctx, now, 10); return err }, map[string]int{"Query": 4}, 2},
		{"move", func(ctx context.Context) error { return store.PutBatch(ctx, batch.Change{Batch: moved}) }, map[string]int{"PutItem": 1}, 3},
		{"end", func(ctx context.Context) error { return store.PutBatch(ctx, batch.Change{Batch: ended, Closes: true}) }, map[string]int{"TransactWriteItems": 1}, 6},
		{"list", func(ctx context.Context) error {
			_, _, err := store.BatchesByAccount(ctx, "acct_1", "", 10)
			return err
		}, map[string]int{"Query": 1, "BatchGetItem": 1}, 1},
	} {
		counter.Reset()
		if err := step.do(t.Context()); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := counter.Calls(); !maps.Equal(got, step.calls) {
			t.Errorf("%s made %v, want %v", step.name, got, step.calls)
		}
		if got := counter.Units(); got != step.units {
			t.Errorf("%s cost %v units, want %v", step.name, got, step.units)
		}
	}
}
