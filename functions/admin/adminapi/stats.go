package adminapi

import (
	"net/http"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/stats"
)

const defaultWindow = "24h"

// windowOf is the length of a named window, 0 for an unknown name.
func windowOf(name string) time.Duration {
	const day = 24 * time.Hour
	switch name {
	case "1h":
		return time.Hour
	case "6h":
		return 6 * time.Hour
	case "24h":
		return day
	case "7d":
		return 7 * day
	case "30d":
		return 30 * day
	case "90d":
		return 90 * day
	default:
		return 0
	}
}

// usualBucket is the bucket for a window of the length when nobody asks for one.
func usualBucket(length time.Duration) stats.Bucket {
	switch {
	case length <= 2*time.Hour:
		return stats.Minute
	case length <= 7*24*time.Hour:
		return stats.Hour
	default:
		return stats.Day
	}
}

func (h *handler) stats(w http.ResponseWriter, r *http.Request) error {
	get, err := queryOf(r, "window", "from", "to", "bucket", "by", "kind", "config", "provider", "model", "account")
	if err != nil {
		return err
	}
	q, err := h.statsQuery(get)
	if err != nil {
		return err
	}
	report, err := stats.Build(r.Context(), h.Store, q)
	if err != nil {
		return err
	}
	h.label(r, q, report.Groups)
	return httpapi.Write(w, http.StatusOK, report)
}

// label names groups for people: configs by their names, and arms by their labels
// or their configs' names, with the model where there may be several.
func (h *handler) label(r *http.Request, q stats.Query, groups []stats.Group) {
	if q.By != stats.ByConfig && q.By != stats.ByArm {
		return
	}
	names := h.configNames(r)
	for i := range groups {
		g := &groups[i]
		model, id := "", g.Key
		if q.By == stats.ByArm {
			model, id = stats.ArmOf(g.Key)
			g.Label = id
		}
		if name := names[id]; name != "" {
			g.Label = name
		}
		if model != "" && q.Filter == "" {
			g.Label = model + ": " + g.Label
		}
	}
}

func (h *handler) statsQuery(get func(string) string) (stats.Query, error) {
	var f fault.Fields
	q := stats.Query{By: stats.Dimension(get("by")), Kind: generation.Kind(get("kind")), Bucket: stats.Bucket(get("bucket"))}
	for _, d := range []stats.Dimension{stats.ByConfig, stats.ByProvider, stats.ByModel, stats.ByAccount} {
		if value := get(string(d)); value != "" {
			f.Check(q.Filter == "", string(d), "must not come together with %s", q.Filter)
			q.Filter, q.Key = d, value
		}
	}
	from, to, named := timeOf(get, "from", &f), timeOf(get, "to", &f), get("window")
	f.Check(named == "" || from.IsZero() && to.IsZero(), "window", "must not come together with from or to")
	f.Check(from.IsZero() == to.IsZero(), "from", "must come together with to")
	f.Check(named == "" || windowOf(named) > 0, "window", "must be 1h, 6h, 24h, 7d, 30d or 90d")
	f.Check(q.Bucket == "" || q.Bucket.Valid(), "bucket", "must be minute, hour or day")
	f.Check(to.Sub(from) <= stats.MaxWindow, "from", "must be at most 90 days before to")
	if err := f.Err(); err != nil {
		return q, err
	}
	if from.IsZero() {
		if named == "" {
			named = defaultWindow
		}
		length := windowOf(named)
		if q.Bucket == "" {
			q.Bucket = usualBucket(length)
		}
		if length < q.Bucket.Size() {
			return q, fault.Invalid("bucket", "must not be longer than the window")
		}
		_, q.To = stats.Align(h.Now(), h.Now(), q.Bucket) // the last bucket is the one that fills now
		q.From = q.To.Add(-length)
		return q, nil
	}
	if q.Bucket == "" {
		q.Bucket = usualBucket(to.Sub(from))
	}
	q.From, q.To = stats.Align(from, to, q.Bucket)
	return q, nil
}

// configNames maps the ids of configs to their names; it is empty when they
// cannot be read, because names are only a help.
func (h *handler) configNames(r *http.Request) map[string]string {
	names := map[string]string{}
	configs, err := h.Store.Configs(r.Context())
	if err != nil {
		h.Log.WarnContext(r.Context(), "the names of configs could not be read", "error", err)
	}
	for _, c := range configs {
		names[c.ID] = c.Name
	}
	return names
}
