package task_test

import (
	"testing"
	"time"

	"easel/shared/task"
)

func TestADeliveryKeepsItsLatestTries(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)
	first := task.Delivery{NextAt: start}.Tried(task.Try{At: start, Status: 500, Error: "the endpoint answered 500", LatencyMS: 7})
	if first.Tries != 1 || first.Status != 500 || first.Error == "" || !first.NextAt.IsZero() || len(first.Log) != 1 {
		t.Fatalf("after one try: %+v", first)
	}
	// Two continuations of the same delivery, as two writers may make them, share nothing.
	a, b := first.Tried(task.Try{Status: 501}), first.Tried(task.Try{Status: 502})
	if a.Log[1].Status != 501 || b.Log[1].Status != 502 || len(first.Log) != 1 {
		t.Errorf("they overwrite each other: %+v, %+v", a.Log, b.Log)
	}
	d := first
	for n := range 20 {
		d = d.Tried(task.Try{At: start.Add(time.Duration(n) * time.Minute), Status: n})
	}
	if d.Tries != 21 || len(d.Log) != task.MaxTries || d.Log[0].Status != 8 || d.Log[task.MaxTries-1].Status != 19 {
		t.Errorf("after many: %d tries, log %+v", d.Tries, d.Log)
	}
	again := d.Again(start)
	if again.Tries != 0 || !again.NextAt.Equal(start) || again.Status != 0 || len(again.Log) != task.MaxTries {
		t.Errorf("asked for again: %+v", again)
	}
}
