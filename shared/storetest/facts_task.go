package storetest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"easel/shared/credits"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/task"
)

func fullTask() task.Task {
	seed, strength := int64(42), 0.5
	t := newTask("task_full")
	t.KeyID, t.User, t.RequestID = "key_1", "user#1", "req_1"
	t.Request.Seed, t.Request.Strength = &seed, &strength
	t.Request.Loras = []generation.Lora{{Path: "a/b", Scale: 0.75}}
	t.Request.Options = map[string]json.RawMessage{"guidance": json.RawMessage(`7.5`), "text": json.RawMessage(`"<ö>"`)}
	t.PriceLines = []task.PriceLine{{What: "image", Quantity: 1, Credits: 10}}
	t.Attempts = []task.Attempt{{
		No: 1, ID: "att_1", Config: "cfg_1", Provider: "openai", Model: "gpt-image-1", Outcome: task.Rejected,
		Class: fault.ClassRateLimited, Message: "busy", Detail: "429", Status: 429, Handle: map[string]string{"get": "https://example.com"},
		StartedAt: epoch(), EndedAt: epoch().Add(time.Millisecond), LatencyMS: 1,
	}}
	t.Outputs = []generation.Asset{{Key: "out/1.png", ContentType: "image/png", Bytes: 1, Width: 2, Height: 3, SHA256: "00"}}
	t.Error = &task.Error{Code: fault.ProviderFailed, Message: "no"}
	t.Metadata = map[string]string{"order": "7"}
	t.CallbackURL, t.Progress, t.Text = "https://example.com/hook", 0.25, "text"
	t.Lease = task.Lease{Owner: "worker", Until: epoch().Add(time.Minute)}
	t.LateUntil, t.Loss = epoch().Add(2*time.Hour), true
	return t
}

func taskRoundTrip(t *testing.T, s Store) {
	full := fullTask()
	apply(t.Context(), t, s, journal.Change{Task: full})
	wantTask(t, s, full)
}

func longTask(t *testing.T, s Store) {
	long := newTask("task_long")
	long.Request.Prompt = strings.Repeat("a lighthouse at dusk, ", 10_000)
	long.Text = "ends here"
	apply(t.Context(), t, s, journal.Change{Task: long})
	wantTask(t, s, long)
}

func taskMissing(t *testing.T, s Store) { wantNoTask(t, s, "task_nobody") }

func taskCopied(t *testing.T, s Store) {
	written, kept := fullTask(), fullTask()
	apply(t.Context(), t, s, journal.Change{Task: written})
	written.Metadata["order"], written.Attempts[0].Message = "8", "changed"
	wantTask(t, s, kept)
	read, err := s.Task(t.Context(), kept.ID)
	must(t, err)
	read.Metadata["order"] = "9"
	wantTask(t, s, kept)
}

func versionsFence(t *testing.T, s Store) {
	first := newTask("task_1")
	second := later(first, task.Processing)
	third := later(second, task.Failed)
	wantError(t, s.Apply(t.Context(), journal.Change{Task: second}), journal.ErrStale)
	wantNoTask(t, s, first.ID)
	apply(t.Context(), t, s, journal.Change{Task: first})
	wantError(t, s.Apply(t.Context(), journal.Change{Task: first}), journal.ErrStale)
	wantError(t, s.Apply(t.Context(), journal.Change{Task: third}), journal.ErrStale)
	wantTask(t, s, first)
	apply(t.Context(), t, s, journal.Change{Task: second})
	wantError(t, s.Apply(t.Context(), journal.Change{Task: first}), journal.ErrStale)
	wantError(t, s.Apply(t.Context(), journal.Change{Task: second}), journal.ErrStale)
	wantTask(t, s, second)
	apply(t.Context(), t, s, journal.Change{Task: third})
	wantTask(t, s, third)
}

func oneWriterWins(t *testing.T, s Store) {
	const rounds, writers = 5, 8
	current := newTask("task_1")
	apply(t.Context(), t, s, journal.Change{Task: current})
	for range rounds {
		errs := atOnce(writers, func(i int) error {
			mine := later(current, task.Processing)
			mine.Lease.Owner = name("worker", i)
			return s.Apply(t.Context(), journal.Change{Task: mine})
		})
		winner := ""
		for i, err := range errs {
			if err == nil && winner != "" {
				t.Fatalf("both %s and %s wrote version %d", winner, name("worker", i), current.Version+1)
			}
			if err == nil {
				winner = name("worker", i)
			} else if !errors.Is(err, journal.ErrStale) {
				t.Fatal(err)
			}
		}
		stored, err := s.Task(t.Context(), current.ID)
		must(t, err)
		if winner == "" || stored.Lease.Owner != winner || stored.Version != current.Version+1 {
			t.Fatalf("stored are version %d and owner %q, want version %d and owner %q",
				stored.Version, stored.Lease.Owner, current.Version+1, winner)
		}
		current = stored
	}
}

func dueOrder(t *testing.T, s Store) {
	const n = 40
	var ids []string
	for i := range n {
		one := newTask(name("task", i))
		one.DueAt = epoch().Add(time.Duration(n-i) * time.Microsecond)
		apply(t.Context(), t, s, journal.Change{Task: one})
		ids = append([]string{one.ID}, ids...)
	}
	asked := append(make([]string, 0, 143), ids[3], "task_unknown", ids[0])
	for i := range 140 { // more than one request can name
		other := newTask(name("other", i))
		other.DueAt = time.Time{}
		apply(t.Context(), t, s, journal.Change{Task: other})
		asked = append(asked, other.ID)
	}
	found, err := s.TasksByID(t.Context(), asked)
	if err != nil || len(found) != 142 || found[0].ID != ids[3] || found[1].ID != ids[0] || found[141].ID != asked[142] || found[0].Model == "" {
		t.Fatalf("TasksByID found %d, %v", len(found), err)
	}
	all := epoch().Add(n * time.Microsecond)
	wantDue(t, s, all, 100, ids...)
	wantDue(t, s, all, 7, ids[:7]...)
	wantDue(t, s, epoch().Add(3*time.Microsecond), 100, ids[:3]...)
	wantDue(t, s, epoch(), 100)
	wantDue(t, s, all.In(time.FixedZone("", 3600)), 1, ids[0])
}

func dueRemoval(t *testing.T, s Store) {
	first := newTask("task_1")
	apply(t.Context(), t, s, journal.Change{Task: first})
	wantDue(t, s, epoch(), 10, first.ID)
	second := later(first, task.Processing)
	second.DueAt = epoch().Add(time.Minute)
	apply(t.Context(), t, s, journal.Change{Task: second})
	wantDue(t, s, epoch(), 10)
	wantDue(t, s, epoch().Add(time.Minute), 10, first.ID)
	third := later(second, task.Failed)
	third.DueAt = time.Time{}
	apply(t.Context(), t, s, journal.Change{Task: third})
	wantDue(t, s, epoch().Add(time.Hour), 10)
}

func usageReplaced(t *testing.T, s Store) {
	first := newTask("task_1")
	first.Status = task.Expired
	late := later(first, task.Succeeded)
	late.FinishedAt = epoch().Add(time.Hour)
	apply(t.Context(), t, s,
		journal.Change{Task: first, Usage: recordOf(first, 0)},
		journal.Change{Task: late, Usage: recordOf(late, 10)})
	wantTask(t, s, late)
}

func duplicateKey(t *testing.T, s Store) {
	fund(t, s, 100)
	first := beginWith("task_1", "key#1", inAnHour())
	apply(t.Context(), t, s, first)
	wantDuplicate(t, s.Apply(t.Context(), beginWith("task_2", "key#1", inAnHour())), *first.Idempotency)
	wantRemembered(t, s, "key#1", "task_1")
	wantRemembered(t, s, "key#2", "")
	wantNoTask(t, s, "task_2")
	wantBalance(t, s, credits.Balance{Granted: 100, Available: 90, Reserved: 10})
	wantLedger(t, s, "grant#first", "task_1#hold")
	apply(t.Context(), t, s, beginWith("task_2", "key#2", inAnHour()))
}

func wantRemembered(t *testing.T, s Store, callerKey, taskID string) {
	t.Helper()
	memory, ok, err := s.Remembered(t.Context(), account, callerKey)
	if err != nil || ok != (taskID != "") || ok && (memory.Task != taskID || memory.Hash != "hash of "+taskID) {
		t.Fatalf("Remembered(%s) = %+v, %t, %v; want %q", callerKey, memory, ok, err, taskID)
	}
}

func expiredKey(t *testing.T, s Store) {
	fund(t, s, 100)
	apply(t.Context(), t, s, beginWith("task_1", "key", time.Now().Add(-time.Minute)))
	wantRemembered(t, s, "key", "")
	second := beginWith("task_2", "key", inAnHour())
	apply(t.Context(), t, s, second)
	wantDuplicate(t, s.Apply(t.Context(), beginWith("task_3", "key", inAnHour())), *second.Idempotency)
	wantBalance(t, s, credits.Balance{Granted: 100, Available: 80, Reserved: 20})
}

func keysApart(t *testing.T, s Store) {
	for i, of := range []string{"a", "a#b", "a:b"} {
		one := newTask(name("task", i))
		one.Account = of
		apply(t.Context(), t, s, journal.Change{Task: one, Idempotency: &journal.Idempotency{
			Account: of, Key: strings.TrimPrefix("a#b#c", of), Task: one.ID, ExpiresAt: inAnHour(),
		}})
	}
}

func duplicateFirst(t *testing.T, s Store) {
	fund(t, s, 10)
	first := beginWith("task_1", "key", inAnHour())
	apply(t.Context(), t, s, first)
	wantDuplicate(t, s.Apply(t.Context(), beginWith("task_2", "key", inAnHour())), *first.Idempotency)
	wantDuplicate(t, s.Apply(t.Context(), first), *first.Idempotency)
}
