package stats

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/task"
	"easel/shared/usage"
)

// Dimension is what cells are kept apart by. Every cell is also kept apart by kind.
type Dimension string

// The dimensions. Cells of kind, model and account count ended tasks; cells of
// config, provider and arm count the attempts of ended tasks.
const (
	ByKind     Dimension = "kind"
	ByModel    Dimension = "model"
	ByAccount  Dimension = "account"
	ByConfig   Dimension = "config"
	ByProvider Dimension = "provider"
	// ByArm counts attempts at the config that the routing of a task's model drew
	// for it, where that is by split or weight. Attempts that failover made elsewhere
	// are no arm's, so that arms can be compared.
	ByArm Dimension = "arm"
)

// Valid reports whether d is one of the dimensions.
func (d Dimension) Valid() bool {
	switch d {
	case ByKind, ByModel, ByAccount, ByConfig, ByProvider, ByArm:
		return true
	}
	return false
}

// Part is what one record adds to one dimension.
type Part struct {
	Dimension Dimension `json:"dimension"`
	// Key is the model, account, config or provider; for ByKind it is the kind, and
	// for ByArm that of [ArmKey].
	Key  string          `json:"key"`
	Kind generation.Kind `json:"kind"`
	// At is the minute in which the task ended.
	At   time.Time `json:"at"`
	Cell Cell      `json:"cell"`
}

// ArmKey is the key of a model's arm.
func ArmKey(model, arm string) string { return model + "/" + arm }

// ArmOf returns the model and the arm of a key.
func ArmOf(key string) (model, arm string) {
	at := strings.LastIndex(key, "/") // an arm has none
	if at < 0 {
		return "", key
	}
	return key[:at], key[at+1:]
}

// place is what two parts must share to be counted in the same cells.
type place struct {
	dimension Dimension
	key       string
	kind      generation.Kind
	at        int64
}

func (p Part) place() place { return place{p.Dimension, p.Key, p.Kind, p.At.Unix()} }

// Of returns what a record is counted as, in a fixed order.
func Of(r usage.Record) []Part {
	at := r.FinishedAt
	if at.IsZero() {
		at = r.CreatedAt
	}
	at = at.UTC().Truncate(time.Minute)
	whole := ofTask(r)
	parts := map[place]Part{}
	add := func(d Dimension, key string, c Cell) {
		if key == "" {
			return
		}
		p := Part{Dimension: d, Key: key, Kind: r.Kind, At: at}
		p.Cell = parts[p.place()].Cell.Add(c)
		parts[p.place()] = p
	}
	add(ByKind, string(r.Kind), whole)
	add(ByModel, r.Model, whole)
	add(ByAccount, r.Account, whole)
	for _, a := range r.Attempts {
		c := ofAttempt(a, r)
		add(ByConfig, a.Config, c)
		add(ByProvider, a.Provider, c)
		if a.Arm != "" {
			add(ByArm, ArmKey(r.Model, a.Arm), c)
		}
	}
	return sorted(parts)
}

func ofTask(r usage.Record) Cell {
	c := Cell{Calls: 1, Credits: r.Credits, CostMicroUSD: r.Usage.CostMicroUSD}
	switch r.Status {
	case task.Succeeded:
		c = succeeded(c, r.LatencyMS)
	case task.Failed, task.Expired:
		c.Failed = 1
	default: // a canceled task is a call that neither succeeded nor failed
	}
	if r.Loss {
		c.Losses = 1
	}
	for _, a := range r.Attempts {
		c = c.Add(Cell{Errors: failure(a)})
	}
	return c
}

func ofAttempt(a task.Attempt, r usage.Record) Cell {
	c := Cell{Calls: 1, CostMicroUSD: a.Usage.CostMicroUSD, Errors: failure(a)}
	switch a.Outcome {
	case task.Delivered:
		c = succeeded(c, a.LatencyMS)
		c.Credits = r.Credits
	case task.Rejected, task.Broken, task.Unknown:
		c.Failed = 1
	default: // abandoned or still open at the provider: neither
	}
	if a.Outcome == task.Abandoned && r.Loss {
		c.Losses = 1
	}
	return c
}

func succeeded(c Cell, latency int64) Cell {
	latency = max(0, latency)
	c.Succeeded, c.LatencyMS = 1, latency
	c.Latencies = map[int]int64{LatencyBucket(latency): 1}
	return c
}

// failure is the attempt's class, if it failed with one.
func failure(a task.Attempt) map[fault.Class]int64 {
	if a.Class == "" || a.Outcome == task.Delivered {
		return nil
	}
	return map[fault.Class]int64{a.Class: 1}
}

// Diff returns what must be added to cells that counted before so that they count
// after instead: nothing where both agree, and negative parts where a record
// left a cell. Of counting a record, changing it, and counting it again, the
// cells keep exactly the last: before + Diff(after, before) = after.
func Diff(after, before []Part) []Part {
	parts := map[place]Part{}
	for _, p := range after {
		parts[p.place()] = p
	}
	for _, p := range before {
		known, ok := parts[p.place()]
		if !ok {
			known = p
			known.Cell = Cell{}
		}
		known.Cell = known.Cell.Sub(p.Cell)
		parts[p.place()] = known
	}
	maps.DeleteFunc(parts, func(_ place, p Part) bool { return p.Cell.Zero() })
	return sorted(parts)
}

// Sum returns the parts of both, those of one place joined.
func Sum(a, b []Part) []Part {
	parts := map[place]Part{}
	for _, p := range slices.Concat(a, b) {
		p.Cell = parts[p.place()].Cell.Add(p.Cell)
		parts[p.place()] = p
	}
	maps.DeleteFunc(parts, func(_ place, p Part) bool { return p.Cell.Zero() })
	return sorted(parts)
}

func sorted(parts map[place]Part) []Part {
	return slices.SortedFunc(maps.Values(parts), func(a, b Part) int {
		return cmp.Or(cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Kind, b.Kind), a.At.Compare(b.At))
	})
}
