package lifecycle_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"easel/shared/credits"
	"easel/shared/task"
)

// histories is how many random histories a test runs: enough for every push,
// more where EASEL_CHAOS_HISTORIES says so.
func histories(t *testing.T, usual int) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("EASEL_CHAOS_HISTORIES")) //nolint:forbidigo // a knob of this test alone
	switch {
	case err == nil && n > 0:
		return n
	case raced:
		return usual / 10 // the histories run in one goroutine: the detector has little to find
	default:
		return usual
	}
}

// TestChaosHistories runs random interleavings of callers, workers, webhooks, sweeps,
// cancels, clock jumps and kills, and checks the invariants of money and state
// after every operation and once everything has come to rest.
func TestChaosHistories(t *testing.T) {
	t.Parallel()
	var totals struct{ histories, ops, kills, tasks int }
	statuses := map[task.Status]int{}
	for seed := range histories(t, 3000) {
		w := newWorld(uint64(seed))
		w.killing = 0.02
		seen := map[string]task.Task{}
		for range 60 {
			w.operate()
			w.check(t, seed, seen)
		}
		w.settle(t, seed, seen)
		totals.histories++
		totals.ops += w.ops
		totals.kills += w.kills
		totals.tasks += len(w.tasks)
		for _, id := range w.tasks {
			statuses[seen[id].Status]++
		}
	}
	t.Logf("%d histories, %d operations, %d kills, %d tasks ended %v", totals.histories, totals.ops, totals.kills, totals.tasks, statuses)
	for _, s := range []task.Status{task.Succeeded, task.Failed, task.Canceled, task.Expired} {
		if statuses[s] == 0 {
			t.Errorf("no task ended as %s: the histories do not reach every ending", s)
		}
	}
	if totals.kills == 0 {
		t.Error("no process was killed")
	}
}

// settle stops the chaos and lets the gateway come to rest, then checks what
// must be true of every task that has ended.
func (w *world) settle(t *testing.T, seed int, seen map[string]task.Task) {
	t.Helper()
	ctx := context.Background()
	w.killing = 0
	for range 200 {
		for _, v := range w.vendors {
			v.work()
		}
		w.now = w.now.Add(40 * time.Second)
		_, _ = w.runner.Sweep(ctx, 100)
		for len(w.queue) > 0 {
			w.deliverMessage(ctx)
		}
	}
	w.now = w.now.Add(48 * time.Hour)
	for range 40 {
		w.now = w.now.Add(10 * time.Hour)
		_, _ = w.runner.Sweep(ctx, 100)
		for len(w.queue) > 0 {
			w.deliverMessage(ctx)
		}
	}
	w.check(t, seed, seen)
	balance := w.balance(t)
	if balance.Reserved != 0 {
		t.Fatalf("seed %d: %d credits are still reserved when all is over", seed, balance.Reserved)
	}
	for _, id := range w.tasks {
		w.checkEnded(t, seed, seen[id])
	}
}

func (w *world) balance(t *testing.T) credits.Balance {
	t.Helper()
	a, err := w.store.Account(context.Background(), account)
	if err != nil {
		t.Fatal(err)
	}
	return a.Balance
}

// check verifies what must hold at every moment.
func (w *world) check(t *testing.T, seed int, seen map[string]task.Task) {
	t.Helper()
	if len(w.broken) > 0 {
		t.Fatalf("seed %d: %v", seed, w.broken)
	}
	balance := w.balance(t)
	if err := balance.Check(); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	var reserved, charged int64
	for _, id := range w.tasks {
		now, err := w.store.Task(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		checkTask(t, seed, seen[id], now)
		reserved, charged = reserved+now.Reserved, charged+now.Charged
		seen[id] = now
	}
	if reserved != balance.Reserved || charged != balance.Spent {
		t.Fatalf("seed %d: tasks hold %d and paid %d, the account says %+v", seed, reserved, charged, balance)
	}
}

// checkTask verifies one task, and its way from what it was.
func checkTask(t *testing.T, seed int, before, now task.Task) {
	t.Helper()
	if before.Status != "" && before.Status != now.Status && !before.Status.CanMove(now.Status) {
		t.Fatalf("seed %d: task %s went from %s to %s", seed, now.ID, before.Status, now.Status)
	}
	if before.Charged != 0 && now.Charged != before.Charged {
		t.Fatalf("seed %d: task %s was charged %d and then %d", seed, now.ID, before.Charged, now.Charged)
	}
	if now.Status.Terminal() && now.Reserved != 0 {
		t.Fatalf("seed %d: task %s is %s and still holds %d", seed, now.ID, now.Status, now.Reserved)
	}
	if !now.Status.Terminal() && now.Reserved != now.Price {
		t.Fatalf("seed %d: task %s is %s and holds %d of %d", seed, now.ID, now.Status, now.Reserved, now.Price)
	}
	open := 0
	for i, a := range now.Attempts {
		if a.Outcome.Open() {
			open++
		}
		if i < len(before.Attempts) && !before.Attempts[i].Outcome.Open() && before.Attempts[i].Outcome != a.Outcome {
			t.Fatalf("seed %d: attempt %s of task %s went from %s to %s", seed, a.ID, now.ID, before.Attempts[i].Outcome, a.Outcome)
		}
	}
	if open > 1 {
		t.Fatalf("seed %d: task %s has %d open attempts", seed, now.ID, open)
	}
	if !now.Status.Terminal() && now.DueAt.IsZero() {
		t.Fatalf("seed %d: task %s is %s and nobody will ever look at it", seed, now.ID, now.Status)
	}
}

// checkEnded verifies a task when all is over.
func (w *world) checkEnded(t *testing.T, seed int, now task.Task) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Fatalf("seed %d: task %s (%s): %s", seed, now.ID, now.Status, fmt.Sprintf(format, args...))
	}
	if !now.Status.Terminal() {
		fail("has not ended")
	}
	if _, open := now.Open(); open || !now.DueAt.IsZero() {
		fail("is not closed: due %v, attempts %+v", now.DueAt, now.Attempts)
	}
	delivered := false
	for _, a := range now.Attempts {
		delivered = delivered || a.Outcome == task.Delivered
	}
	switch now.Status {
	case task.Succeeded:
		if !delivered || len(now.Outputs) == 0 || now.Charged <= 0 || now.Charged > now.Price {
			fail("delivered %v, %d outputs, charged %d of %d", delivered, len(now.Outputs), now.Charged, now.Price)
		}
	default:
		moderated := now.Error != nil && now.Error.Code == "content_rejected" && now.ChargeModerated
		if now.Charged != 0 && !moderated {
			fail("was charged %d", now.Charged)
		}
		if delivered && !now.Loss {
			fail("was delivered and is not booked as a loss")
		}
	}
	if now.CallbackURL != "" && now.Delivery.Tries == 0 {
		fail("its caller was never told")
	}
	if w.ledger(t, now.ID) != now.Charged {
		fail("the ledger says %d, the task %d", w.ledger(t, now.ID), now.Charged)
	}
}

// ledger sums what the account's ledger says that a task spent, and checks that
// it holds nothing.
func (w *world) ledger(t *testing.T, id string) int64 {
	t.Helper()
	entries, _, err := w.store.Ledger(context.Background(), account, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	var spent, reserved int64
	for _, e := range entries {
		if e.Task == id {
			spent, reserved = spent+e.Delta.Spent, reserved+e.Delta.Reserved
		}
	}
	if reserved != 0 {
		t.Fatalf("the ledger of task %s leaves %d reserved", id, reserved)
	}
	return spent
}
