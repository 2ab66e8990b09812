package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"easel/shared/credits"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/task"
	"easel/shared/usage"
)

// Run holds a store to what [Store] says. open returns a new, empty store; it is
// called once for each fact, and the facts run in parallel.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	for _, fact := range []struct {
		name  string
		check func(t *testing.T, s Store)
	}{
		{"a task comes back as it was written", taskRoundTrip},
		{"a long task comes back as it was written", longTask},
		{"a task that nobody wrote is not found", taskMissing},
		{"a writer keeps no hold on what it wrote", taskCopied},
		{"a version replaces only the one before", versionsFence},
		{"of two writers of one version exactly one wins", oneWriterWins},
		{"a change moves task, credits and memory together", changeWhole},
		{"a stale change leaves no trace", staleChange},
		{"an entry that is in the ledger makes a change stale", ledgerRepeat},
		{"a change without enough credits leaves no trace", poorChange},
		{"an account that does not exist has no credits", noAccount},
		{"a release of more than is reserved is refused", overRelease},
		{"a zero entry needs no account", zeroEntry},
		{"an entry that creates credits is refused", unbalancedEntry},
		{"an idempotency key finds its first task", duplicateKey},
		{"an expired idempotency key is free again", expiredKey},
		{"idempotency keys of two accounts do not meet", keysApart},
		{"a duplicate wins over an empty balance", duplicateFirst},
		{"a usage record is replaced with its task", usageReplaced},
		{"a counter admits up to its limit and no more", quotaLimit},
		{"a refused counter leaves no trace", quotaRefused},
		{"a counter goes down with its task, once", quotaBack},
		{"a used up limit wins over an empty balance, a used key over both", quotaOrder},
		{"concurrent tasks share a limit exactly", quotaAtOnce},
		{"due tasks come in order and within the limit", dueOrder},
		{"a task that needs nothing is not due", dueRemoval},
		{"an account begins empty and once", accountOnce},
		{"a grant counts once however often it is posted", grantOnce},
		{"another entry under a used id is refused", grantConflict},
		{"an entry cannot take what is not there", adjustBelow},
		{"the ledger pages from newest to oldest", ledgerPages},
		{"a cursor from elsewhere is refused", ledgerCursor},
		{"concurrent holds share a balance exactly", concurrentHolds},
		{"random entries keep the balance whole", randomEntries},
	} {
		t.Run(fact.name, func(t *testing.T) {
			t.Parallel()
			fact.check(t, open(t))
		})
	}
}

const account = "acct_1"

func epoch() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 123456789, time.UTC) }

// newTask is a small queued task at version 1.
func newTask(id string) task.Task {
	return task.Task{
		ID: id, Account: account, Kind: generation.Image, Model: "auto", Status: task.Queued, Price: 10, Reserved: 10,
		Request:   generation.Request{Kind: generation.Image, Model: "auto", Prompt: "a lighthouse at dusk"},
		CreatedAt: epoch(), UpdatedAt: epoch(), ExpiresAt: epoch().Add(time.Hour), DueAt: epoch(), Version: 1,
	}
}

// begin is the change that begins a task: 10 credits are held.
func begin(id string) journal.Change {
	hold := credits.ForHold(account, id, 10, epoch())
	return journal.Change{Task: newTask(id), Entry: &hold}
}

// beginWith is begin with an idempotency key.
func beginWith(id, key string, expires time.Time) journal.Change {
	change := begin(id)
	change.Idempotency = &journal.Idempotency{Account: account, Key: key, Hash: "hash of " + id, Task: id, ExpiresAt: expires}
	return change
}

// later is the task's next version with another status.
func later(t task.Task, status task.Status) task.Task {
	t = t.Clone()
	t.Status = status
	t.Version++
	return t
}

func inAnHour() time.Time { return time.Now().Add(time.Hour) }

// fund creates the account and grants it the credits.
func fund(t *testing.T, s Store, amount int64) {
	t.Helper()
	must(t, s.CreateAccount(t.Context(), credits.Account{ID: account, CreatedAt: epoch()}))
	if amount > 0 {
		must(t, s.Post(t.Context(), credits.ForGrant(account, "first", amount, "", "test", epoch())))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("got error %v, want %v", err, target)
	}
}

func wantCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != code {
		t.Fatalf("got error %v, want code %s", err, code)
	}
}

func wantInsufficient(t *testing.T, err error, available, needed int64) {
	t.Helper()
	wantError(t, err, credits.ErrInsufficient)
	var refusal *journal.Insufficient
	if !errors.As(err, &refusal) {
		t.Fatalf("got error %v, want *journal.Insufficient", err)
	}
	if want := (journal.Insufficient{Account: account, Available: available, Needed: needed}); *refusal != want {
		t.Fatalf("got %+v, want %+v", *refusal, want)
	}
}

func wantDuplicate(t *testing.T, err error, of journal.Idempotency) {
	t.Helper()
	var duplicate *journal.Duplicate
	if !errors.As(err, &duplicate) {
		t.Fatalf("got error %v, want *journal.Duplicate", err)
	}
	got := duplicate.Idempotency
	if !got.ExpiresAt.Equal(of.ExpiresAt) {
		t.Errorf("got the expiry %s, want %s", got.ExpiresAt, of.ExpiresAt)
	}
	got.ExpiresAt = of.ExpiresAt
	if got != of {
		t.Fatalf("got %+v, want %+v", got, of)
	}
}

func wantBalance(t *testing.T, s Store, want credits.Balance) {
	t.Helper()
	got, err := s.Account(t.Context(), account)
	must(t, err)
	if got.Balance != want {
		t.Fatalf("got the balance %+v, want %+v", got.Balance, want)
	}
}

func wantTask(t *testing.T, s Store, want task.Task) {
	t.Helper()
	got, err := s.Task(t.Context(), want.ID)
	must(t, err)
	if a, b := asJSON(t, got), asJSON(t, want); a != b {
		t.Fatalf("got the task\n%s\nwant\n%s", a, b)
	}
}

func wantNoTask(t *testing.T, s Store, id string) {
	t.Helper()
	_, err := s.Task(t.Context(), id)
	wantError(t, err, journal.ErrNotFound)
}

func wantLedger(t *testing.T, s Store, ids ...string) {
	t.Helper()
	entries, next, err := s.Ledger(t.Context(), account, "", 100)
	must(t, err)
	got := map[string]bool{}
	for _, e := range entries {
		got[e.ID] = true
	}
	if len(entries) != len(ids) || next != "" {
		t.Fatalf("got %d entries and the cursor %q, want %d and none: %+v", len(entries), next, len(ids), entries)
	}
	for _, id := range ids {
		if !got[id] {
			t.Errorf("no entry %s in %+v", id, entries)
		}
	}
}

func wantDue(t *testing.T, s Store, now time.Time, limit int, want ...string) {
	t.Helper()
	got, err := s.Due(t.Context(), now, limit)
	must(t, err)
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Fatalf("got %v due, want %v", got, want)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	doc, err := json.Marshal(v)
	must(t, err)
	return string(doc)
}

// atOnce runs op n times at once and returns the errors in order of start.
func atOnce(n int, op func(i int) error) []error {
	errs, start, done := make([]error, n), make(chan struct{}), make(chan int)
	for i := range n {
		go func() {
			<-start
			errs[i] = op(i)
			done <- i
		}()
	}
	close(start)
	for range n {
		<-done
	}
	return errs
}

func recordOf(t task.Task, credit int64) *usage.Record {
	r := usage.Of(t)
	r.Credits = credit
	return &r
}

func name(prefix string, i int) string { return fmt.Sprintf("%s_%03d", prefix, i) }

// apply writes the changes in order.
func apply(ctx context.Context, t *testing.T, s Store, changes ...journal.Change) {
	t.Helper()
	for _, change := range changes {
		must(t, s.Apply(ctx, change))
	}
}
