package stats

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
)

// The limits of one report.
const (
	MaxBuckets = 200
	MaxWindow  = 90 * 24 * time.Hour
	maxGroups  = 50
)

// Selection says which cells to read: those of a bucket size and dimension in a
// time, From inclusive and To exclusive; of one key, where it is set.
type Selection struct {
	Bucket    Bucket
	Dimension Dimension
	Key       string
	From, To  time.Time
}

// Row is one stored cell. Its At is the beginning of its bucket.
type Row struct {
	Key  string
	Kind generation.Kind
	At   time.Time
	Cell Cell
}

// Source reads stored cells, in any order.
type Source interface {
	Cells(ctx context.Context, s Selection) ([]Row, error)
}

// Query says what to report.
type Query struct {
	// From and To must be bounds of Bucket, To exclusive.
	From, To time.Time
	Bucket   Bucket
	// By groups the report; "" does not.
	By Dimension
	// Filter, if set, narrows the report to the Key of a dimension, and Kind to a kind.
	Filter Dimension
	Key    string
	Kind   generation.Kind
}

// Align widens a window to the bounds of the buckets that hold its ends.
func Align(from, to time.Time, b Bucket) (time.Time, time.Time) {
	end := b.Start(to)
	if !end.Equal(to) {
		end = end.Add(b.Size())
	}
	return b.Start(from), end
}

// Check returns an InvalidInput error that names what the query has wrong.
func (q Query) Check() error {
	var f fault.Fields
	f.Check(q.Bucket.Valid(), "bucket", "must be minute, hour or day")
	f.Check(q.By == "" || q.By.Valid(), "by", "must be config, provider, model, account, arm or kind")
	f.Check(q.Kind == "" || q.Kind.Valid(), "kind", "must be image, video or text")
	f.Check(q.From.Before(q.To), "from", "must be before to")
	f.Check(q.By == "" || q.Filter == "" || q.By == q.Filter || q.By == ByKind || q.By == ByArm && q.Filter == ByModel, "by",
		"must be kind or %s when %s is given: counts are kept per one of them and kind", q.Filter, q.Filter)
	if q.Bucket.Valid() && q.From.Before(q.To) {
		f.Check(q.To.Sub(q.From)/q.Bucket.Size() <= MaxBuckets, "bucket", "gives more than %d buckets in this window; take a longer one", MaxBuckets)
	}
	return f.Err()
}

// Latency is how long the calls that succeeded took, in milliseconds.
type Latency struct {
	MeanMS int64 `json:"mean_ms"`
	P50MS  int64 `json:"p50_ms"`
	P95MS  int64 `json:"p95_ms"`
}

// ErrorCount is how many attempts failed with a class.
type ErrorCount struct {
	Class fault.Class `json:"class"`
	Count int64       `json:"count"`
}

// Figures are a cell as a report shows it.
type Figures struct {
	Calls     int64 `json:"calls"`
	Succeeded int64 `json:"succeeded"`
	Failed    int64 `json:"failed"`
	// SuccessRate is absent when nothing succeeded or failed.
	SuccessRate  *float64     `json:"success_rate,omitempty"`
	Latency      *Latency     `json:"latency,omitempty"`
	Credits      int64        `json:"credits"`
	CostMicroUSD int64        `json:"cost_micro_usd"`
	Losses       int64        `json:"losses"`
	Errors       []ErrorCount `json:"errors"`
}

// Point is one bucket of a report.
type Point struct {
	At time.Time `json:"at"`
	Figures
}

// Group is the part of a report that concerns one key.
type Group struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Figures
	Buckets []Point `json:"buckets"`
}

// Report is what happened in a window.
type Report struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Bucket   Bucket    `json:"bucket"`
	Totals   Figures   `json:"totals"`
	Previous Figures   `json:"previous"`
	Buckets  []Point   `json:"buckets"`
	By       Dimension `json:"by,omitempty"`
	Groups   []Group   `json:"groups,omitzero"`
}

// Build reads the cells of the window and of the one before it, and reports.
// The number of reads depends on the buckets and keys in the window alone. It
// returns the error of Check, or the source's.
func Build(ctx context.Context, source Source, q Query) (Report, error) {
	if err := q.Check(); err != nil {
		return Report{}, err
	}
	main := q.main()
	length := q.To.Sub(q.From)
	selection := Selection{Bucket: q.Bucket, Dimension: main, Key: q.Key, From: q.From.Add(-length), To: q.To}
	if q.By == ByArm {
		selection.Key = ""
	}
	rows, err := source.Cells(ctx, selection)
	if err != nil {
		return Report{}, fmt.Errorf("read statistics: %w", err)
	}
	rows = slices.DeleteFunc(rows, func(r Row) bool { return !q.counts(r) })
	now := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.At.Before(q.From) })
	before := slices.DeleteFunc(rows, func(r Row) bool { return !r.At.Before(q.From) })
	report := Report{
		From: q.From, To: q.To, Bucket: q.Bucket, By: q.By,
		Totals: figures(total(now)), Previous: figures(total(before)), Buckets: points(now, q),
	}
	if q.By == "" {
		return report, nil
	}
	if q.By != main && q.Filter == "" {
		if now, err = source.Cells(ctx, Selection{Bucket: q.Bucket, Dimension: q.By, From: q.From, To: q.To}); err != nil {
			return Report{}, fmt.Errorf("read statistics by %s: %w", q.By, err)
		}
		now = slices.DeleteFunc(now, func(r Row) bool { return q.Kind != "" && r.Kind != q.Kind })
	}
	report.Groups = groups(now, q)
	return report, nil
}

// main is the dimension that the totals are of.
func (q Query) main() Dimension {
	switch {
	case q.By == ByArm:
		return ByArm // of which a model's arms are a part
	case q.Filter != "":
		return q.Filter
	case q.By == ByConfig || q.By == ByProvider:
		return q.By // so that the totals count attempts, as the groups do
	default:
		return ByKind
	}
}

// counts reports whether a row that was read is asked for.
func (q Query) counts(r Row) bool {
	if q.By == ByArm && q.Filter == ByModel {
		if model, _ := ArmOf(r.Key); model != q.Key {
			return false
		}
	}
	return q.Kind == "" || r.Kind == q.Kind
}

func total(rows []Row) Cell {
	var sum Cell
	for _, r := range rows {
		sum = sum.Add(r.Cell)
	}
	return sum
}

// points returns every bucket of the window, those without calls too.
func points(rows []Row, q Query) []Point {
	cells := map[int64]Cell{}
	for _, r := range rows {
		cells[r.At.Unix()] = cells[r.At.Unix()].Add(r.Cell)
	}
	list := make([]Point, 0, q.To.Sub(q.From)/q.Bucket.Size())
	for at := q.From; at.Before(q.To); at = at.Add(q.Bucket.Size()) {
		list = append(list, Point{At: at, Figures: figures(cells[at.Unix()])})
	}
	return list
}

func groups(rows []Row, q Query) []Group {
	byKey := map[string][]Row{}
	for _, r := range rows {
		key := r.Key
		if q.By == ByKind {
			key = string(r.Kind)
		}
		byKey[key] = append(byKey[key], r)
	}
	list := make([]Group, 0, len(byKey))
	for key, rows := range byKey {
		list = append(list, Group{Key: key, Label: key, Figures: figures(total(rows))})
	}
	slices.SortFunc(list, func(a, b Group) int { return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Key, b.Key)) })
	list = list[:min(maxGroups, len(list))]
	for i := range list {
		list[i].Buckets = points(byKey[list[i].Key], q)
	}
	return list
}

func figures(c Cell) Figures {
	f := Figures{
		Calls: c.Calls, Succeeded: c.Succeeded, Failed: c.Failed, Credits: c.Credits,
		CostMicroUSD: c.CostMicroUSD, Losses: c.Losses, Errors: []ErrorCount{},
	}
	if ended := c.Succeeded + c.Failed; ended > 0 {
		rate := float64(c.Succeeded) / float64(ended)
		f.SuccessRate = &rate
	}
	if c.Succeeded > 0 {
		f.Latency = &Latency{MeanMS: c.LatencyMS / c.Succeeded, P50MS: c.Quantile(0.5), P95MS: c.Quantile(0.95)}
	}
	for _, class := range slices.Sorted(maps.Keys(c.Errors)) {
		f.Errors = append(f.Errors, ErrorCount{Class: class, Count: c.Errors[class]})
	}
	slices.SortStableFunc(f.Errors, func(a, b ErrorCount) int { return cmp.Compare(b.Count, a.Count) })
	return f
}
