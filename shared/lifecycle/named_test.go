package lifecycle_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/generation"
	"easel/shared/lifecycle"
	"easel/shared/provider"
	"easel/shared/storetest"
	"easel/shared/task"
)

// TestAReportUnlearnsNothingOfAJob lets a report come in between, and after, the
// answer to a submit: what the answer says of the job stays.
func TestAReportUnlearnsNothingOfAJob(t *testing.T) {
	t.Parallel()
	store, ids := &storetest.Memory{}, 0
	e := lifecycle.NewEngine(store, time.Now, func(prefix string) string { ids++; return fmt.Sprint(prefix, ids) })
	must(store.CreateAccount(t.Context(), credits.Account{ID: account}))
	must(store.Post(t.Context(), credits.ForGrant(account, "start", granted, "", "", time.Now())))
	begin := func() (task.Task, string) {
		started, _, err := e.Begin(t.Context(), lifecycle.Order{
			Account: account, Request: generation.Request{Kind: generation.Image}, Quote: catalog.Quote{Credits: 1},
			First: &lifecycle.Start{Owner: "p", Timeout: time.Minute, Config: "c", Provider: "v"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return started, started.Attempts[0].ID
	}
	answer := provider.Answer{Job: provider.Job{ID: "j", Handle: map[string]string{"path": "/x"}}}

	stale, id := begin()
	accepted, err := e.Accept(t.Context(), stale, id, answer, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Named(t.Context(), stale, id, "other"); !errors.Is(err, lifecycle.ErrNothing) {
		t.Errorf("a report after the answer: %v", err)
	}
	if a := reread(t, store, accepted.ID).Attempts[0]; a.Job != "j" || a.Handle["path"] != "/x" {
		t.Errorf("attempt = %+v", a)
	}

	stale, id = begin()
	named, err := e.Named(t.Context(), stale, id, "j")
	if a := named.Attempts[0]; err != nil || a.Outcome != task.Accepted || a.Job != "j" || named.DueAt.After(time.Now()) {
		t.Errorf("a report before the answer: %+v, %v", named, err)
	}
	if _, err := e.Accept(t.Context(), stale, id, answer, time.Hour); err != nil {
		t.Fatal(err)
	}
	if a := reread(t, store, named.ID).Attempts[0]; a.Job != "j" || a.Handle["path"] != "/x" {
		t.Errorf("attempt = %+v", a)
	}
}

func reread(t *testing.T, store *storetest.Memory, id string) task.Task {
	t.Helper()
	stored, err := store.Task(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}
