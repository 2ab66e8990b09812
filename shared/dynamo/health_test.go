package dynamo_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"easel/shared/dynamo"
	"easel/shared/fault"
	"easel/shared/health"
)

func TestHealthIsSharedByAllInstances(t *testing.T) {
	t.Parallel()
	counter := &dynamo.Counter{}
	store := newStore(t, dynamo.Options{Counter: counter})
	ctx, wall := t.Context(), newClock(epoch())
	var opened, probed, ramped atomic.Int64
	count := func(_ context.Context, e health.Event) {
		switch e.To {
		case health.Open:
			opened.Add(1)
		case health.Probing:
			probed.Add(1)
		case health.Ramping:
			ramped.Add(1)
		case health.Closed:
		}
	}
	monitors := make([]*health.Monitor, 64)
	for i := range monitors {
		monitors[i] = health.New(store, health.Options{Now: wall.now, OnChange: count})
	}
	all := func(do func(m *health.Monitor)) {
		instances(len(monitors), func(i int) {
			if err := monitors[i].Refresh(ctx); err != nil {
				t.Error(err)
			}
			do(monitors[i])
			if err := monitors[i].Flush(ctx); err != nil {
				t.Error(err)
			}
		})
	}

	counter.Reset()
	for range 20 {
		all(func(m *health.Monitor) { m.Report("c", nil, wall.now()) })
	}
	if got := counter.Calls(); len(got) != 1 || got["Query"] != len(monitors) {
		t.Errorf("1,280 healthy requests made the calls %v, want one query per instance", got)
	}

	all(func(m *health.Monitor) { m.Report("c", &fault.Failure{Class: fault.ClassAuth}, wall.now()) })
	if opened.Load() != 1 {
		t.Errorf("%d instances opened the breaker, want exactly 1", opened.Load())
	}

	wall.forward(3 * time.Second)
	all(func(m *health.Monitor) {
		if m.ReadyAt("c", wall.now()).IsZero() {
			t.Error("an instance does not know after 3 seconds")
		}
	})

	wall.forward(time.Minute)
	counter.Reset()
	var entered atomic.Int64
	all(func(m *health.Monitor) {
		if m.ReadyAt("c", wall.now()).IsZero() && m.Enter(ctx, "c") {
			entered.Add(1)
			m.Report("c", nil, wall.now())
		}
	})
	if probed.Load() != 1 || ramped.Load() != 1 {
		t.Errorf("%d probes and %d ramps began, want exactly 1 each", probed.Load(), ramped.Load())
	}
	wall.forward(30 * time.Second)
	all(func(m *health.Monitor) {
		if !m.ReadyAt("c", wall.now()).IsZero() || !m.Enter(ctx, "c") {
			t.Error("an instance did not learn that it works again")
		}
	})
}

func TestExactlyOneInstanceProbes(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	wall := newClock(epoch())
	monitors := make([]*health.Monitor, 64)
	for i := range monitors {
		monitors[i] = health.New(store, health.Options{Now: wall.now})
	}
	monitors[0].Report("c", &fault.Failure{Class: fault.ClassOutOfCredit}, wall.now())
	must(t, monitors[0].Flush(t.Context()))
	wall.forward(time.Minute)
	for _, m := range monitors {
		must(t, m.Refresh(t.Context()))
	}
	var entered atomic.Int64
	instances(len(monitors), func(i int) {
		if monitors[i].Enter(t.Context(), "c", "c/m") {
			entered.Add(1)
		}
	})
	if entered.Load() != 1 {
		t.Errorf("%d instances probe at the same time, want exactly 1", entered.Load())
	}
}

func TestHealthCountsMoveWithTheirWindows(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	last := &health.Error{Class: fault.ClassTimeout, Message: "slow", Status: 504, At: epoch()}
	for _, step := range []struct {
		name  string
		delta health.Delta
		want  health.Counts
	}{
		{"the first failure", health.Delta{Window: 100, Bad: 1, Last: last}, health.Counts{Window: 100, Bad: 1, First: epoch()}},
		{"the same window, wrong hint", health.Delta{Window: 100, Good: 3, Bad: 2}, health.Counts{Window: 100, Good: 3, Bad: 3, First: epoch()}},
		{"the same window", health.Delta{Window: 100, Good: 1, Known: 100}, health.Counts{Window: 100, Good: 4, Bad: 3, First: epoch()}},
		{"the next window", health.Delta{Window: 101, Bad: 1, Known: 100}, health.Counts{Window: 101, Bad: 1, PastGood: 4, PastBad: 3, First: epoch()}},
		{"a clock that is behind", health.Delta{Window: 100, Bad: 1, Known: 101}, health.Counts{Window: 101, Bad: 2, PastGood: 4, PastBad: 3, First: epoch()}},
		{"much later", health.Delta{Window: 200, Good: 1, Bad: 1, Known: 101}, health.Counts{Window: 200, Good: 1, Bad: 1, First: epoch().Add(time.Hour)}},
	} {
		step.delta.Name, step.delta.At = "c", step.want.First
		got, err := store.CountHealth(t.Context(), step.delta)
		must(t, err)
		if got.Counts != step.want || got.Name != "c" || got.Version != 0 || got.Last == nil || *got.Last != *last {
			t.Errorf("%s: got %+v, want %+v", step.name, got, step.want)
		}
	}
	opened, ok, err := store.SaveHealth(t.Context(), health.Record{Name: "c", Phase: health.Open, Until: epoch(), Opens: 1}, nil)
	must(t, err)
	if !ok || opened.Version != 1 || opened.Counts != (health.Counts{}) || opened.Phase != health.Open || opened.Last == nil {
		t.Errorf("got %+v, %t: a change of phase must clear the counts and keep the rest", opened, ok)
	}
	stale, ok, err := store.SaveHealth(t.Context(), health.Record{Name: "c", Phase: health.Closed}, nil)
	must(t, err)
	if ok || stale.Version != 1 || stale.Phase != health.Open {
		t.Errorf("a stale write: got %+v, %t", stale, ok)
	}
	records, err := store.HealthRecords(t.Context())
	must(t, err)
	if len(records) != 1 || !records[0].Until.Equal(epoch()) || records[0].Opens != 1 {
		t.Errorf("got %+v", records)
	}
}

func TestLostAnswerOfHealthIsRecognised(t *testing.T) {
	t.Parallel()
	w := &wire{operation: "UpdateItem", times: 2}
	store := newStore(t, dynamo.Options{}, w.use)
	got, ok, err := store.SaveHealth(t.Context(), health.Record{Name: "c", Phase: health.Open}, nil)
	must(t, err)
	if !ok || got.Version != 1 || w.seen != 3 {
		t.Errorf("got %+v, %t after %d requests", got, ok, w.seen)
	}
}
