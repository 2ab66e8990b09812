package stats_test

import (
	"context"
	"reflect"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/stats"
	"easel/shared/task"
	"easel/shared/usage"
)

func TestAQuantileIsWithinNinePercent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		ms := rapid.Int64Range(2, 10_000_000).Draw(r, "ms")
		c := stats.Cell{Latencies: map[int]int64{stats.LatencyBucket(ms): 3}}
		for _, q := range []float64{0.01, 0.5, 0.95, 1} {
			got := c.Quantile(q)
			if diff := max(got-ms, ms-got); float64(diff) > 0.0906*float64(ms)+1 {
				r.Fatalf("the %v quantile of %d is %d", q, ms, got)
			}
		}
	})
	if (stats.Cell{}).Quantile(0.5) != 0 {
		t.Error("nothing has a quantile")
	}
}

func TestBucketsOfLatencyAreInOrder(t *testing.T) {
	t.Parallel()
	before := 0
	for ms := range int64(100_000) {
		b := stats.LatencyBucket(ms)
		if b < before || b > before+8 {
			t.Fatalf("%d ms is in bucket %d after %d", ms, b, before)
		}
		before = b
	}
	if stats.LatencyBucket(1<<62) != stats.MaxLatencyBucket || stats.LatencyBucket(-5) != 0 {
		t.Error("the ends are open")
	}
}

func anyRecord(r *rapid.T) usage.Record {
	statuses := []task.Status{task.Succeeded, task.Failed, task.Expired, task.Canceled}
	outcomes := []task.Outcome{task.Rejected, task.Delivered, task.Broken, task.Unknown, task.Abandoned}
	record := usage.Record{
		ID: "task", Kind: generation.Image, Model: rapid.SampledFrom([]string{"a", "b"}).Draw(r, "model"), Account: "acct",
		Status: rapid.SampledFrom(statuses).Draw(r, "status"), Credits: rapid.Int64Range(0, 9).Draw(r, "credits"),
		LatencyMS: rapid.Int64Range(0, 9999).Draw(r, "latency"), Loss: rapid.Bool().Draw(r, "loss"),
		FinishedAt: time.Unix(rapid.Int64Range(0, 9).Draw(r, "minute")*60, 0),
	}
	for i := range rapid.IntRange(0, 4).Draw(r, "attempts") {
		record.Attempts = append(record.Attempts, task.Attempt{
			No: i + 1, Config: "cfg_" + strconv.Itoa(rapid.IntRange(0, 2).Draw(r, "config")), Provider: "p",
			Outcome: rapid.SampledFrom(outcomes).Draw(r, "outcome"), Class: rapid.SampledFrom([]fault.Class{"", fault.ClassAuth}).Draw(r, "class"),
		})
	}
	return record
}

// TestCountingAgainReplacesWhatWasCounted is the arithmetic that the roll-up
// stands on: whatever a record said before, and in whatever portions the
// difference is counted, the sum is what it says last.
func TestCountingAgainReplacesWhatWasCounted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		var counted []stats.Part
		for range 3 {
			want := stats.Of(anyRecord(r))
			diff := stats.Diff(want, counted)
			cut := rapid.IntRange(0, len(diff)).Draw(r, "cut")
			counted = stats.Sum(counted, diff[:cut])
			counted = stats.Sum(counted, stats.Diff(want, counted))
			if left := stats.Diff(want, counted); len(left) != 0 || !reflect.DeepEqual(counted, want) {
				r.Fatalf("counted %+v, want %+v; left %+v", counted, want, left)
			}
		}
	})
}

func TestWhatARecordCountsAs(t *testing.T) {
	t.Parallel()
	for status, want := range map[task.Status][2]int64{
		task.Succeeded: {1, 0}, task.Failed: {0, 1}, task.Expired: {0, 1}, task.Canceled: {0, 0},
	} {
		for _, p := range stats.Of(usage.Record{Kind: generation.Text, Model: "m", Account: "a", Status: status}) {
			if p.Cell.Calls != 1 || p.Cell.Succeeded != want[0] || p.Cell.Failed != want[1] {
				t.Errorf("%s counts as %+v by %s", status, p.Cell, p.Dimension)
			}
		}
	}
}

func TestAnArmCountsItsOwnAttemptsAlone(t *testing.T) {
	t.Parallel()
	r := usage.Record{
		Kind: generation.Image, Model: "flux", Status: task.Succeeded, Credits: 10,
		Attempts: []task.Attempt{
			{Config: "new", Provider: "fal", Arm: "canary", Outcome: task.Rejected, Class: fault.ClassUnavailable, Usage: generation.Usage{CostMicroUSD: 3}},
			{Config: "new", Provider: "fal", Arm: "canary", Outcome: task.Broken, Class: fault.ClassJobFailed},
			{Config: "old", Provider: "replicate", Outcome: task.Delivered, LatencyMS: 100},
		},
	}
	var arms []stats.Part
	for _, p := range stats.Of(r) {
		if p.Dimension == stats.ByArm {
			arms = append(arms, p)
		}
	}
	if len(arms) != 1 || arms[0].Key != "flux/canary" {
		t.Fatalf("arms %+v", arms)
	}
	if c := arms[0].Cell; c.Calls != 2 || c.Failed != 2 || c.Succeeded != 0 || c.CostMicroUSD != 3 || c.Credits != 0 {
		t.Errorf("the canary counts as %+v", c)
	}
	if model, arm := stats.ArmOf("vendor/flux/canary"); model != "vendor/flux" || arm != "canary" {
		t.Errorf("%q, %q", model, arm)
	}
}

func TestAReportOfArmsIsOfOneModelWhereAsked(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	row := func(key string, calls int64) stats.Row {
		return stats.Row{Key: key, Kind: generation.Image, At: from, Cell: stats.Cell{Calls: calls, Succeeded: calls}}
	}
	source := shelf{row("flux/canary", 1), row("flux/rest", 9), row("other/canary", 100)}
	q := stats.Query{From: from, To: from.Add(time.Hour), Bucket: stats.Hour, By: stats.ByArm}
	all, err := stats.Build(t.Context(), source, q)
	if err != nil || len(all.Groups) != 3 || all.Totals.Calls != 110 {
		t.Errorf("%+v, %v", all, err)
	}
	q.Filter, q.Key = stats.ByModel, "flux"
	one, err := stats.Build(t.Context(), source, q)
	if err != nil || len(one.Groups) != 2 || one.Groups[0].Key != "flux/rest" || one.Totals.Calls != 10 {
		t.Errorf("%+v, %v", one, err)
	}
	q.Filter = stats.ByConfig
	if _, err := stats.Build(t.Context(), source, q); fault.CodeOf(err) != fault.InvalidInput {
		t.Errorf("arms of a config: %v", err)
	}
}

// shelf is a source of given rows.
type shelf []stats.Row

func (s shelf) Cells(_ context.Context, sel stats.Selection) ([]stats.Row, error) {
	var rows []stats.Row
	for _, r := range s {
		if !r.At.Before(sel.From) && r.At.Before(sel.To) {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

func TestAReportHasEveryBucketAndTheWindowBefore(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	at := func(hour int, calls int64) stats.Row {
		return stats.Row{Key: "image", Kind: generation.Image, At: from.Add(time.Duration(hour) * time.Hour), Cell: stats.Cell{Calls: calls, Failed: calls}}
	}
	source := shelf{at(-5, 100), at(-4, 1), at(-1, 2), at(0, 4), at(3, 8), at(4, 100)}
	r, err := stats.Build(t.Context(), source, stats.Query{From: from, To: from.Add(4 * time.Hour), Bucket: stats.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if r.Totals.Calls != 12 || r.Previous.Calls != 3 || len(r.Buckets) != 4 || r.Buckets[1].Calls != 0 || r.Buckets[3].Calls != 8 {
		t.Errorf("got %+v", r)
	}
	if r.Totals.SuccessRate == nil || *r.Totals.SuccessRate != 0 || r.Totals.Latency != nil || r.Buckets[1].SuccessRate != nil {
		t.Errorf("rates are %+v", r.Totals)
	}
}

func TestAWindowIsWidenedToItsBuckets(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 10, 20, 0, 0, time.UTC)
	from, to := stats.Align(at, at.Add(time.Hour), stats.Hour)
	if from.Hour() != 10 || to.Hour() != 12 || from.Minute() != 0 || to.Minute() != 0 {
		t.Errorf("got %v to %v", from, to)
	}
	if stats.Month.Start(at) != time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) {
		t.Error("a month begins on its first day")
	}
}
