package failover

import (
	"hash/fnv"
	"math"
	"sort"
	"time"

	"easel/shared/catalog"
)

// Latencies tells how quickly a config answered lately; ok is false for one that
// nothing is known of.
type Latencies interface {
	Latency(config string) (d time.Duration, ok bool)
}

// Route orders candidates by the model's policy. Draws come from the seed alone,
// so that every process orders a task's candidates alike: give it the task's id,
// or the user where the policy is sticky. latencies may be nil. Under a policy that
// draws, the candidate that was drawn has its arm set.
func Route(routing catalog.Routing, list []Candidate, seed string, latencies Latencies) []Candidate {
	ordered := append([]Candidate(nil), list...)
	less := func(rank func(Candidate) float64) {
		sort.SliceStable(ordered, func(i, j int) bool { return rank(ordered[i]) < rank(ordered[j]) })
	}
	switch routing.Policy {
	case catalog.Weighted:
		less(func(c Candidate) float64 { return draw(seed, c.Config.ID, float64(c.Config.Weight)) })
	case catalog.LowestCost:
		less(func(c Candidate) float64 {
			if c.CostMicroUSD == 0 {
				return math.Inf(1)
			}
			return float64(c.CostMicroUSD)
		})
	case catalog.LowestLatency:
		if latencies != nil {
			less(func(c Candidate) float64 {
				d, _ := latencies.Latency(c.Config.ID)
				return float64(d)
			})
		}
	case catalog.Split:
		arm := drawArm(routing.Arms, seed)
		less(func(c Candidate) float64 {
			if c.Config.ID == arm.Config {
				return 0
			}
			return 1
		})
		if len(ordered) > 0 && (arm.Config == "" || ordered[0].Config.ID == arm.Config) {
			ordered[0].Arm = arm.Name()
		}
	default:
	}
	if routing.Policy == catalog.Weighted && len(ordered) > 0 {
		ordered[0].Arm = ordered[0].Config.ID
	}
	return ordered
}

// draw is a config's place in a weighted order without replacement: -ln(u)/w is
// exponentially distributed with rate w, and the smallest of several such values
// belongs to each with probability w over the sum of the weights (Efraimidis and
// Spirakis, 2006).
func draw(seed, config string, weight float64) float64 {
	if weight <= 0 {
		return math.Inf(1)
	}
	return -math.Log(uniform(seed+"/"+config)) / weight
}

// drawArm returns the arm whose share of [0, 100) the seed falls into, one without
// a config for the part that no arm has.
func drawArm(arms []catalog.Arm, seed string) catalog.Arm {
	at := uniform(seed) * 100
	for _, arm := range arms {
		if at -= float64(arm.Percent); at < 0 {
			return arm
		}
	}
	return catalog.Arm{Label: catalog.Rest}
}

// uniform turns text into a number in (0, 1).
func uniform(text string) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	// FNV's high bits mix badly for short texts: finish as splitmix64 does.
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	return (float64(x>>11) + 0.5) / (1 << 53)
}
