package dynamo_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"easel/shared/credits"
	"easel/shared/dynamo"
	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/storetest"
	"easel/shared/task"
)

// TestMemoryTellsTheSame gives random changes to this store and to the one in
// memory, which the engine's own tests rely on, and compares every verdict and
// everything that can be read afterwards.
func TestMemoryTellsTheSame(t *testing.T) {
	t.Parallel()
	real := newStore(t, dynamo.Options{})
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		pair := &pair{T: r, ctx: t, stores: []storetest.Store{real, &storetest.Memory{}}, run: run}
		pair.same("create", func(s storetest.Store) error {
			return s.CreateAccount(t.Context(), credits.Account{ID: pair.account(), CreatedAt: epoch()})
		})
		for i := range rapid.IntRange(1, 12).Draw(r, "steps") {
			if rapid.IntRange(0, 3).Draw(r, "kind") == 0 {
				grant := credits.ForAdjust(pair.account(), pair.small("entry"), rapid.Int64Range(-10, 30).Draw(r, "amount"), "", "", epoch())
				pair.same("post", func(s storetest.Store) error { return s.Post(t.Context(), grant) })
				continue
			}
			change := pair.change(i)
			pair.same("apply", func(s storetest.Store) error { return s.Apply(t.Context(), change) })
		}
		pair.compare()
	})
}

type pair struct {
	*rapid.T
	ctx    *testing.T
	stores []storetest.Store
	run    int
}

func (p *pair) account() string { return fmt.Sprintf("acct_%d", p.run) }

func (p *pair) small(what string) string {
	return rapid.SampledFrom([]string{"a", "b", "c"}).Draw(p.T, what)
}

func (p *pair) id(small string) string { return fmt.Sprintf("task_%d_%s", p.run, small) }

// change is a change that may be right or wrong in each of its parts.
func (p *pair) change(step int) journal.Change {
	of := newTask(p.id(p.small("task")))
	of.Account, of.Text = p.account(), fmt.Sprint("step ", step)
	of.Version = rapid.Int64Range(1, 3).Draw(p.T, "version")
	change := journal.Change{Task: of}
	if rapid.Bool().Draw(p.T, "has entry") {
		entry := rapid.SampledFrom([]credits.Entry{
			credits.ForHold(of.Account, of.ID, 10, epoch()), credits.ForSettle(of.Account, of.ID, 10, 7, epoch()),
			credits.ForRelease(of.Account, of.ID, 10, epoch()), credits.ForLate(of.Account, of.ID, 10, epoch()),
			credits.ForHold(of.Account, of.ID, 0, epoch()), credits.ForHold("acct_nobody", of.ID, 1, epoch()),
		}).Draw(p.T, "entry")
		change.Entry = &entry
	}
	if rapid.Bool().Draw(p.T, "has key") {
		expires := epoch().Add(-time.Hour)
		if rapid.Bool().Draw(p.T, "unexpired") {
			expires = time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		change.Idempotency = &journal.Idempotency{Account: of.Account, Key: p.small("key"), Task: of.ID, ExpiresAt: expires}
	}
	return change
}

// same runs the operation on both stores and compares what they say.
func (p *pair) same(what string, do func(storetest.Store) error) {
	verdicts := make([]string, 0, 2)
	for _, store := range p.stores {
		verdicts = append(verdicts, verdict(do(store)))
	}
	if verdicts[0] != verdicts[1] {
		p.Fatalf("%s: the store says %s, the one in memory %s", what, verdicts[0], verdicts[1])
	}
}

// verdict is what an error means to the engine.
func verdict(err error) string {
	var duplicate *journal.Duplicate
	var poor *journal.Insufficient
	var refused *fault.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &duplicate):
		return "duplicate of " + duplicate.Task
	case errors.As(err, &poor):
		return fmt.Sprintf("%+v", *poor)
	case errors.Is(err, journal.ErrStale):
		return "stale"
	case errors.Is(err, journal.ErrNotFound):
		return "not found"
	case errors.As(err, &refused):
		return string(refused.Code)
	}
	return err.Error()
}

// compare reads everything from both stores.
func (p *pair) compare() {
	read := make([]string, 0, 2)
	for _, store := range p.stores {
		account, err := store.Account(p.ctx.Context(), p.account())
		must(p.ctx, err)
		entries, _, err := store.Ledger(p.ctx.Context(), p.account(), "", 100)
		must(p.ctx, err)
		tasks := make([]task.Task, 0, 3)
		for _, small := range []string{"a", "b", "c"} {
			one, err := store.Task(p.ctx.Context(), p.id(small))
			if err != nil && !errors.Is(err, journal.ErrNotFound) {
				p.Fatal(err)
			}
			tasks = append(tasks, one)
		}
		doc, err := json.Marshal([]any{account, entries, tasks})
		must(p.ctx, err)
		read = append(read, string(doc))
		if err := account.Balance.Check(); err != nil {
			p.Fatal(err)
		}
	}
	if read[0] != read[1] {
		p.Fatalf("the store holds\n%s\nthe one in memory\n%s", read[0], read[1])
	}
}
