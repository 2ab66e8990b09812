// Package failover decides which provider config is asked next, when, and when
// to stop. It decides from the recorded attempts alone, so a process that takes
// a task over after a crash decides as the first one would have.
package failover

import (
	"encoding/json"
	"hash/fnv"
	"sort"
	"time"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/settings"
	"easel/shared/task"
)

// Candidate is one config that can serve a request, and what it is to be asked for.
type Candidate struct {
	Config settings.Config
	// Model is the upstream model to send.
	Model string
	// Endpoint is the path to use; "" is the protocol's usual one.
	Endpoint string
	// CostMicroUSD is the provider's price of one unit; 0 is not known.
	CostMicroUSD int64
	// Arm is the arm of a split or weighted routing that the task was drawn for,
	// where it is this candidate's; "" otherwise.
	Arm string
}

// Key names the candidate's model at its config, for what concerns that model alone.
func (c Candidate) Key() string { return c.Config.ID + "/" + c.Model }

// Candidates returns the active configs that serve the model, in the order in
// which they are to be tried: by priority, and by id where that is equal.
//
// An auto model is served by every active config of its kind that has an
// upstream model of its own. Any other model is served by the configs whose
// provider the catalog lists for it, and by those whose config data has a
// "models" object that names it.
func Candidates(m catalog.Model, configs []settings.Config) []Candidate {
	var list []Candidate
	for _, c := range configs {
		if !c.Active || c.Kind != m.Kind {
			continue
		}
		if candidate, ok := serve(m, c); ok {
			list = append(list, candidate)
		}
	}
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i].Config, list[j].Config
		if a.Priority != b.Priority {
			return a.Priority < b.Priority
		}
		return a.ID < b.ID
	})
	return list
}

func serve(m catalog.Model, c settings.Config) (Candidate, bool) {
	if own := ownModels(c)[m.Name]; own != "" {
		return Candidate{Config: c, Model: own, Endpoint: c.Endpoint}, true
	}
	if m.Auto {
		return Candidate{Config: c, Model: c.Model, Endpoint: c.Endpoint}, c.Model != ""
	}
	up, ok := m.Upstream(c.Provider)
	if !ok {
		return Candidate{}, false
	}
	endpoint := up.Endpoint
	if endpoint == "" {
		endpoint = c.Endpoint
	}
	return Candidate{Config: c, Model: up.Model, Endpoint: endpoint, CostMicroUSD: up.CostMicroUSD}, true
}

// ownModels reads the "models" object of a config's data: public name to upstream name.
func ownModels(c settings.Config) map[string]string {
	var data struct {
		Models map[string]string `json:"models"`
	}
	if len(c.Data) == 0 || json.Unmarshal(c.Data, &data) != nil {
		return nil
	}
	return data.Models
}

// Action is what to do next with a task.
type Action int

// The actions.
const (
	// Stop: no attempt can help; Decision.Class says why.
	Stop Action = iota
	// Try: ask Decision.Candidate now.
	Try
	// Wait: nothing can be asked before Decision.At.
	Wait
)

// Decision is what to do next.
type Decision struct {
	Action    Action
	Candidate Candidate
	// At is when to ask again, for Wait.
	At time.Time
	// Class is why to stop: the class of the last attempt, "" when there was none.
	Class fault.Class
	// Capped is true when something could be asked but for the price cap.
	Capped bool
}

// Policy holds the constants of the decision. The zero value uses the defaults.
type Policy struct {
	// Base and Cap shape the backoff between tries of one config: the n-th wait is
	// uniform in [0, min(Cap, Base*2^(n-1))], known as full jitter. Defaults 500 ms and 20 s.
	Base, Cap time.Duration
	// MaxAttempts bounds a task's attempts over all configs. Default 24.
	MaxAttempts int
	// Patience is the longest wait for a config that cools down when nothing else
	// can be asked. Default 1 minute.
	Patience time.Duration
	// PriceCap is the most that all attempts of a task may cost together, in
	// micro-USD; 0 is no cap.
	PriceCap int64
	// Reserve is kept free before the deadline: no attempt starts later. Default 2 s.
	Reserve time.Duration
}

func (p Policy) withDefaults() Policy {
	def := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	def(&p.Base, 500*time.Millisecond)
	def(&p.Cap, 20*time.Second)
	def(&p.Patience, time.Minute)
	def(&p.Reserve, 2*time.Second)
	if p.MaxAttempts == 0 {
		p.MaxAttempts = 24
	}
	return p
}

// Readiness tells from when on a config may be asked; the zero time is now.
type Readiness interface {
	ReadyAt(config string, now time.Time) time.Time
}

// Always is a Readiness under which every config is ready.
type Always struct{}

// ReadyAt returns the zero time.
func (Always) ReadyAt(string, time.Time) time.Time { return time.Time{} }

// Situation is what a decision is made from.
type Situation struct {
	Candidates []Candidate
	// Attempts are the task's attempts so far; none of them may be open.
	Attempts []task.Attempt
	Now      time.Time
	// Deadline is the task's; nothing is tried that would start after it.
	Deadline time.Time
	// Health says which configs cool down; nil is Always.
	Health Readiness
	// Spent is what the attempts cost so far, in micro-USD, and Units how many units
	// of a candidate's price the next one asks for.
	Spent, Units int64
}

// Next decides. Configs that were not asked yet come first, in order, so that a
// caller waits for no backoff while another config is ready; then those whose
// last failure allows another try, each after its backoff and at most its
// MaxRetries times. It never repeats a submit whose outcome is not a refusal:
// an open attempt stops it. It asks nobody whose price would take the task's cost
// above the cap; while a price is not known, only what was spent counts.
func (p Policy) Next(s Situation) Decision {
	p = p.withDefaults()
	if s.Health == nil {
		s.Health = Always{}
	}
	last := fault.Class("")
	for _, a := range s.Attempts {
		last = a.Class
		if a.Outcome.Open() || Final(a.Class) {
			return Decision{Action: Stop, Class: a.Class}
		}
	}
	latest := s.Deadline.Add(-p.Reserve)
	if len(s.Attempts) >= p.MaxAttempts || !s.Now.Before(latest) {
		return Decision{Action: Stop, Class: last}
	}
	affordable := p.affordable(s)
	capped := len(affordable) < len(s.Candidates)
	s.Candidates = affordable
	best, at, found := p.soonest(s)
	switch {
	case !found || !at.Before(latest):
		return Decision{Action: Stop, Class: last, Capped: capped}
	case !at.After(s.Now):
		return Decision{Action: Try, Candidate: best}
	default:
		return Decision{Action: Wait, At: at, Candidate: best, Class: last}
	}
}

// affordable returns the candidates that the price cap allows.
func (p Policy) affordable(s Situation) []Candidate {
	if p.PriceCap <= 0 {
		return s.Candidates
	}
	list := make([]Candidate, 0, len(s.Candidates))
	for _, c := range s.Candidates {
		cost := c.CostMicroUSD * max(s.Units, 1)
		if s.Spent < p.PriceCap && s.Spent+cost <= p.PriceCap {
			list = append(list, c)
		}
	}
	return list
}

// soonest returns the candidate that may be asked first: the first fresh one
// that is ready, else the one with the earliest time.
func (p Policy) soonest(s Situation) (best Candidate, at time.Time, found bool) {
	var retries []Candidate
	consider := func(c Candidate, ready time.Time) {
		if !found || ready.Before(at) {
			best, at, found = c, ready, true
		}
	}
	for _, c := range s.Candidates {
		if tries, _ := history(s.Attempts, c.Config.ID); tries > 0 {
			retries = append(retries, c)
			continue
		}
		if ready := s.readyAt(c); ready.Sub(s.Now) <= p.Patience {
			consider(c, ready)
		}
	}
	if found && !at.After(s.Now) {
		return best, at, true
	}
	for _, c := range retries {
		tries, last := history(s.Attempts, c.Config.ID)
		if SameAgain(last.Class) && tries <= c.Config.MaxRetries {
			consider(c, maxTime(last.EndedAt.Add(p.backoff(tries, last.ID)), s.readyAt(c)))
		}
	}
	return best, at, found
}

// readyAt is when the candidate's cool-downs end, and Now when it has none.
func (s Situation) readyAt(c Candidate) time.Time {
	config := s.Health.ReadyAt(c.Config.ID, s.Now)
	model := s.Health.ReadyAt(c.Key(), s.Now)
	return maxTime(s.Now, maxTime(config, model))
}

func history(attempts []task.Attempt, config string) (tries int, last task.Attempt) {
	for _, a := range attempts {
		if a.Config == config {
			tries, last = tries+1, a
		}
	}
	return tries, last
}

// backoff is the wait after the n-th failure of one config. The jitter comes
// from the attempt's id, so that every process computes the same time.
func (p Policy) backoff(n int, seed string) time.Duration {
	ceiling := p.Cap
	if n < 30 {
		ceiling = min(p.Cap, p.Base<<(n-1))
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(seed))
	share := float64(h.Sum64()%(1<<20)) / (1 << 20)
	return time.Duration(share * float64(ceiling))
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Final reports whether a failure of this class ends the task: no provider
// would answer otherwise, or none may be asked.
func Final(c fault.Class) bool {
	return c == fault.ClassModerated || c == fault.ClassInvalidInput || c == fault.ClassStorage
}

// SameAgain reports whether the same config may be asked again after a refusal of this class.
func SameAgain(c fault.Class) bool {
	return c == fault.ClassConnect || c == fault.ClassUnavailable
}
