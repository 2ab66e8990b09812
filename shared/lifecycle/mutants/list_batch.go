package main

const (
	batchRules = "shared/batch/batch.go"
	batchStep  = "shared/batch/step.go"
	batchTake  = "shared/batch/engine.go"
)

// mutantsOfBatches may lose a request of a batch, begin it twice, or say what is not
// true of it.
func mutantsOfBatches() []mutant {
	return []mutant{
		{"what a lost process had claimed is not in doubt", batchRules, "i.Status, i.Doubtful = ItemQueued, true", "i.Status = ItemQueued", nil},
		{"a lost answer leaves no doubt", batchStep, "i.Doubtful = true // the answer may have been lost, and not the write\n", "", nil},
		{"a request in doubt is refused without a task", batchStep, "if i.Doubtful {\n\t\t\treturn e.void(", "if false {\n\t\t\treturn e.void(", nil},
		{"a request in doubt ends without a task", batchRules, "if i.Status == ItemQueued && !i.Doubtful {", "if i.Status == ItemQueued {", nil},
		{"whoever lost the lease writes all the same", batchStep, "if fresh.Lease.Owner != owner {", "if false {", nil},
		{"an expired task is never late", batchRules, "!t.Status.Terminal() || t.Status == task.Expired && !t.LateUntil.IsZero()", "!t.Status.Terminal()", nil},
		{"a batch gives its place back with every write after its end", batchTake, "closes := !next.Status.Ended() && next.ended()", "closes := next.ended()", nil},
		{"the end of a batch is not due to be reported", batchTake, "\t\tb.DueAt = now\n\t}\n", "\t}\n", nil},
		{"a batch at rest is not due", batchStep, "b.DueAt = now.Add(pause + slack)\n", "b.DueAt = time.Time{}\n", nil},
		{"the window is not looked at", batchRules, "room := max(0, b.window()-b.open())", "room := len(waiting)", nil},
		{"two requests have the same task", batchRules, "strconv.Itoa(index)))", "strconv.Itoa(index/2)))", nil},
	}
}
