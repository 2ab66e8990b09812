package workerjob_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"easel/functions/worker/workerjob"
	"easel/shared/generation"
	"easel/shared/intake"
	"easel/shared/intake/intaketest"
	"easel/shared/task"
)

func begin(t *testing.T, g *intaketest.Gateway) task.Task {
	t.Helper()
	checked, err := g.Desk.Check(t.Context(), intake.Ticket{Account: intaketest.Account, Request: generation.Request{Prompt: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	placed, err := g.Desk.Place(t.Context(), checked)
	if err != nil {
		t.Fatal(err)
	}
	return placed.Task
}

func TestHandleAdvancesATask(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	begun := begin(t, g)
	body, err := json.Marshal(task.Message{Task: begun.ID, Reason: "created"})
	if err != nil {
		t.Fatal(err)
	}
	w := workerjob.New(g.Runner, g.Log.Logger())
	for range 3 { // a message may come more than once
		if err := w.Handle(t.Context(), body); err != nil {
			t.Fatal(err)
		}
	}
	now, err := g.Store.Task(t.Context(), begun.ID)
	if err != nil || now.Status != task.Succeeded || len(g.Provider.Calls()) != 1 {
		t.Errorf("task = %+v, %v after %d calls", now, err, len(g.Provider.Calls()))
	}
}

func TestHandleDropsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	w := workerjob.New(g.Runner, g.Log.Logger())
	for _, body := range []string{"", "{", "[]", "{}", `{"task":7}`, `{"task":"task_unknown"}`} {
		if err := w.Handle(t.Context(), []byte(body)); err != nil {
			t.Errorf("Handle(%q) = %v, want nil", body, err)
		}
	}
}

// slow works on what it is given until the test says that it is done.
type slow struct {
	broken
	begun, done chan string
}

func (s *slow) Advance(_ context.Context, m task.Message) (task.Task, error) {
	s.begun <- m.Task
	<-s.done
	return task.Task{}, nil
}

func (s *slow) Round(_ context.Context, m task.Message) error {
	s.begun <- strings.Join(m.Tasks, " ")
	<-s.done
	return nil
}

func TestAProcessLooksAtATaskOnceAtATime(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	s := &slow{begun: make(chan string), done: make(chan string)}
	w := workerjob.New(s, g.Log.Logger())
	handle := func(body string) {
		if err := w.Handle(context.Background(), []byte(body)); err != nil {
			t.Error(err)
		}
	}
	var all sync.WaitGroup
	all.Go(func() { handle(`{"task":"a","reason":"poll"}`) })
	<-s.begun
	handle(`{"task":"a","reason":"sweep"}`) // returns at once
	all.Go(func() { handle(`{"task":"a","tasks":["a","b","c"],"config":"x","reason":"gather"}`) })
	if got := <-s.begun; got != "b c" {
		t.Errorf("a round is about %s, want the two that nobody looks at", got)
	}
	handle(`{"task":"b","tasks":["b","a"],"config":"x","reason":"poll"}`)
	all.Go(func() { handle(`{"task":"a","reason":"notice"}`) }) // says something new
	if got := <-s.begun; got != "a" {
		t.Errorf("a report is about %s", got)
	}
	for range 3 {
		s.done <- ""
	}
	all.Wait()
	go handle(`{"task":"a","reason":"poll"}`)
	if got := <-s.begun; got != "a" {
		t.Errorf("after that %s is looked at", got)
	}
	s.done <- ""
}

// broken fails at everything.
type broken struct {
	err   error
	limit int
}

func (b *broken) Advance(context.Context, task.Message) (task.Task, error) {
	return task.Task{}, b.err
}

func (b *broken) Round(context.Context, task.Message) error { return b.err }

func (b *broken) Sweep(_ context.Context, limit int) (int, error) {
	b.limit = limit
	return 0, b.err
}

func TestHandleGivesAnErrorBack(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	down := errors.New("down")
	w := workerjob.New(&broken{err: down}, g.Log.Logger())
	for _, body := range []string{`{"task":"task_1"}`, `{"task":"task_1","config":"cfg_1","tasks":["task_1","task_2"]}`} {
		if err := w.Handle(t.Context(), []byte(body)); !errors.Is(err, down) {
			t.Errorf("Handle(%s) = %v, want the runner's error", body, err)
		}
	}
}

func TestTickSendsAMessageForWhatIsDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := intaketest.New(t)
		begun := begin(t, g)
		g.Queue.Next() // the message is lost
		w := workerjob.New(g.Runner, g.Log.Logger())
		if err := w.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if m, ok := g.Queue.Next(); ok {
			t.Errorf("message %+v for a task that is not due yet", m)
		}
		<-time.After(time.Minute)
		if err := w.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if m, ok := g.Queue.Next(); !ok || m.Task != begun.ID {
			t.Errorf("message = %+v, %t; want one for the task", m, ok)
		}
	})
}

func TestTickIsBoundedAndTellsItsError(t *testing.T) {
	t.Parallel()
	g := intaketest.New(t)
	b := &broken{err: errors.New("down")}
	if err := workerjob.New(b, g.Log.Logger()).Tick(t.Context()); !errors.Is(err, b.err) || b.limit <= 0 || b.limit > 1000 {
		t.Errorf("Tick = %v with the limit %d", err, b.limit)
	}
}
