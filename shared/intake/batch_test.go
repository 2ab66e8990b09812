package intake_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"easel/shared/batch"
	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/intake"
	"easel/shared/intake/intaketest"
	"easel/shared/lifecycle"
	"easel/shared/task"
)

// places counts who has a place among the open tasks of a key.
type places struct {
	mu   sync.Mutex
	held map[string]bool
}

func (p *places) Begin(_ context.Context, at lifecycle.Places, taskID string, _ time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.held[taskID] && len(p.held) >= at.PerKey {
		return fault.New(fault.RateLimited, "too many")
	}
	p.held[taskID] = true
	return nil
}

func (p *places) End(_ context.Context, _ lifecycle.Places, taskID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.held, taskID)
}

func TestARequestOfABatchIsOneTaskAndOnePlace(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	held := &places{held: map[string]bool{}}
	g.Runner.Callers = held
	placer := intake.BatchPlacer{Desk: g.Desk, Voider: g.Engine, Canceler: g.Runner}
	b := batch.Batch{ID: "batch_1", Account: intaketest.Account, KeyID: "key", KeyPlaces: 1}
	r := batch.Request{
		User: "ann", Request: generation.Request{Kind: generation.Image, Model: "painter", Prompt: "a fox"},
		Metadata: map[string]string{"a": "b"}, CallbackURL: "https://caller.example", Quote: catalog.Quote{Credits: 3},
	}
	place := func() task.Task {
		t.Helper()
		got, err := placer.Place(t.Context(), b, 4, r)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := place()
	if first.ID != batch.TaskID("batch_1", 4) || first.Status != task.Queued || first.Price != 3 || first.User != "ann" || first.Metadata["a"] != "b" || first.CallbackURL == "" {
		t.Errorf("the task is %+v", first)
	}
	if again := place(); again.ID != first.ID || len(held.held) != 1 {
		t.Errorf("the second time: %s, places %v", again.ID, held.held)
	}
	if _, err := placer.Place(t.Context(), b, 5, r); fault.CodeOf(err) != fault.RateLimited {
		t.Errorf("a second task of a key with one place: %v", err)
	}
	g.Work(t)
	if ended := place(); ended.Status != task.Succeeded || len(held.held) != 0 {
		t.Errorf("the repeat of one that has ended: %s, places %v", ended.Status, held.held)
	}
	void, voided, err := placer.Void(t.Context(), b, 5, r, task.Canceled, task.Error{Code: "canceled", Message: "m"})
	if err != nil || !voided || void.Account != intaketest.Account || void.Metadata["a"] != "b" {
		t.Errorf("voided is %+v, %v, %v", void, voided, err)
	}
	if late, err := placer.Place(t.Context(), b, 5, r); err != nil || late.Status != task.Canceled || len(held.held) != 0 {
		t.Errorf("placed after it was voided: %+v, %v, places %v", late, err, held.held)
	}
	if balance := g.Balance(t); balance.Spent != 3 || balance.Reserved != 0 {
		t.Errorf("the balance is %+v", balance)
	}
}
