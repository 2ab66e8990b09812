package lifecycle_test

import (
	"context"
	"fmt"
	"slices"

	"easel/shared/credits"
	"easel/shared/fault"
	"easel/shared/task"
	"easel/shared/usage"
)

// checkStore verifies everything that the store holds when all is over.
func (w *world) checkStore() {
	tasks := w.store.Tasks()
	if len(tasks) != len(w.tasks) {
		breach("%d tasks were begun, the store has %d", len(w.tasks), len(tasks))
	}
	entries, _, err := w.store.Ledger(context.Background(), account, "", 1<<20)
	must(err)
	of, sum := map[string][]credits.Entry{}, credits.Balance{}
	for _, e := range entries {
		of[e.Task] = append(of[e.Task], e)
		sum.Granted, sum.Available = sum.Granted+e.Delta.Granted, sum.Available+e.Delta.Available
		sum.Reserved, sum.Spent = sum.Reserved+e.Delta.Reserved, sum.Spent+e.Delta.Spent
	}
	a, err := w.store.Account(context.Background(), account)
	must(err)
	if sum != a.Balance || a.Balance.Reserved != 0 {
		breach("when all is over the ledger adds up to %+v, the account says %+v", sum, a.Balance)
	}
	records := map[string]usage.Record{}
	for _, r := range w.store.Records() {
		records[r.ID] = r
	}
	for _, now := range tasks {
		e := ending{w: w, task: now}
		e.checkState()
		e.checkLedger(of[now.ID])
		e.checkRecord(records[now.ID])
	}
	w.checkSubmits(tasks)
}

// checkSubmits verifies that vendors were asked only for attempts that are written
// down, and that every job belongs to one.
func (w *world) checkSubmits(tasks []task.Task) {
	attempts := map[string]task.Attempt{}
	for _, t := range tasks {
		for _, a := range t.Attempts {
			attempts[a.ID] = a
		}
	}
	for _, name := range vendorNames() {
		v := w.vendors[name]
		for id, times := range v.asked {
			if a, ok := attempts[id]; !ok || a.Provider != name || times != 1 {
				breach("%s was asked %d times for attempt %s, which is written down as %+v", name, times, id, a)
			}
		}
	}
}

// ending is a task when all is over.
type ending struct {
	w    *world
	task task.Task
}

func (e ending) fail(format string, args ...any) {
	breach("task %s (%s): %s", e.task.ID, e.task.Status, fmt.Sprintf(format, args...))
}

func (e ending) checkState() {
	now := e.task
	if !now.Status.Terminal() {
		e.fail("has not ended")
	}
	if _, open := now.Open(); open || !now.DueAt.IsZero() || !now.LateUntil.IsZero() {
		e.fail("is not closed: due %v, late until %v, attempts %+v", now.DueAt, now.LateUntil, now.Attempts)
	}
	if now.CallbackURL != "" && (now.Delivery.Tries == 0 || !now.Delivery.NextAt.IsZero()) {
		e.fail("its caller was never told: %+v", now.Delivery)
	}
	if now.Status == task.Succeeded {
		e.checkSuccess()
	} else {
		e.checkNoSuccess()
	}
}

func (e ending) delivered() (n int) {
	for _, a := range e.task.Attempts {
		if a.Outcome == task.Delivered {
			n++
		}
	}
	return n
}

func (e ending) checkSuccess() {
	now := e.task
	if e.delivered() != 1 || len(now.Outputs) == 0 || now.Error != nil {
		e.fail("was delivered %d times with %d outputs and error %v", e.delivered(), len(now.Outputs), now.Error)
	}
	if want := now.Price * int64(len(now.Outputs)) / int64(now.Request.Count()); now.Charged != want || want <= 0 {
		e.fail("was charged %d for %d of %d pictures at %d", now.Charged, len(now.Outputs), now.Request.Count(), now.Price)
	}
	for _, o := range now.Outputs {
		if !e.w.kept[o.Key] {
			e.fail("its picture %s is not in the bucket", o.Key)
		}
	}
}

func (e ending) checkNoSuccess() {
	now := e.task
	charged := int64(0)
	if now.Error == nil {
		e.fail("has no reason")
	} else if now.Error.Code == fault.ContentRejected && now.ChargeModerated && now.Status == task.Failed {
		charged = now.Price
	}
	if now.Charged != charged {
		e.fail("was charged %d, want %d", now.Charged, charged)
	}
	if len(now.Outputs) > 0 {
		e.fail("has outputs")
	}
	// Work that a vendor handed out and nobody paid for is the operator's loss.
	if e.w.told[now.ID] && !now.Loss && !e.w.unusable[now.ID] {
		e.fail("was delivered and is not booked as a loss: %+v", now.Attempts)
	}
	for _, a := range now.Attempts {
		if (a.Outcome == task.Abandoned || a.Outcome == task.Delivered) && !now.Loss {
			e.fail("attempt %s is %s and not booked as a loss", a.ID, a.Outcome)
		}
	}
}

// checkLedger verifies the entries of a task: one hold, one end of it, and for a
// late success, one charge after the release.
func (e ending) checkLedger(entries []credits.Entry) {
	reasons := make([]credits.Reason, 0, len(entries))
	var spent, reserved int64
	for _, entry := range entries {
		reasons = append(reasons, entry.Reason)
		spent, reserved = spent+entry.Delta.Spent, reserved+entry.Delta.Reserved
	}
	slices.Sort(reasons)
	allowed := [][]credits.Reason{{credits.Hold, credits.Release}, {credits.Hold, credits.Settle}, {credits.Hold, credits.Late, credits.Release}}
	if !slices.ContainsFunc(allowed, func(want []credits.Reason) bool { return slices.Equal(reasons, want) }) {
		e.fail("the ledger has %v", reasons)
	}
	if reserved != 0 || spent != e.task.Charged {
		e.fail("the ledger leaves %d reserved and %d spent, the task was charged %d", reserved, spent, e.task.Charged)
	}
}

// checkRecord verifies that the operator's record of a task says what the task says.
func (e ending) checkRecord(r usage.Record) {
	now := e.task
	if r.ID != now.ID || r.Status != now.Status || r.Credits != now.Charged || r.Loss != now.Loss || len(r.Attempts) != len(now.Attempts) {
		e.fail("the usage record says %s, %d credits, loss %v, %d attempts; the task %d, %v, %d",
			r.Status, r.Credits, r.Loss, len(r.Attempts), now.Charged, now.Loss, len(now.Attempts))
	}
	for i, a := range r.Attempts {
		if a.Outcome != now.Attempts[i].Outcome {
			e.fail("the usage record says that attempt %s is %s, the task %s", a.ID, a.Outcome, now.Attempts[i].Outcome)
		}
	}
}
