package failover

import (
	"fmt"
	"time"

	"easel/shared/catalog"
	"easel/shared/settings"
)

// Verdict says what would become of one config if a task came now.
type Verdict struct {
	Config string `json:"config"`
	Name   string `json:"name"`
	// Place is the order in which it would be tried, from 1; 0 is never.
	Place int `json:"place"`
	// Model is what it would be asked for.
	Model  string `json:"model,omitempty"`
	Reason string `json:"reason"`
	// Arm is the arm that was drawn, where this config is its first: what statistics
	// count its attempts under.
	Arm string `json:"arm,omitempty"`
}

// Explain says, for every config, whether and in which place it would be tried
// for the model, and why.
func Explain(m catalog.Model, configs []settings.Config, seed string, health Readiness, latencies Latencies, now time.Time) []Verdict {
	if health == nil {
		health = Always{}
	}
	s := Situation{Now: now, Health: health}
	var list []Verdict
	place := 0
	served := map[string]bool{}
	for _, c := range Route(m.Routing, Candidates(m, configs), seed, latencies) {
		served[c.Config.ID] = true
		v := Verdict{Config: c.Config.ID, Name: c.Config.Name, Model: c.Model, Arm: c.Arm}
		if wait := s.readyAt(c).Sub(now); wait > 0 {
			v.Reason = fmt.Sprintf("cools down for %s after a failure", wait.Round(time.Second))
		} else {
			place++
			v.Place, v.Reason = place, why(m.Routing, c, seed, latencies)
		}
		list = append(list, v)
	}
	for _, c := range configs {
		if !served[c.ID] {
			list = append(list, Verdict{Config: c.ID, Name: c.Name, Reason: whyNot(m, c)})
		}
	}
	return list
}

func why(r catalog.Routing, c Candidate, seed string, latencies Latencies) string {
	switch r.Policy {
	case catalog.Weighted:
		return fmt.Sprintf("drawn with weight %d", c.Config.Weight)
	case catalog.LowestCost:
		if c.CostMicroUSD == 0 {
			return "its cost is not known"
		}
		return fmt.Sprintf("costs %d micro-USD", c.CostMicroUSD)
	case catalog.LowestLatency:
		if latencies != nil {
			if d, ok := latencies.Latency(c.Config.ID); ok {
				return fmt.Sprintf("answered in %d ms lately", d.Milliseconds())
			}
		}
		return "nothing is known of its latency"
	case catalog.Split:
		if drawArm(r.Arms, seed).Config == c.Config.ID {
			return "drawn as an arm of the split"
		}
		return fmt.Sprintf("priority %d, behind the arm that was drawn", c.Config.Priority)
	default:
		return fmt.Sprintf("priority %d", c.Config.Priority)
	}
}

func whyNot(m catalog.Model, c settings.Config) string {
	switch {
	case !c.Active:
		return "is not active"
	case c.Kind != m.Kind:
		return fmt.Sprintf("serves %s, not %s", c.Kind, m.Kind)
	case m.Auto:
		return "has no upstream model for the default model"
	case m.Configured:
		return "its data does not name " + m.Name
	default:
		return fmt.Sprintf("its provider %s does not serve %s", c.Provider, m.Name)
	}
}
