package main

import "slices"

// mutant is one small breakage: in File, relative to the module, Old occurs
// exactly once and becomes New.
type mutant struct {
	Name, File, Old, New string
	// And is broken too, where two guards stand behind each other and either one
	// is enough.
	And *mutant
}

const (
	moves    = "shared/lifecycle/moves.go"
	engine   = "shared/lifecycle/engine.go"
	runner   = "shared/lifecycle/runner.go"
	submit   = "shared/lifecycle/submit.go"
	follow   = "shared/lifecycle/follow.go"
	failover = "shared/failover/failover.go"
	memory   = "shared/storetest/memory.go"
)

// mutants are the breakages that the random histories must catch.
func mutants() []mutant {
	return slices.Concat(mutantsOfSending(), mutantsOfMoney(), mutantsOfBatches())
}

// mutantsOfSending may send a submit twice, or forget one.
func mutantsOfSending() []mutant {
	return []mutant{
		{"an unknown outcome is taken for a refusal", submit, "if f.Unknown {", "if false {", nil},
		{"an unknown attempt does not count as open", "shared/task/task.go", "o == Started || o == Accepted || o == Unknown", "o == Started || o == Accepted", nil},
		{"an attempt of unknown outcome is closed as rejected", moves, "a.Outcome = task.Unknown\n", "a.Outcome = task.Rejected\n", nil},
		{
			"an attempt starts while one is open", moves,
			"if _, open := t.Open(); open || t.Status.Terminal() || t.Lease.Held(now) && t.Lease.Owner != s.Owner {", "if t.Status.Terminal() {", nil,
		},
		{"an outcome that is known changes", moves, "if !ok || !t.Attempts[i].Outcome.Open() {", "if !ok {", nil},
		{"a failed look-up unlearns the job", moves, "if a.Outcome == task.Accepted {\n\t\t\treturn nil", "if false {\n\t\t\treturn nil", nil},
		{"the store ignores the version", memory, "if m.tasks[change.Task.ID].version != change.Task.Version-1 {", "if false {", nil},
		{
			"a look-up that failed counts as a failed job", follow, "f := fault.FailureOf(err)\n",
			"f := fault.FailureOf(err)\n\t\tif f != nil {\n\t\t\tnext, err := r.Engine.Refused(ctx, t, a.ID, f, answer.Usage)\n\t\t\treturn next, true, err\n\t\t}\n", nil,
		},
		{"a refused prompt is shopped around", failover, "return c == fault.ClassModerated || c == fault.ClassInvalidInput", "return c == fault.ClassInvalidInput", nil},
		{"a lease is not waited for", follow, "if t.Lease.Held(r.Now()) {", "if false {", nil},
		{"a task is not due while its attempt runs", moves, "t.Lease = task.Lease{Owner: s.Owner, Until: until}\n\tt.DueAt = until", "t.Lease = task.Lease{Owner: s.Owner, Until: until}\n\tt.DueAt = time.Time{}", nil},
	}
}

// mutantsOfMoney may charge or give back what they should not, or forget to.
func mutantsOfMoney() []mutant {
	return []mutant{
		{"a release gives back nothing", moves, "entry := credits.ForRelease(t.Account, t.ID, t.Reserved, now)", "entry := credits.ForRelease(t.Account, t.ID, 0, now)", nil},
		{"a release gives back twice the price", moves, "entry := credits.ForRelease(t.Account, t.ID, t.Reserved, now)", "entry := credits.ForRelease(t.Account, t.ID, 2*t.Reserved, now)", nil},
		{
			"a task can be canceled after it ended", moves,
			"if t.Status.Terminal() {\n\t\t\treturn t, nil, fault.New(fault.Conflict, \"the task has already %s\", t.Status)\n\t\t}\n", "",
			&mutant{File: engine, Old: "if next.Status != t.Status && !t.Status.CanMove(next.Status) {", New: "if false {"},
		},
		{"a late success is charged from what is reserved", moves, "entry = credits.ForLate(t.Account, t.ID, charge, now)", "entry = credits.ForSettle(t.Account, t.ID, t.Reserved, charge, now)", nil},
		{"a late success of a canceled task is charged", moves, "late := t.Status == task.Expired\n", "late := t.Status.Terminal()\n", nil},
		{"a delivery that nobody pays for is no loss", moves, "noteDelivery(t, a, d, now)\n\tt.Loss = true", "noteDelivery(t, a, d, now)", nil},
		{"an abandoned attempt is no loss", moves, "ended(a, task.Abandoned, now)\n\t\tt.Loss = true", "ended(a, task.Abandoned, now)", nil},
		{"a result that could not be stored is no loss", moves, "t.Loss = t.Loss || f.Class == fault.ClassStorage\n", "", nil},
		{"an ended task's attempt is never closed", follow, "next, err := r.Engine.Abandon(ctx, t, a.ID)\n\t\treturn next, true, err", "return t, false, nil", nil},
		{"an expired task gives nothing a second look", moves, "t.LateUntil = now.Add(Grace)\n\t\tt.DueAt = now", "", nil},
		{"fewer pictures cost as much", moves, "charge := catalog.Charge(t.Price, t.Request.Count(), len(d.Outputs))", "charge := max(t.Price, catalog.Charge(t.Price, t.Request.Count(), len(d.Outputs)))", nil},
		{"a refusal for content is charged half of what the task says", moves, "entry := credits.ForSettle(t.Account, t.ID, t.Reserved, t.Price, now)", "entry := credits.ForSettle(t.Account, t.ID, t.Reserved, t.Price/2, now)", nil},
		{"an idempotency key is not remembered", engine, "if o.IdempotencyKey != \"\" {", "if false {", nil},
		{"a usage record is not written again", engine, "(next.Status != t.Status || recordChanged(t, next))", "next.Status != t.Status", nil},
		{"the store applies money without the task", memory, "\tm.tasks[change.Task.ID] = stored\n", "\tif change.Task.Version%5 != 0 {\n\t\tm.tasks[change.Task.ID] = stored\n\t}\n", nil},
		{"a report is due and nobody knows", moves, "if t.CallbackURL != \"\" {\n\t\tt.Delivery", "if t.CallbackURL == \"nowhere\" {\n\t\tt.Delivery", nil},
	}
}
