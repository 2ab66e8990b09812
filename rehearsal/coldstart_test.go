package rehearsal_test

import (
	"maps"
	"slices"
	"testing"
	"time"
)

// BenchmarkColdStart measures, per function, the time from the start of its
// process until it asks for work (init-ms) and until its first answer is complete
// (first-answer-ms), with the size of the binary (MB). It is this machine's time
// over loopback: Lambda's own part of a cold start is not in it.
func BenchmarkColdStart(b *testing.B) {
	s := deploy(b)
	for _, name := range slices.Sorted(maps.Keys(s.Functions)) {
		b.Run(name, func(b *testing.B) {
			var inits, firsts []time.Duration
			var size int64
			for b.Loop() {
				c, err := s.ColdStart(b.Context(), name)
				if err != nil {
					b.Fatal(err)
				}
				inits, firsts, size = append(inits, c.Init), append(firsts, c.First), c.Bytes
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(inits), "init-ms")
			b.ReportMetric(median(firsts), "first-answer-ms")
			b.ReportMetric(float64(size)/1e6, "MB")
		})
	}
}

func median(times []time.Duration) float64 {
	slices.Sort(times)
	return float64(times[len(times)/2].Microseconds()) / 1000
}

func TestEveryFunctionAnswersItsFirstEvent(t *testing.T) {
	t.Parallel()
	s := deploy(t)
	for name := range s.Functions {
		c, err := s.ColdStart(t.Context(), name)
		if err != nil || c.Init <= 0 || c.First < c.Init {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}
