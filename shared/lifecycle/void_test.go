package lifecycle_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/lifecycle"
	"easel/shared/storetest"
	"easel/shared/task"
)

// newNamed returns an engine whose account has 10 credits, and an order for a task
// with an id of its caller's choice that costs 7.
func newNamed(t *testing.T) (*lifecycle.Engine, *storetest.Memory, lifecycle.Order) {
	t.Helper()
	store, n := &storetest.Memory{}, 0
	must(store.CreateAccount(t.Context(), credits.Account{ID: account}))
	must(store.Post(t.Context(), credits.ForGrant(account, "start", 10, "", "", time.Now())))
	engine := lifecycle.NewEngine(store, time.Now, func(prefix string) string { n++; return fmt.Sprint(prefix, n) })
	return engine, store, lifecycle.Order{
		ID: "task_named", Account: account, Request: generation.Request{Kind: generation.Image, Model: "auto"}, Quote: catalog.Quote{Credits: 7},
	}
}

func balance(t *testing.T, store *storetest.Memory) credits.Balance {
	t.Helper()
	a, err := store.Account(context.WithoutCancel(t.Context()), account)
	if err != nil {
		t.Fatal(err)
	}
	return a.Balance
}

func TestATaskWithANameBeginsOnce(t *testing.T) {
	t.Parallel()
	engine, store, o := newNamed(t)
	first, replayed, err := engine.Begin(t.Context(), o)
	if err != nil || replayed || first.ID != o.ID {
		t.Fatal(first, replayed, err)
	}
	o.Quote.Credits = 3 // even with another price
	again, replayed, err := engine.Begin(t.Context(), o)
	if err != nil || !replayed || again.Price != 7 {
		t.Fatalf("the second time: %+v, %v, %v", again, replayed, err)
	}
	if b := balance(t, store); b.Reserved != 7 || b.Available != 3 {
		t.Errorf("the balance is %+v", b)
	}
}

func TestAVoidTaskNeverBegins(t *testing.T) {
	t.Parallel()
	engine, store, o := newNamed(t)
	reason := task.Error{Code: fault.DeadlineExceeded, Message: "too late"}
	void, voided, err := engine.Void(t.Context(), o, task.Expired, reason)
	if err != nil || !voided || void.Status != task.Expired || *void.Error != reason {
		t.Fatal(void, voided, err)
	}
	if again, voided, err := engine.Void(t.Context(), o, task.Canceled, reason); err != nil || voided || again.Status != task.Expired {
		t.Errorf("again: %+v, %v, %v", again, voided, err)
	}
	late, replayed, err := engine.Begin(t.Context(), o)
	if err != nil || !replayed || late.Status != task.Expired {
		t.Errorf("begun after it was voided: %+v, %v, %v", late, replayed, err)
	}
	if b := balance(t, store); b.Reserved != 0 || b.Available != 10 {
		t.Errorf("the balance is %+v", b)
	}
	if records := store.Records(); len(records) != 1 || records[0].Status != task.Expired {
		t.Errorf("the usage log has %+v", records)
	}
	if due, err := store.Due(t.Context(), time.Now().Add(48*time.Hour), 10); err != nil || len(due) != 0 {
		t.Errorf("due are %v, %v", due, err)
	}
}

func TestATaskThatHasBegunIsNotVoided(t *testing.T) {
	t.Parallel()
	engine, store, o := newNamed(t)
	if _, _, err := engine.Begin(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	begun, voided, err := engine.Void(t.Context(), o, task.Canceled, task.Error{})
	if err != nil || voided || begun.Status != task.Queued {
		t.Errorf("got %+v, %v, %v", begun, voided, err)
	}
	if b := balance(t, store); b.Reserved != 7 {
		t.Errorf("the balance is %+v", b)
	}
}
