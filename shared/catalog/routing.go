package catalog

import (
	"fmt"
	"regexp"

	"easel/shared/fault"
)

// Policy is the order in which the configs that serve a model are tried.
type Policy string

// The policies. Whatever the order, failover goes on through all of it.
const (
	// ByPriority tries the lowest priority number first. It is the default.
	ByPriority Policy = "priority"
	// Weighted draws the first config by chance in proportion to the weights, then
	// the second among the rest, and so on. Weight 0 comes last.
	Weighted Policy = "weighted"
	// LowestLatency tries the config first that was quickest lately; one that
	// nothing is known of is tried before all others, once.
	LowestLatency Policy = "latency"
	// LowestCost tries the cheapest config first; an unknown cost comes last.
	LowestCost Policy = "cost"
	// Split draws the first config by the percentages of Routing.Arms and tries
	// the others by priority.
	Split Policy = "split"
)

// Routing is how a model's tasks are spread over configs. The zero value is by
// priority.
type Routing struct {
	Policy Policy `json:"policy,omitempty"`
	// Arms share the traffic under Split; what they leave of 100 goes by priority.
	Arms []Arm `json:"arms,omitempty"`
	// Sticky makes every task of one user draw the same under Weighted and Split.
	Sticky bool `json:"sticky,omitempty"`
}

// Arm is one config's share of a model's traffic, for an A/B test or a canary.
type Arm struct {
	Config  string `json:"config"`
	Percent int    `json:"percent"`
	// Label names the arm in statistics; "" is the config's id.
	Label string `json:"label,omitempty"`
}

// Name is what the arm is counted under.
func (a Arm) Name() string {
	if a.Label != "" {
		return a.Label
	}
	return a.Config
}

// Rest is the arm of what the arms of a split leave of 100 percent: it goes by
// priority.
const Rest = "rest"

// labelForm keeps labels apart from what they are joined with in statistics.
var labelForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,40}$`)

func (r Routing) check(f *fault.Fields) {
	switch r.Policy {
	case "", ByPriority, Weighted, LowestLatency, LowestCost:
		f.Check(len(r.Arms) == 0, "routing.arms", "belong to the policy split")
	case Split:
		f.Check(len(r.Arms) > 0, "routing.arms", "must name at least one config")
	default:
		f.Add("routing.policy", "must be priority, weighted, latency, cost or split")
	}
	sum := 0
	seen, names := map[string]bool{}, map[string]bool{Rest: true}
	for i, arm := range r.Arms {
		field := fmt.Sprintf("routing.arms[%d]", i)
		f.Check(arm.Config != "" && !seen[arm.Config], field+".config", "must be a config's id, each once")
		f.Check(arm.Percent >= 0 && arm.Percent <= 100, field+".percent", "must be 0 to 100")
		f.Check(arm.Label == "" || labelForm.MatchString(arm.Label), field+".label", "must have 1 to 40 letters, digits or . _ -")
		f.Check(!names[arm.Name()] || arm.Label == "", field+".label", "must differ from the other arms' and from %q", Rest)
		seen[arm.Config], names[arm.Name()] = true, true
		sum += arm.Percent
	}
	f.Check(sum <= 100, "routing.arms", "must not have more than 100 percent together")
}
