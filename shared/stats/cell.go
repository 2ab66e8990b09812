// Package stats is the operator's statistics: how a usage record is counted, how
// counts are kept per minute, hour and day, and what a report makes of them. It
// reads sums only, so a report costs the same for a thousand calls and for a
// thousand million.
package stats

import (
	"maps"
	"math"
	"slices"

	"easel/shared/fault"
)

// Cell is what was counted in one stretch of time. Its members are sums, so two
// cells are joined by [Cell.Add] in any order. The zero value is an empty cell.
type Cell struct {
	Calls     int64 `json:"calls,omitempty"`
	Succeeded int64 `json:"succeeded,omitempty"`
	Failed    int64 `json:"failed,omitempty"`
	Credits   int64 `json:"credits,omitempty"`
	// CostMicroUSD is what the providers cost, in millionths of a US dollar.
	CostMicroUSD int64 `json:"cost_micro_usd,omitempty"`
	Losses       int64 `json:"losses,omitempty"`
	// LatencyMS is the sum over the calls that succeeded.
	LatencyMS int64 `json:"latency_ms,omitempty"`
	// Latencies counts the calls that succeeded by their [LatencyBucket].
	Latencies map[int]int64 `json:"latencies,omitempty"`
	// Errors counts attempts that failed by their class.
	Errors map[fault.Class]int64 `json:"errors,omitempty"`
}

// Add returns the sum of both cells and shares nothing with either.
func (c Cell) Add(o Cell) Cell { return c.plus(o, 1) }

// Sub returns c without what o counted. A part may become negative: as an amount
// to add, it takes back what was counted before.
func (c Cell) Sub(o Cell) Cell { return c.plus(o, -1) }

func (c Cell) plus(o Cell, sign int64) Cell {
	return Cell{
		Calls: c.Calls + sign*o.Calls, Succeeded: c.Succeeded + sign*o.Succeeded, Failed: c.Failed + sign*o.Failed,
		Credits: c.Credits + sign*o.Credits, CostMicroUSD: c.CostMicroUSD + sign*o.CostMicroUSD,
		Losses: c.Losses + sign*o.Losses, LatencyMS: c.LatencyMS + sign*o.LatencyMS,
		Latencies: joined(c.Latencies, o.Latencies, sign), Errors: joined(c.Errors, o.Errors, sign),
	}
}

// joined adds two maps of counts; counts of zero are left out, and no counts are nil.
func joined[K comparable](a, b map[K]int64, sign int64) map[K]int64 {
	if len(a)+len(b) == 0 {
		return nil
	}
	sum := maps.Clone(a)
	if sum == nil {
		sum = make(map[K]int64, len(b))
	}
	for k, n := range b {
		sum[k] += sign * n
	}
	maps.DeleteFunc(sum, func(_ K, n int64) bool { return n == 0 })
	if len(sum) == 0 {
		return nil
	}
	return sum
}

// Zero reports whether nothing is counted.
func (c Cell) Zero() bool {
	return c.Calls == 0 && c.Succeeded == 0 && c.Failed == 0 && c.Credits == 0 && c.CostMicroUSD == 0 &&
		c.Losses == 0 && c.LatencyMS == 0 && len(c.Latencies) == 0 && len(c.Errors) == 0
}

// Four latency buckets per doubling: a bucket's bounds lie 19% apart, so its
// middle is within 9% of every latency in it.
const (
	perDoubling = 4
	// MaxLatencyBucket holds everything above 2^24 ms, which is 4.6 hours.
	MaxLatencyBucket = 24 * perDoubling
)

// LatencyBucket returns the number of the bucket that counts a latency: bucket 0
// is 1 ms and less, bucket k is above 2^((k-1)/4) and up to 2^(k/4) ms. Buckets
// of any two cells can be added, which percentiles themselves cannot.
func LatencyBucket(ms int64) int {
	if ms <= 1 {
		return 0
	}
	return min(int(math.Ceil(math.Log2(float64(ms))*perDoubling)), MaxLatencyBucket)
}

// Quantile returns the latency in ms below which the share q of the calls lies, 0
// to 1, to within 9%; 0 when nothing succeeded.
func (c Cell) Quantile(q float64) int64 {
	var total int64
	for _, n := range c.Latencies {
		total += n
	}
	rank := max(1, int64(math.Ceil(q*float64(total))))
	var seen int64
	for _, k := range slices.Sorted(maps.Keys(c.Latencies)) {
		if seen += c.Latencies[k]; seen >= rank {
			return middle(k)
		}
	}
	return 0
}

// middle is the geometric middle of a latency bucket in ms.
func middle(k int) int64 {
	if k == 0 {
		return 1
	}
	return int64(math.Round(math.Exp2((float64(k) - 0.5) / perDoubling)))
}
