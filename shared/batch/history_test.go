package batch_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"
	"testing"
	"time"

	"easel/shared/batch"
	"easel/shared/journal"
	"easel/shared/task"
)

// histories is how many random histories a test runs: enough for every push, more
// where EASEL_CHAOS_HISTORIES says so.
func histories() int {
	n, err := strconv.Atoi(os.Getenv("EASEL_CHAOS_HISTORIES")) //nolint:forbidigo // a knob of this test alone
	switch {
	case err == nil && n > 0:
		return n
	case raced:
		return 15 // each history runs in one goroutine: the detector has little to find
	default:
		return 150
	}
}

// TestChaosBatches runs random interleavings of workers that die and stand still at
// every call, duplicated and lost messages, cancels, deadlines and refusals, and
// checks that no request is lost or doubled and that the money is exact.
func TestChaosBatches(t *testing.T) {
	t.Parallel()
	histories := histories()
	kills, ended, pauses, rescued := map[string]int{}, map[batch.ItemStatus]int{}, 0, 0
	for seed := range uint64(histories) {
		w := newWorld(seed)
		if broken := w.history(); broken != "" {
			t.Errorf("history %d: %s", seed, broken)
			return
		}
		for where, n := range w.kills {
			kills[where] += n
		}
		for s, n := range w.ended {
			ended[s] += n
		}
		pauses, rescued = pauses+w.pauses, rescued+w.rescued
	}
	t.Logf("%d histories, ended %v, %d pauses, %d requests made sure of, kills %v", histories, ended, pauses, rescued, kills)
	if raced {
		return // too few to reach everything
	}
	for _, s := range []batch.ItemStatus{batch.ItemSucceeded, batch.ItemFailed, batch.ItemCanceled, batch.ItemExpired, batch.ItemRefused} {
		if ended[s] == 0 {
			t.Errorf("no item ended as %s: the histories do not reach every ending", s)
		}
	}
	for _, call := range []string{"read", "put", "requests", "create", "task", "place", "void", "cancel", "send", "report", "apply"} {
		if kills[call+"/before"]+kills[call+"/after"] == 0 {
			t.Errorf("no process died at %q", call)
		}
	}
	if pauses == 0 || rescued == 0 {
		t.Error("nothing stood still, or was in doubt, in any history")
	}
}

// violation is what a check that does not hold panics with.
type violation string

func breach(format string, args ...any) { panic(violation(fmt.Sprintf(format, args...))) }

// history runs one history and returns what was broken in it, "" for nothing.
func (w *world) history() (broken string) {
	defer func() {
		if r := recover(); r != nil {
			v, ok := r.(violation)
			if !ok {
				panic(r)
			}
			broken = string(v)
		}
		for _, p := range w.processes {
			p.kill()
		}
	}()
	for range 250 {
		w.operate()
		w.check()
	}
	w.calmDown()
	w.settle()
	return ""
}

// settle lets everything come to rest and checks what must be true then.
func (w *world) settle() {
	ctx := context.Background()
	for range 60 {
		w.now = w.now.Add(40 * time.Minute)
		must(w.batches.Sweep(ctx))
		for range len(w.queue) {
			w.deliver(ctx)
		}
		for _, id := range w.begun {
			w.workOn(ctx, id)
		}
		w.check()
	}
	owner := map[string]bool{}
	for _, id := range w.taken {
		b, err := w.store.Batch(ctx, id)
		must(err)
		if !b.Status.Ended() || b.FinishedAt.IsZero() || !b.DueAt.IsZero() || b.Lease.Owner != "" {
			breach("batch %s rests as %s at version %d, due at %v, leased to %q", id, b.Status, b.Version, b.DueAt, b.Lease.Owner)
		}
		if b.Delivery.DoneAt.IsZero() || w.reports[id] == 0 {
			breach("batch %s has ended and its caller was never told", id)
		}
		w.checkRest(b, owner)
	}
	for _, t := range w.store.Tasks() {
		if !owner[t.ID] {
			breach("task %s belongs to no request", t.ID)
		}
	}
	w.checkPlaces()
}

// checkRest verifies that the items of an ended batch say what their tasks do.
func (w *world) checkRest(b batch.Batch, owner map[string]bool) {
	var paid int64
	for n, i := range b.Items {
		w.ended[i.Status]++
		t, err := w.store.Task(context.Background(), batch.TaskID(b.ID, n))
		if !i.Begun {
			if !errors.Is(err, journal.ErrNotFound) {
				breach("request %d of %s is %s without a task, and there is one that is %s and paid %d, %v", n, b.ID, i.Status, t.Status, t.Charged, err)
			}
			continue
		}
		must(err)
		owner[t.ID] = true
		paid += t.Charged
		if i.Charged != t.Charged || i.Status != batch.ItemRefused && string(i.Status) != string(t.Status) ||
			i.Status == batch.ItemRefused && (t.Status != task.Failed || t.Charged != 0) {
			breach("request %d of %s is %+v, its task %s and paid %d", n, b.ID, i, t.Status, t.Charged)
		}
	}
	if b.Charged() != paid {
		breach("batch %s says that it paid %d, its tasks paid %d", b.ID, b.Charged(), paid)
	}
}

// checkPlaces verifies that every ended batch gave its place back, once.
func (w *world) checkPlaces() {
	for n := range batch.MaxOpen + 1 {
		_, _, err := w.batches.Take(context.Background(), batch.Draft{Account: account, Requests: []batch.Request{{}}})
		if (err == nil) != (n < batch.MaxOpen) {
			breach("the account's batch %d after all have ended: %v", n, err)
		}
	}
}

// check verifies what must hold at every moment.
func (w *world) check() {
	if len(w.broken) > 0 {
		breach("%v", w.broken)
	}
	for _, id := range w.touched {
		b, err := w.store.Batch(context.Background(), id)
		must(err)
		checkBatch(w.seen[id], b)
		w.seen[id] = b
	}
	for _, id := range w.touchedTasks {
		t, err := w.store.Task(context.Background(), id)
		must(err)
		before := w.seenTasks[id]
		w.reserved, w.charged = w.reserved+t.Reserved-before.Reserved, w.charged+t.Charged-before.Charged
		w.seenTasks[id] = t
	}
	w.touched, w.touchedTasks = nil, nil
	a, err := w.store.Account(context.Background(), account)
	must(err)
	if err := a.Balance.Check(); err != nil {
		breach("%v", err)
	}
	if a.Balance.Granted != w.granted || a.Balance.Reserved != w.reserved || a.Balance.Spent != w.charged {
		breach("%d were granted, tasks hold %d and paid %d, the account says %+v", w.granted, w.reserved, w.charged, a.Balance)
	}
}

// checkBatch verifies one batch, and its way from what it was.
func checkBatch(before, now batch.Batch) {
	fail := func(format string, args ...any) { breach("batch %s: %s", now.ID, fmt.Sprintf(format, args...)) }
	if before.Version > now.Version {
		fail("has version %d after %d", now.Version, before.Version)
	}
	if !now.Status.Ended() && now.DueAt.IsZero() {
		fail("is %s and nobody will ever look at it", now.Status)
	}
	if before.Status.Ended() && before.Status != now.Status {
		fail("went from %s to %s", before.Status, now.Status)
	}
	open, doubtful, all := 0, 0, true
	for n, i := range now.Items {
		if i.Status == batch.ItemOpen {
			open++
		}
		all = all && i.Status.Ended()
		if n >= len(before.Items) {
			continue
		}
		was := before.Items[n]
		if was.Doubtful || was.Status == batch.ItemStarting {
			doubtful++ // it may have begun beside the others
		}
		if was.Status.Ended() && was.Status != i.Status || was.Begun && !i.Begun || was.Charged != 0 && was.Charged != i.Charged {
			fail("request %d went from %+v to %+v", n, was, i)
		}
	}
	if all != now.Status.Ended() {
		fail("is %s with %+v", now.Status, now.Counts())
	}
	window := batch.Window
	if now.KeyPlaces > 0 {
		window = min(window, max(1, now.KeyPlaces/2))
	}
	if was := before.Counts().Processing; open > was && open > window+doubtful {
		fail("has %d open tasks", open)
	}
}

// TestTheSameSeedIsTheSameHistory keeps a failing seed worth printing.
func TestTheSameSeedIsTheSameHistory(t *testing.T) {
	t.Parallel()
	first, second := newWorld(7), newWorld(7)
	if a, b := first.history(), second.history(); a != b || first.ids != second.ids || !maps.Equal(first.kills, second.kills) {
		t.Errorf("%q and %q, %d and %d ids", a, b, first.ids, second.ids)
	}
}
