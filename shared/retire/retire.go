// Package retire looks once a day whether vendors still serve the models that
// the catalog sends to them: it compares what the active configs may be asked for
// with the list of models that their vendor gives for their key. What is missing,
// or announced to end within thirty days, is a [Finding] for the operator.
//
// A vendor without such a list is not looked at; the days that the catalog itself
// knows are looked at for every model.
package retire

import (
	"cmp"
	"slices"
	"time"

	"easel/shared/catalog"
	"easel/shared/failover"
	"easel/shared/provider"
	"easel/shared/settings"
)

// Soon is how long before a model's end it becomes a finding.
const Soon = 30 * 24 * time.Hour

// Problem is what is wrong with a model.
type Problem string

// The problems.
const (
	// Missing is a model that the vendor does not list for the config's key.
	Missing Problem = "missing"
	// Retiring is a model whose announced end is near.
	Retiring Problem = "retiring"
	// Ended is a model whose announced end has come.
	Ended Problem = "ended"
)

// Finding is one model that needs an operator.
type Finding struct {
	Problem Problem `json:"problem"`
	// Model is the public name, and Upstream what the vendor calls it; "" where the
	// catalog itself has the day.
	Model    string `json:"model"`
	Upstream string `json:"upstream,omitempty"`
	// Config is the config that would send it, "" where the catalog has the day.
	Config   string `json:"config,omitempty"`
	Provider string `json:"provider,omitempty"`
	// RetiresAt is the announced end of a model that retires or has ended.
	RetiresAt time.Time `json:"retires_at,omitzero"`
	// Since is when a check found it first.
	Since time.Time `json:"since"`
}

// same identifies a finding from one day to the next.
func (f Finding) same() [4]string {
	return [4]string{string(f.Problem), f.Model, f.Upstream, f.Config}
}

// Skip is a config that could not be looked at.
type Skip struct {
	Config   string `json:"config"`
	Provider string `json:"provider"`
	// Reason is why, without a vendor's words.
	Reason string `json:"reason"`
}

// Report is what one check came to. The zero value is that there was none.
type Report struct {
	CheckedAt time.Time `json:"checked_at,omitzero"`
	// Configs is how many configs were compared with their vendor's list.
	Configs  int       `json:"configs"`
	Findings []Finding `json:"findings"`
	Skipped  []Skip    `json:"skipped"`
}

// demand is one upstream model that a config may be asked for.
type demand struct{ model, upstream string }

// demands are what the catalog would send to the config, in order of name.
func demands(models []catalog.Model, c settings.Config) []demand {
	var list []demand
	for _, m := range models {
		for _, candidate := range failover.Candidates(m, []settings.Config{c}) {
			list = append(list, demand{m.Name, candidate.Model})
		}
	}
	return list
}

// compare returns the findings of one config.
func compare(wanted []demand, listed []provider.Model, c settings.Config, now time.Time) []Finding {
	ends := make(map[string]time.Time, len(listed))
	for _, m := range listed {
		ends[m.Name] = m.RetiresAt
	}
	findings := make([]Finding, 0, len(wanted))
	for _, d := range wanted {
		f := Finding{Model: d.model, Upstream: d.upstream, Config: c.ID, Provider: c.Provider, Since: now}
		end, ok := ends[d.upstream]
		switch {
		case !ok:
			f.Problem = Missing
		case !end.IsZero() && end.Before(now.Add(Soon)):
			f.Problem, f.RetiresAt = ending(end, now), end
		default:
			continue
		}
		findings = append(findings, f)
	}
	return findings
}

// dated returns the findings that the catalog itself knows.
func dated(models []catalog.Model, now time.Time) []Finding {
	var findings []Finding
	for _, m := range models {
		if !m.RetiresAt.IsZero() && m.RetiresAt.Before(now.Add(Soon)) {
			findings = append(findings, Finding{Problem: ending(m.RetiresAt, now), Model: m.Name, RetiresAt: m.RetiresAt, Since: now})
		}
	}
	return findings
}

// settle orders the findings, gives those that an earlier check had made their
// first day, and returns the others as fresh. At most maxFindings are kept.
func settle(r *Report, before Report) (fresh []Finding) {
	since := map[[4]string]time.Time{}
	for _, f := range before.Findings {
		since[f.same()] = f.Since
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Config, b.Config), cmp.Compare(a.Problem, b.Problem))
	})
	r.Findings = r.Findings[:min(len(r.Findings), maxFindings)]
	for i := range r.Findings {
		f := &r.Findings[i]
		if first, ok := since[f.same()]; ok {
			f.Since = first
			continue
		}
		fresh = append(fresh, *f)
	}
	return fresh
}

// maxFindings keeps a report within one item of the store.
const maxFindings = 300
