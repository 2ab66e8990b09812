package retire

import (
	"slices"
	"time"

	"easel/shared/catalog"
	"easel/shared/settings"
)

// At returns the report as it stands at now, for configs and models as they are
// now: what concerns a config or a model that is gone or switched off is left out,
// an end that has come meanwhile is said, and the days that the catalog itself
// knows are looked at afresh, also when there was no check yet.
func (r Report) At(now time.Time, models []catalog.Model, configs []settings.Config) Report {
	before := r
	r.Findings, r.Skipped = dated(models, now), slices.DeleteFunc(slices.Clone(r.Skipped), func(s Skip) bool {
		return !active(configs, s.Config)
	})
	for i := range r.Findings { // settle knows the day of those that a check has found
		r.Findings[i].Since = r.Findings[i].RetiresAt.Add(-Soon)
	}
	for _, f := range before.Findings {
		if f.Config == "" || !active(configs, f.Config) || !slices.ContainsFunc(models, func(m catalog.Model) bool { return m.Name == f.Model }) {
			continue
		}
		if f.Problem != Missing {
			f.Problem = ending(f.RetiresAt, now)
		}
		r.Findings = append(r.Findings, f)
	}
	settle(&r, before)
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	if r.Skipped == nil {
		r.Skipped = []Skip{}
	}
	return r
}

func active(configs []settings.Config, id string) bool {
	return slices.ContainsFunc(configs, func(c settings.Config) bool { return c.ID == id && c.Active })
}

// ending is the problem of a model with an announced end.
func ending(end, now time.Time) Problem {
	if end.After(now) {
		return Retiring
	}
	return Ended
}
