package dynamo_test

import (
	"sync/atomic"
	"testing"

	"easel/shared/dynamo"
)

func TestOneOfManyEndsTheWaitForAWebhook(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	if there, err := store.Awaited(t.Context(), "att_1"); there || err != nil {
		t.Errorf("nothing is awaited: %v, %v", there, err)
	}
	for range 2 {
		if err := store.Await(t.Context(), "att_1", epoch()); err != nil {
			t.Fatal(err)
		}
	}
	var told atomic.Int64
	instances(8, func(int) {
		there, err := store.Awaited(t.Context(), "att_1")
		if err != nil {
			t.Error(err)
		}
		if there {
			told.Add(1)
		}
	})
	if told.Load() != 1 {
		t.Errorf("%d were told that it was awaited, want 1", told.Load())
	}
}
