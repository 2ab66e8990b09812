package adminapi

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"easel/shared/failover"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/health"
	"easel/shared/httpapi"
	limits "easel/shared/limit"
	"easel/shared/settings"
)

// Monitor is the health that all instances share; *health.Monitor is the one.
type Monitor interface {
	State(ctx context.Context) ([]health.ConfigState, error)
	Reset(ctx context.Context, config string) error
	failover.Readiness
}

// Shared is a [Health] over what the instances share: breakers, rates and places.
type Shared struct {
	Monitor Monitor
	Meter   limits.Meter
	Now     func() time.Time
}

// Health implements [Health] with one query for all breakers and one batch of
// reads for the limits of the configs that have any.
func (s Shared) Health(ctx context.Context, configs []settings.Config) (map[string]ConfigHealth, error) {
	states, err := s.Monitor.State(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]ConfigHealth{}
	for _, state := range states {
		if state.Model == "" {
			known[state.Config] = s.of(state)
		}
	}
	return known, s.use(ctx, configs, known)
}

func (s Shared) of(state health.ConfigState) ConfigHealth {
	c := ConfigHealth{
		ConfigID: state.Config, Since: state.Since, Breaker: state.Breaker, ReadyAt: state.ReadyAt,
		ConsecutiveFailures: state.Failures, State: HealthHealthy,
	}
	if e := state.LastError; e != nil {
		c.LastError = &LastError{Class: e.Class, Message: e.Message, Detail: e.Detail, Status: e.Status, At: e.At}
	}
	switch {
	case state.Breaker != "closed":
		c.State = HealthDown
	case state.ReadyAt.After(s.Now()):
		c.State = HealthCooling
	case state.Failures > 0:
		c.State = HealthDegraded
	}
	return c
}

// use adds how much of their limits the configs use now.
func (s Shared) use(ctx context.Context, configs []settings.Config, known map[string]ConfigHealth) error {
	var rules []string
	limited := map[string]settings.Config{}
	for _, c := range configs {
		if rule := limits.ForConfig(c); !rule.Unlimited() && len(rules) < maxMetered {
			rules = append(rules, rule.Name)
			limited[rule.Name] = c
		}
	}
	if len(rules) == 0 {
		return nil
	}
	now := s.Now()
	uses, err := s.Meter.Uses(ctx, rules, now)
	if err != nil {
		return err
	}
	for _, use := range uses {
		c := limited[use.Rule]
		state, ok := known[c.ID]
		if !ok {
			state = ConfigHealth{ConfigID: c.ID, Breaker: "closed", State: HealthHealthy}
		}
		if c.RatePerMinute > 0 {
			state.Rate = &RateState{
				Limit: c.RatePerMinute, Used: use.Taken, Remaining: max(c.RatePerMinute-use.Taken, 0),
				ResetsAt: now.Truncate(time.Minute).Add(time.Minute),
			}
		}
		if c.Concurrency > 0 {
			state.Concurrency = &ConcurrentUse{Limit: c.Concurrency, InUse: use.InUse}
		}
		known[c.ID] = state
	}
	return nil
}

// maxMetered is how many configs' limits one answer can show.
const maxMetered = 50

// resetHealth closes a config's breakers, for an operator who has mended what
// was wrong.
func (h *handler) resetHealth(w http.ResponseWriter, r *http.Request) error {
	c, err := h.config(r)
	if err != nil {
		return err
	}
	if h.Monitor == nil {
		return fault.New(fault.Unavailable, "this deployment shares no health between its instances")
	}
	err = h.act(r, "config.reset", configObject(c), nil, func(ctx context.Context) (any, error) {
		return nil, h.Monitor.Reset(ctx, c.ID)
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// route explains, without calling anybody, which configs would be tried for a
// request, in which order and why.
func (h *handler) route(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Kind    generation.Kind `json:"kind"`
		Model   string          `json:"model"`
		Account string          `json:"account"`
		User    string          `json:"user"`
		Task    string          `json:"task"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	view, err := h.Views.View(r.Context())
	if err != nil {
		return err
	}
	if body.Kind == "" && body.Model == "" {
		body.Kind = generation.Image
	}
	m, err := view.Models.Resolve(body.Kind, body.Model)
	if err != nil {
		return err
	}
	seed := body.Task
	if seed == "" || m.Routing.Sticky && body.User != "" {
		seed = cmp.Or(body.Account, callerOf(r).Account) + "/" + body.User
	}
	var readiness failover.Readiness = failover.Always{}
	if h.Monitor != nil {
		readiness = h.Monitor
	}
	return httpapi.Write(w, http.StatusOK, map[string]any{
		"model": m.Name, "kind": m.Kind, "policy": string(m.Routing.Policy),
		"configs": failover.Explain(m.Model, view.Configs, seed, readiness, h.Latencies, h.Now()),
	})
}

// mended closes a config's breakers after its key was replaced: what the old key
// did says nothing about the new one. A store that fails only lets them close by
// a probe.
func (h *handler) mended(r *http.Request, c settings.Config) {
	if h.Monitor == nil || c.SecretName == "" {
		return
	}
	if err := h.Monitor.Reset(r.Context(), c.ID); err != nil {
		h.Log.WarnContext(r.Context(), "the breaker of a config with a new key was not closed", "config", c.ID, "error", err)
	}
}
