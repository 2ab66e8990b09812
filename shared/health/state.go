package health

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"easel/shared/fault"
)

// ConfigState is how one name is, for the operator.
type ConfigState struct {
	// Config is the config's id; Model is the upstream model when the state is that
	// of one model only.
	Config string `json:"config_id"`
	Model  string `json:"model,omitempty"`
	// Breaker is "closed", "open" or "half_open".
	Breaker string `json:"breaker"`
	// Since is when the breaker last changed.
	Since time.Time `json:"since,omitzero"`
	// DownSince is when it last left closed; zero while it is closed.
	DownSince time.Time `json:"down_since,omitzero"`
	// ReadyAt is the end of the cool-down, or when the next probe may go.
	ReadyAt time.Time `json:"ready_at,omitzero"`
	// Class is why it is open or cools down.
	Class fault.Class `json:"class,omitempty"`
	// Held is true when an operator must mend something, or a probe succeed.
	Held bool `json:"held,omitempty"`
	// Failures and Successes are what was counted in the last 15 to 30 seconds;
	// successes only since something failed.
	Failures  int `json:"failures"`
	Successes int `json:"successes"`
	// Opens counts openings in a row.
	Opens int `json:"opens,omitempty"`
	// Share is the part of the requests that passes, 0 to 1.
	Share float64 `json:"share"`
	// LastError is the last failure that was written; nil when there is none.
	LastError *Error `json:"last_error,omitempty"`
}

// State returns how every name is that ever failed, in order, read from the store
// now. A config that it does not name never failed, or not for a week.
//
// Cost: one Query.
func (m *Monitor) State(ctx context.Context) ([]ConfigState, error) {
	if err := m.read(ctx, m.options.Now()); err != nil {
		return nil, err
	}
	return m.Known(), nil
}

// Known returns what State does, as far as this instance knows, at no cost.
func (m *Monitor) Known() []ConfigState {
	now := m.options.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	states := make([]ConfigState, 0, len(m.shared))
	for _, r := range m.shared {
		states = append(states, r.state(now, m.policy))
	}
	slices.SortFunc(states, func(a, b ConfigState) int {
		return strings.Compare(a.Config+"/"+a.Model, b.Config+"/"+b.Model)
	})
	return states
}

// split returns the config and the model that a name stands for; most have no model.
func split(name string) (config, model string) {
	config, model, _ = strings.Cut(name, "/")
	return config, model
}

func (r Record) state(now time.Time, p Policy) ConfigState {
	phase := r.at(now, p)
	s := ConfigState{Breaker: "half_open", Since: r.Since, DownSince: r.DownSince, Opens: r.Opens, LastError: r.Last}
	s.Config, s.Model = split(r.Name)
	s.Successes, s.Failures = r.recent(now, p)
	if r.Until.After(now) {
		s.ReadyAt, s.Class = r.Until, r.Class
	}
	switch phase {
	case Closed:
		s.Breaker, s.Share, s.DownSince = "closed", 1, time.Time{}
		if r.Phase == Ramping {
			s.Since = r.RampedAt.Add(p.Ramp)
		}
	case Ramping:
		s.Share = r.share(now, p)
	case Open:
		s.Breaker, s.Class, s.Held = "open", r.Class, heldBy(r.Class)
	case Probing:
		s.Class, s.Held = r.Class, heldBy(r.Class)
	}
	return s
}

// Down is a name whose breaker is open.
type Down struct {
	// Name is what Enter and Report are to be told.
	Name string
	// Config is the config's id; Model is the upstream model when it is about one
	// model only.
	Config, Model string
	// Class is why it opened.
	Class fault.Class
}

// Due returns the names whose breaker may be probed now, those first that have
// been due the longest, as far as this instance knows. A caller that can find out
// at no cost whether they work again, such as by listing a provider's models,
// calls Probe, asks, and calls Report.
func (m *Monitor) Due(now time.Time) []Down {
	m.mu.Lock()
	defer m.mu.Unlock()
	var due []Record
	for name, r := range m.shared {
		if r.due(now, m.policy) {
			r.Name = name
			due = append(due, r)
		}
	}
	slices.SortFunc(due, func(a, b Record) int { return cmp.Or(a.Until.Compare(b.Until), cmp.Compare(a.Name, b.Name)) })
	downs := make([]Down, 0, len(due))
	for _, r := range due {
		d := Down{Name: r.Name, Class: r.Class}
		d.Config, d.Model = split(r.Name)
		downs = append(downs, d)
	}
	return downs
}

// Reset closes the breakers of the config and of all its models, whatever they
// opened for, at every instance within Policy.Refresh. To be called for an
// operator who has mended something, such as after a key was replaced. It is no
// error when nothing is known about the config.
func (m *Monitor) Reset(ctx context.Context, config string) error {
	now := m.options.Now()
	if err := m.read(ctx, now); err != nil {
		return err
	}
	var failed error
	for _, name := range m.names() {
		if name == config || strings.HasPrefix(name, config+"/") {
			if err := m.reset(ctx, name, now); err != nil {
				failed = errors.Join(failed, fmt.Errorf("reset the health of %s: %w", name, err))
			}
		}
	}
	return failed
}

func (m *Monitor) reset(ctx context.Context, name string, now time.Time) error {
	for range rounds {
		m.mu.Lock()
		base := m.shared[name]
		delete(m.tallies, name)
		m.mu.Unlock()
		if base.Version == 0 && base.Window == 0 {
			return nil
		}
		base.Name = name
		stored, ok, err := m.save(ctx, base, base.reset(now), m.learn)
		if err != nil || ok {
			return err
		}
		m.learn(stored)
	}
	return fault.New(fault.Conflict, "the health of %s changes too fast; try again", name)
}
