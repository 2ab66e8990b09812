package lifecycle_test

import (
	"context"
	"iter"
)

// killed is what a process dies of: it unwinds to the operation that ran.
type killed struct{ where string }

// process is an operation of the gateway that stands still at a boundary while
// others run: a worker that waits for an answer, or a function that is frozen.
type process struct {
	resume func() (struct{}, bool)
	kill   func()
}

// Chances per boundary while there is chaos.
const (
	killChance  = 0.015
	pauseChance = 0.08
	maxPaused   = 4
)

// boundary is a labelled place where a process may die, or stand still while
// others run.
func (w *world) boundary(where string) {
	if w.calm {
		return
	}
	if w.chance(killChance) {
		w.tally.kills[where]++
		panic(killed{where})
	}
	if w.yield == nil || len(w.processes) >= maxPaused || !w.chance(pauseChance) {
		return
	}
	yield := w.yield
	if !yield(struct{}{}) {
		w.tally.kills[where]++
		panic(killed{where}) // it never came back
	}
	w.yield = yield
	w.tally.pauses++
}

// operate lets chance decide what happens next: a new operation begins, in a
// process of its own, or one that stands still goes on.
func (w *world) operate() {
	if n := len(w.processes); n > 0 && w.chance(0.35) {
		w.goOn(w.rnd.IntN(n))
		return
	}
	w.tally.operations++
	w.spawn(w.operation)
}

// spawn runs an operation until it ends, dies or stands still.
func (w *world) spawn(operation func(context.Context)) {
	next, stop := iter.Pull(func(yield func(struct{}) bool) {
		defer survive()
		w.yield = yield
		operation(context.Background())
	})
	w.processes = append(w.processes, &process{next, stop})
	w.goOn(len(w.processes) - 1)
}

// survive ends a process that was killed, and nothing else.
func survive() {
	if r := recover(); r != nil {
		if _, ok := r.(killed); !ok {
			panic(r)
		}
	}
}

func (w *world) goOn(i int) {
	p := w.processes[i]
	w.processes = append(w.processes[:i], w.processes[i+1:]...)
	_, paused := p.resume()
	w.yield = nil
	if paused {
		w.processes = append(w.processes, p)
	}
}

// calmDown ends the chaos: of the processes that stand still, each dies or goes
// on as if nothing had been.
func (w *world) calmDown() {
	for len(w.processes) > 0 {
		i := w.rnd.IntN(len(w.processes))
		if w.chance(0.5) {
			w.processes[i].kill()
			w.yield = nil
			w.processes = append(w.processes[:i], w.processes[i+1:]...)
			continue
		}
		w.goOn(i)
	}
	w.calm = true
}
