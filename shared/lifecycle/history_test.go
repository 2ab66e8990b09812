package lifecycle_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
		return usual / 10 // each history runs in one goroutine: the detector has little to find
	default:
		return usual
	}
}

// maxViolations is after how many broken histories a run gives up.
const maxViolations = 10

// TestChaosHistories runs random interleavings of callers, workers, webhooks, sweeps,
// cancels, clock jumps, faults and kills, and checks the invariants of money and
// state after every operation and, over the whole store, once everything has come
// to rest.
func TestChaosHistories(t *testing.T) {
	t.Parallel()
	limit := uint64(histories(t, 3000))
	var (
		seeds atomic.Uint64
		all   sync.WaitGroup
		mu    sync.Mutex
		sum   = newTally()
	)
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			own := newTally()
			for seed := seeds.Add(1); seed <= limit && len(own.violations) < maxViolations; seed = seeds.Add(1) {
				own.add(history(seed))
			}
			mu.Lock()
			defer mu.Unlock()
			sum.add(own)
		})
	}
	all.Wait()
	t.Log(sum.String())
	for _, v := range sum.violations {
		t.Error(v)
	}
	for _, s := range []task.Status{task.Succeeded, task.Failed, task.Canceled, task.Expired} {
		if sum.statuses[s] == 0 {
			t.Errorf("no task ended as %s: the histories do not reach every ending", s)
		}
	}
	if total(sum.kills) == 0 || sum.pauses == 0 || total(sum.faults) == 0 {
		t.Error("nothing went wrong in any history")
	}
}

// violation is what a check that does not hold panics with.
type violation string

// history runs one history and returns what happened in it.
func history(seed uint64) (result tally) {
	w := newWorld(seed)
	defer func() {
		result = w.tally
		if r := recover(); r != nil {
			broken, ok := r.(violation)
			if !ok {
				panic(r)
			}
			result.violations = append(result.violations, fmt.Sprintf("history %d: %s", seed, broken))
		}
		for _, p := range w.processes {
			p.kill()
		}
	}()
	for range 60 {
		w.operate()
		w.check()
	}
	w.settle()
	w.tally.histories, w.tally.tasks = 1, len(w.tasks)
	for _, id := range w.tasks {
		w.tally.statuses[w.seen[id].Status]++
	}
	return
}

func breach(format string, args ...any) { panic(violation(fmt.Sprintf(format, args...))) }

// settle stops the chaos and lets the gateway come to rest, then checks what
// must be true of every task that has ended.
func (w *world) settle() {
	ctx := context.Background()
	w.calmDown()
	round := func(d time.Duration) {
		for _, name := range vendorNames() {
			w.vendors[name].work()
		}
		w.now = w.now.Add(d)
		_, _ = w.runner.Sweep(ctx, 100)
		for range len(w.queue) { // a look-up asks for the next one
			w.deliverMessage(ctx)
		}
		w.check()
	}
	for range 200 {
		round(40 * time.Second)
	}
	w.now = w.now.Add(48 * time.Hour)
	for range 40 {
		round(10 * time.Hour)
	}
	w.checkStore()
}

// check verifies what must hold at every moment, of what was written since it
// was called last.
func (w *world) check() {
	if len(w.broken) > 0 {
		breach("%v", w.broken)
	}
	for _, id := range w.touched {
		before, now := w.seen[id], w.store1(id)
		checkTask(before, now)
		w.reserved += now.Reserved - before.Reserved
		w.charged += now.Charged - before.Charged
		w.seen[id] = now
	}
	w.touched = w.touched[:0]
	a, err := w.store.Account(context.Background(), account)
	must(err)
	if err := a.Balance.Check(); err != nil {
		breach("%v", err)
	}
	if a.Balance.Granted != granted || w.reserved != a.Balance.Reserved || w.charged != a.Balance.Spent {
		breach("%d were granted, tasks hold %d and paid %d, the account says %+v", granted, w.reserved, w.charged, a.Balance)
	}
}

// checkTask verifies one task, and its way from what it was.
func checkTask(before, now task.Task) {
	fail := func(format string, args ...any) {
		breach("task %s: %s", now.ID, fmt.Sprintf(format, args...))
	}
	if before.Status != "" && before.Status != now.Status && !before.Status.CanMove(now.Status) {
		// Several writes may lie between: queued to succeeded to reported is fine.
		fail("went from %s to %s", before.Status, now.Status)
	}
	if before.Charged != 0 && now.Charged != before.Charged {
		fail("was charged %d and then %d", before.Charged, now.Charged)
	}
	if now.Charged < 0 || now.Charged > now.Price {
		fail("was charged %d of %d", now.Charged, now.Price)
	}
	if now.Status.Terminal() && now.Reserved != 0 {
		fail("is %s and still holds %d", now.Status, now.Reserved)
	}
	if !now.Status.Terminal() && (now.Reserved != now.Price || now.Charged != 0) {
		fail("is %s, holds %d of %d and was charged %d", now.Status, now.Reserved, now.Price, now.Charged)
	}
	if !now.Status.Terminal() && now.DueAt.IsZero() {
		fail("is %s and nobody will ever look at it", now.Status)
	}
	if before.Version > now.Version {
		fail("has version %d after %d", now.Version, before.Version)
	}
	checkAttempts(before, now, fail)
}

// checkAttempts verifies that a task has one open attempt at most, that an
// attempt whose outcome is known never changes, and that none is forgotten.
func checkAttempts(before, now task.Task, fail func(format string, args ...any)) {
	if len(now.Attempts) < len(before.Attempts) {
		fail("forgot %d attempts", len(before.Attempts)-len(now.Attempts))
	}
	open := 0
	for i, a := range now.Attempts {
		if a.Outcome.Open() {
			open++
		}
		if i >= len(before.Attempts) {
			continue
		}
		was := before.Attempts[i]
		if was.ID != a.ID || !was.Outcome.Open() && was.Outcome != a.Outcome {
			fail("attempt %s %s became %s %s", was.ID, was.Outcome, a.ID, a.Outcome)
		}
		if was.Outcome == task.Accepted && a.Outcome.Open() && (a.Outcome != task.Accepted || a.Job != was.Job) {
			fail("attempt %s forgot its job %s: %s %q", a.ID, was.Job, a.Outcome, a.Job)
		}
	}
	if open > 1 {
		fail("has %d open attempts", open)
	}
	if i, ok := now.Open(); ok && now.DueAt.IsZero() {
		fail("attempt %s is %s and nobody will ever look at it", now.Attempts[i].ID, now.Attempts[i].Outcome)
	}
}
