package storetest_test

import (
	"errors"
	"testing"
	"time"

	"easel/shared/credits"
	"easel/shared/journal"
	"easel/shared/storetest"
	"easel/shared/task"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) storetest.Store { return &storetest.Memory{} })
}

func TestMemoryFailsBeforeOrAfterAWrite(t *testing.T) {
	t.Parallel()
	crash := errors.New("crash")
	at := ""
	store := &storetest.Memory{Fail: func(op string) error {
		if op == at {
			return crash
		}
		return nil
	}}
	change := journal.Change{Task: task.Task{ID: "task_1", Version: 1, CreatedAt: time.Unix(0, 0)}}

	at = "apply/before"
	if err := store.Apply(t.Context(), change); !errors.Is(err, crash) {
		t.Fatalf("got error %v", err)
	}
	if _, err := store.Task(t.Context(), "task_1"); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("a crash before the write wrote: %v", err)
	}
	at = "apply/after"
	if err := store.Apply(t.Context(), change); !errors.Is(err, crash) {
		t.Fatalf("got error %v", err)
	}
	if _, err := store.Task(t.Context(), "task_1"); err != nil {
		t.Errorf("a crash after the write did not write: %v", err)
	}
	at = "create/after"
	if err := store.CreateAccount(t.Context(), credits.Account{ID: "a"}); !errors.Is(err, crash) {
		t.Errorf("got error %v", err)
	}
}

func TestMemoryKeepsBatches(t *testing.T) {
	t.Parallel()
	storetest.RunBatches(t, func(*testing.T) storetest.Batches { return &storetest.Memory{} })
}
