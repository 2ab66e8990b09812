package adminapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"easel/shared/audit"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/settings"
)

// configView is a config as operators read it.
type configView struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"`
	Kind           generation.Kind `json:"kind"`
	Provider       string          `json:"provider"`
	Priority       int             `json:"priority"`
	BaseURL        string          `json:"base_url"`
	Endpoint       string          `json:"endpoint"`
	Model          string          `json:"model"`
	MaxRetries     int             `json:"max_retries"`
	TimeoutSeconds int             `json:"timeout_seconds"`
	RatePerMinute  int             `json:"rate_per_minute"`
	Concurrency    int             `json:"concurrency"`
	Weight         int             `json:"weight"`
	Active         bool            `json:"active"`
	Default        bool            `json:"default"`
	Data           json.RawMessage `json:"config_data"`
	KeyMask        string          `json:"key_mask,omitempty"`
	Simulated      bool            `json:"simulated"`
	CreatedAt      time.Time       `json:"created_at,omitzero"`
	UpdatedAt      time.Time       `json:"updated_at,omitzero"`
	Version        int64           `json:"version"`
}

func (h *handler) configView(c settings.Config) configView {
	hasKey := c.SecretName != ""
	c = audit.ConfigView(c)
	v := configView{
		ID: c.ID, Name: c.Name, Kind: c.Kind, Provider: c.Provider, Priority: c.Priority, BaseURL: c.BaseURL,
		Endpoint: c.Endpoint, Model: c.Model, MaxRetries: c.MaxRetries, TimeoutSeconds: c.TimeoutSeconds,
		RatePerMinute: c.RatePerMinute, Concurrency: c.Concurrency, Weight: c.Weight, Active: c.Active,
		Default: c.Default, Data: c.Data, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, Version: c.Version,
	}
	if hasKey {
		v.KeyMask = "…" + c.KeyMask // a short key shows nothing but that it is there
	}
	if len(v.Data) == 0 {
		v.Data = json.RawMessage("{}")
	}
	if h.Simulated != nil {
		v.Simulated = h.Simulated(c)
	}
	return v
}

func (h *handler) configViews(configs []settings.Config) []configView {
	views := make([]configView, len(configs))
	for i, c := range configs {
		views[i] = h.configView(c)
	}
	return views
}

// configForm is a config as operators write it; nil members are not given.
type configForm struct {
	// ID names the config in an imported document and is refused elsewhere.
	ID             *string          `json:"id,omitempty"`
	Name           *string          `json:"name,omitempty"`
	Kind           *generation.Kind `json:"kind,omitempty"`
	Provider       *string          `json:"provider,omitempty"`
	Priority       *int             `json:"priority,omitempty"`
	BaseURL        *string          `json:"base_url,omitempty"`
	Endpoint       *string          `json:"endpoint,omitempty"`
	Model          *string          `json:"model,omitempty"`
	MaxRetries     *int             `json:"max_retries,omitempty"`
	TimeoutSeconds *int             `json:"timeout_seconds,omitempty"`
	RatePerMinute  *int             `json:"rate_per_minute,omitempty"`
	Concurrency    *int             `json:"concurrency,omitempty"`
	Weight         *int             `json:"weight,omitempty"`
	Active         *bool            `json:"active,omitempty"`
	Default        *bool            `json:"default,omitempty"`
	Data           json.RawMessage  `json:"config_data,omitempty"`
	// Key is the provider's key; only POST takes it.
	Key *string `json:"key,omitempty"`
}

// The values of members that are absent when a config is created.
const (
	usualRetries = 2
	usualTimeout = 60
	usualWeight  = 100
	priorityStep = 10
	maxKey       = 8192
)

// blank is what a new config is before its form is applied.
func (h *handler) blank(f configForm, all []settings.Config) settings.Config {
	c := settings.Config{MaxRetries: usualRetries, TimeoutSeconds: usualTimeout, Weight: usualWeight, Active: true}
	if f.Provider != nil {
		if d, ok := h.describe(*f.Provider); ok {
			c.BaseURL = d.BaseURL
		}
	}
	if f.Kind != nil {
		c.Priority = lastPriority(all, *f.Kind)
	}
	return c
}

// lastPriority is where a new config of the kind goes: after all others.
func lastPriority(all []settings.Config, kind generation.Kind) int {
	last := 0
	for _, c := range all {
		if c.Kind == kind {
			last = max(last, c.Priority)
		}
	}
	return min(last+priorityStep, settings.MaxPriority)
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// apply returns the config with the form's members in it.
func (f configForm) apply(c settings.Config) settings.Config {
	set(&c.Name, f.Name)
	set(&c.Kind, f.Kind)
	set(&c.Provider, f.Provider)
	set(&c.Priority, f.Priority)
	set(&c.BaseURL, f.BaseURL)
	set(&c.Endpoint, f.Endpoint)
	set(&c.Model, f.Model)
	set(&c.MaxRetries, f.MaxRetries)
	set(&c.TimeoutSeconds, f.TimeoutSeconds)
	set(&c.RatePerMinute, f.RatePerMinute)
	set(&c.Concurrency, f.Concurrency)
	set(&c.Weight, f.Weight)
	set(&c.Active, f.Active)
	set(&c.Default, f.Default)
	if len(f.Data) > 0 {
		c.Data = f.data(c.Data)
	}
	return c
}

// data is the config's data as the form has it, with the secrets of before where
// the form shows that it read them as redacted. null is no data.
func (f configForm) data(before json.RawMessage) json.RawMessage {
	if bytes.Equal(bytes.TrimSpace(f.Data), []byte("null")) {
		return nil
	}
	return audit.RestoreSecrets(f.Data, before)
}

// foreign refuses the members that only other routes take.
func (f configForm) foreign(mayKey bool) error {
	var fields fault.Fields
	fields.Check(f.ID == nil, "id", "is not a known field")
	fields.Check(mayKey || f.Key == nil, "key", "must be changed at the config's /key")
	if f.Key != nil {
		fields.Check(*f.Key != "" && len(*f.Key) <= maxKey, "key", "must have 1 to %d bytes", maxKey)
	}
	return fields.Err()
}

func (h *handler) describe(name string) (provider.Description, bool) {
	for _, d := range h.Providers {
		if d.Name == name {
			return d, true
		}
	}
	return provider.Description{}, false
}

// checkConfig returns an InvalidInput error that names everything that is wrong
// with a config, its members named after prefix.
func (h *handler) checkConfig(c settings.Config, prefix string) error {
	var f fault.Fields
	err := c.Validate()
	if other := fieldsOf(&f, prefix, err); other != nil {
		return other
	}
	if err == nil && h.CheckURL != nil {
		if err := h.CheckURL(c.BaseURL); err != nil {
			f.Add(prefix+"base_url", "%s", err.Error())
		}
	}
	d, ok := h.describe(c.Provider)
	f.Check(ok || c.Provider == "", prefix+"provider", "is not a provider that this gateway speaks")
	f.Check(!ok || slices.Contains(d.Kinds, c.Kind), prefix+"kind", "is not made by the provider %s", c.Provider)
	if ok && err == nil && h.CheckData != nil {
		if err := h.CheckData(c.Provider, c.Data); err != nil {
			if other := fieldsOf(&f, prefix, err); other != nil {
				f.Add(prefix+"config_data", "%s", other.Error())
			}
		}
	}
	return f.Err()
}

// byOrder sorts configs as the console lists them.
func byOrder(configs []settings.Config) {
	slices.SortStableFunc(configs, func(a, b settings.Config) int {
		kind := func(c settings.Config) int { return slices.Index(generation.Kinds(), c.Kind) }
		if d := kind(a) - kind(b); d != 0 {
			return d
		}
		return a.Priority - b.Priority // the store lists by id, and the sort is stable
	})
}

// configFormOf reads a config form from the body.
func configFormOf(w http.ResponseWriter, r *http.Request, mayKey bool) (configForm, error) {
	var f configForm
	if err := decode(w, r, &f); err != nil {
		return f, err
	}
	return f, f.foreign(mayKey)
}
