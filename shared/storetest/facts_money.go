package storetest

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"easel/shared/credits"
	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/task"
)

func changeWhole(t *testing.T, s Store) {
	fund(t, s, 100)
	first := beginWith("task_1", "key", inAnHour())
	apply(t.Context(), t, s, first)
	wantTask(t, s, first.Task)
	wantBalance(t, s, credits.Balance{Granted: 100, Available: 90, Reserved: 10})
	wantLedger(t, s, "grant#first", "task_1#hold")

	done := later(first.Task, task.Succeeded)
	settle := credits.ForSettle(account, done.ID, 10, 7, epoch().Add(time.Minute))
	apply(t.Context(), t, s, journal.Change{Task: done, Entry: &settle, Usage: recordOf(done, 7)})
	wantTask(t, s, done)
	wantBalance(t, s, credits.Balance{Granted: 100, Available: 93, Spent: 7})
	wantLedger(t, s, "grant#first", "task_1#hold", "task_1#settle")
	page, _, err := s.Ledger(t.Context(), account, "", 1)
	must(t, err)
	if a, b := asJSON(t, page), asJSON(t, []credits.Entry{settle}); a != b {
		t.Fatalf("got the ledger\n%s\nwant\n%s", a, b)
	}
}

func staleChange(t *testing.T, s Store) {
	fund(t, s, 100)
	apply(t.Context(), t, s, begin("task_1"))
	again := beginWith("task_1", "key", inAnHour())
	again.Entry.ID = "task_1#other"
	again.Usage = recordOf(again.Task, 10)
	wantError(t, s.Apply(t.Context(), again), journal.ErrStale)
	wantBalance(t, s, credits.Balance{Granted: 100, Available: 90, Reserved: 10})
	wantLedger(t, s, "grant#first", "task_1#hold")
	apply(t.Context(), t, s, beginWith("task_2", "key", inAnHour())) // the key was not remembered
}

func ledgerRepeat(t *testing.T, s Store) {
	fund(t, s, 100)
	first := begin("task_1")
	apply(t.Context(), t, s, first)
	next := later(first.Task, task.Processing)
	wantError(t, s.Apply(t.Context(), journal.Change{Task: next, Entry: first.Entry}), journal.ErrStale)
	wantTask(t, s, first.Task)
	wantBalance(t, s, credits.Balance{Granted: 100, Available: 90, Reserved: 10})
}

func poorChange(t *testing.T, s Store) {
	fund(t, s, 9)
	wantInsufficient(t, s.Apply(t.Context(), beginWith("task_1", "key", inAnHour())), 9, 10)
	wantNoTask(t, s, "task_1")
	wantDue(t, s, inAnHour(), 10)
	wantBalance(t, s, credits.Balance{Granted: 9, Available: 9})
	wantLedger(t, s, "grant#first")
	must(t, s.Post(t.Context(), credits.ForGrant(account, "second", 1, "", "test", epoch())))
	apply(t.Context(), t, s, beginWith("task_1", "key", inAnHour())) // the key was not remembered
	wantBalance(t, s, credits.Balance{Granted: 10, Reserved: 10})
}

func noAccount(t *testing.T, s Store) {
	wantInsufficient(t, s.Apply(t.Context(), begin("task_1")), 0, 10)
	wantNoTask(t, s, "task_1")
	wantLedger(t, s)
	_, err := s.Account(t.Context(), account)
	wantError(t, err, journal.ErrNotFound)
}

func overRelease(t *testing.T, s Store) {
	fund(t, s, 100)
	first := begin("task_1")
	apply(t.Context(), t, s, first)
	release := credits.ForRelease(account, "task_1", 11, epoch())
	change := journal.Change{Task: later(first.Task, task.Failed), Entry: &release}
	wantInsufficient(t, s.Apply(t.Context(), change), 90, 0)
	wantTask(t, s, first.Task)
	wantBalance(t, s, credits.Balance{Granted: 100, Available: 90, Reserved: 10})
}

func zeroEntry(t *testing.T, s Store) {
	free := journal.Change{Task: newTask("task_1")}
	hold := credits.ForHold(account, "task_1", 0, epoch())
	free.Entry = &hold
	apply(t.Context(), t, s, free)
	wantTask(t, s, free.Task)
	wantLedger(t, s, "task_1#hold")
	next := journal.Change{Task: later(free.Task, task.Processing), Entry: &hold}
	wantError(t, s.Apply(t.Context(), next), journal.ErrStale)
	wantTask(t, s, free.Task)
}

func unbalancedEntry(t *testing.T, s Store) {
	fund(t, s, 100)
	change := begin("task_1")
	change.Entry.Delta.Available++
	wantError(t, s.Apply(t.Context(), change), credits.ErrUnbalanced)
	wantNoTask(t, s, "task_1")
	wantError(t, s.Post(t.Context(), *change.Entry), credits.ErrUnbalanced)
	wantBalance(t, s, credits.Balance{Granted: 100, Available: 100})
	wantLedger(t, s, "grant#first")
}

func accountOnce(t *testing.T, s Store) {
	want := credits.Account{ID: account, Name: "Äcme", MonthlyQuota: 7, CreatedAt: epoch()}
	must(t, s.CreateAccount(t.Context(), want))
	got, err := s.Account(t.Context(), account)
	must(t, err)
	if asJSON(t, got) != asJSON(t, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	must(t, s.Post(t.Context(), credits.ForGrant(account, "1", 5, "", "test", epoch())))
	wantCode(t, s.CreateAccount(t.Context(), want), fault.Conflict)
	wantBalance(t, s, credits.Balance{Granted: 5, Available: 5})
	rich := credits.Account{ID: "acct_rich", Balance: credits.Balance{Granted: 1, Available: 1}, CreatedAt: epoch()}
	wantCode(t, s.CreateAccount(t.Context(), rich), fault.InvalidInput)
}

func grantOnce(t *testing.T, s Store) {
	fund(t, s, 0)
	grant := credits.ForGrant(account, "1", 50, "welcome", "admin", epoch())
	for _, err := range atOnce(8, func(i int) error {
		again := grant
		again.At = again.At.Add(time.Duration(i) * time.Second)
		return s.Post(t.Context(), again)
	}) {
		must(t, err)
	}
	must(t, s.Post(t.Context(), grant))
	wantBalance(t, s, credits.Balance{Granted: 50, Available: 50})
	wantLedger(t, s, "grant#1")
}

func grantConflict(t *testing.T, s Store) {
	fund(t, s, 50)
	wantCode(t, s.Post(t.Context(), credits.ForGrant(account, "first", 51, "", "test", epoch())), fault.Conflict)
	wantBalance(t, s, credits.Balance{Granted: 50, Available: 50})
	wantError(t, s.Post(t.Context(), credits.ForGrant("acct_nobody", "1", 1, "", "test", epoch())), journal.ErrNotFound)
}

func adjustBelow(t *testing.T, s Store) {
	fund(t, s, 50)
	apply(t.Context(), t, s, begin("task_1"))
	wantInsufficient(t, s.Post(t.Context(), credits.ForAdjust(account, "1", -41, "", "test", epoch())), 40, 41)
	wantLedger(t, s, "grant#first", "task_1#hold")
	take := credits.ForAdjust(account, "2", -40, "", "test", epoch())
	must(t, s.Post(t.Context(), take))
	must(t, s.Post(t.Context(), take)) // the repeat is no second taking
	wantBalance(t, s, credits.Balance{Granted: 10, Reserved: 10})
}

func ledgerPages(t *testing.T, s Store) {
	const n = 25
	fund(t, s, 0)
	for i := range n {
		at := epoch().Add(time.Duration(i%5) * time.Second) // some at the same moment
		must(t, s.Post(t.Context(), credits.ForGrant(account, name("g", i), 1, "", "test", at)))
	}
	seen, cursor := map[string]bool{}, ""
	var last *credits.Entry
	for pages := 1; ; pages++ {
		page, next, err := s.Ledger(t.Context(), account, cursor, 5)
		must(t, err)
		for _, e := range page {
			if seen[e.ID] || (last != nil && e.At.After(last.At)) {
				t.Fatalf("%s comes again or after %+v", e.ID, last)
			}
			seen[e.ID], last = true, &e
		}
		if next == "" {
			if len(seen) != n || pages != n/5 {
				t.Fatalf("got %d entries on %d pages, want %d on %d", len(seen), pages, n, n/5)
			}
			return
		}
		cursor = next
	}
}

func ledgerCursor(t *testing.T, s Store) {
	fund(t, s, 1)
	for _, cursor := range []string{"x", "not a cursor", "AAAA", "MjAyNg"} {
		_, _, err := s.Ledger(t.Context(), account, cursor, 5)
		wantCode(t, err, fault.InvalidInput)
	}
}

func concurrentHolds(t *testing.T, s Store) {
	const writers, price, granted = 24, 10, 105
	fund(t, s, granted)
	held := 0
	for _, err := range atOnce(writers, func(i int) error { return s.Apply(t.Context(), begin(name("task", i))) }) {
		if err == nil {
			held++
		} else if !errors.Is(err, credits.ErrInsufficient) {
			t.Fatal(err)
		}
	}
	if held != granted/price {
		t.Errorf("%d holds of %d fit into %d, want %d", held, price, granted, granted/price)
	}
	wantBalance(t, s, credits.Balance{Granted: granted, Available: granted % price, Reserved: granted / price * price})
}

// randomEntries posts entries whose parts are random but balance, and holds the
// store to credits.Balance.Apply after each.
func randomEntries(t *testing.T, s Store) {
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		of := name("acct_random", run)
		if err := s.CreateAccount(t.Context(), credits.Account{ID: of, CreatedAt: epoch()}); err != nil {
			r.Fatal(err)
		}
		var want credits.Balance
		for i := range rapid.IntRange(1, 8).Draw(r, "entries") {
			e := credits.Entry{ID: name("e", i), Account: of, Reason: credits.Adjust, Delta: randomDelta(r), At: epoch()}
			next, refused := want.Apply(e)
			if err := s.Post(t.Context(), e); errors.Is(err, credits.ErrInsufficient) != (refused != nil) || (err != nil && refused == nil) {
				r.Fatalf("%+v on %+v: got error %v, want %v", e.Delta, want, err, refused)
			}
			want = next
			got, err := s.Account(t.Context(), of)
			if err != nil {
				r.Fatal(err)
			}
			if got.Balance != want || want.Check() != nil {
				r.Fatalf("got the balance %+v, want %+v", got.Balance, want)
			}
		}
	})
}

func randomDelta(r *rapid.T) credits.Balance {
	part := rapid.Int64Range(-30, 50)
	d := credits.Balance{Available: part.Draw(r, "available"), Reserved: part.Draw(r, "reserved"), Spent: part.Draw(r, "spent")}
	d.Granted = d.Available + d.Reserved + d.Spent
	return d
}
