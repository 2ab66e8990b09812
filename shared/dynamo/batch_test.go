package dynamo_test

import (
	"testing"

	"easel/shared/dynamo"
	"easel/shared/storetest"
)

func TestBatches(t *testing.T) {
	t.Parallel()
	storetest.RunBatches(t, func(t *testing.T) storetest.Batches {
		t.Helper()
		return newStore(t, dynamo.Options{})
	})
}
