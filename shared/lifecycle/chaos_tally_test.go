package lifecycle_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"easel/shared/task"
)

// tally counts what happened in histories.
type tally struct {
	histories, operations, pauses, tasks int
	faults, kills                        map[string]int
	statuses                             map[task.Status]int
	// violations say which history broke which rule.
	violations []string
}

func newTally() tally {
	return tally{faults: map[string]int{}, kills: map[string]int{}, statuses: map[task.Status]int{}}
}

// add adds what happened elsewhere.
func (t *tally) add(o tally) {
	t.histories += o.histories
	t.operations += o.operations
	t.pauses += o.pauses
	t.tasks += o.tasks
	addTo(t.faults, o.faults)
	addTo(t.kills, o.kills)
	addTo(t.statuses, o.statuses)
	t.violations = append(t.violations, o.violations...)
}

func addTo[K comparable](sum, more map[K]int) {
	for k, n := range more {
		sum[k] += n
	}
}

func total[K comparable](counts map[K]int) (sum int) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// String is the summary that the test prints.
func (t *tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d histories, %d operations, %d pauses, %d faults, %d kills, %d tasks ended %v, %d violations",
		t.histories, t.operations, t.pauses, total(t.faults), total(t.kills), t.tasks, t.statuses, len(t.violations))
	list(&b, "faults by kind", t.faults)
	list(&b, "kills by label", t.kills)
	return b.String()
}

func list(b *strings.Builder, title string, counts map[string]int) {
	fmt.Fprintf(b, "\n  %s:", title)
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(b, "\n    %9d  %s", counts[name], name)
	}
}
