// Package settings is what an operator configures: the provider configs that
// serve models, in which order and within which limits.
package settings

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
)

// Config is one configured provider API. The key itself is in the secret store
// under SecretName; KeyMask is its last four characters for display.
type Config struct {
	ID   string          `json:"id"`
	Name string          `json:"name"`
	Kind generation.Kind `json:"kind"`
	// Provider is the wire protocol that the config speaks, such as "openai".
	Provider string `json:"provider"`
	// Priority orders configs: 0 is tried first; at most 1,000,000.
	Priority int    `json:"priority"`
	BaseURL  string `json:"base_url"`
	// Endpoint is the path below BaseURL; "" is the provider's usual one.
	Endpoint string `json:"endpoint,omitempty"`
	// Model is the upstream model that serves the kind's default model.
	Model string `json:"model,omitempty"`
	// MaxRetries is how often the same config is tried again after a failure
	// that allows it, 0 to 10.
	MaxRetries int `json:"max_retries"`
	// TimeoutSeconds bounds one call, 10 to 300.
	TimeoutSeconds int `json:"timeout_seconds"`
	// RatePerMinute is the most submits in an aligned minute; 0 is no limit.
	RatePerMinute int `json:"rate_per_minute"`
	// Concurrency is the most jobs at the same time; 0 is no limit.
	Concurrency int `json:"concurrency"`
	// Weight is the share of traffic under the weighted policy, 0 to 1000.
	Weight  int  `json:"weight"`
	Active  bool `json:"active"`
	Default bool `json:"default"`
	// Data is further settings of the provider, a JSON object; nil is an empty one.
	Data json.RawMessage `json:"config_data,omitempty"`

	SecretName string    `json:"secret_name,omitempty"`
	KeyMask    string    `json:"key_mask,omitempty"`
	CreatedAt  time.Time `json:"created_at,omitzero"`
	UpdatedAt  time.Time `json:"updated_at,omitzero"`
	// Version counts the writes of this config, from 1; it is the ETag.
	Version int64 `json:"version"`
}

// The limits of a config's fields, as the seed documents set them.
const (
	MaxRetries     = 10
	MinTimeout     = 10
	MaxTimeout     = 300
	MaxPriority    = 1_000_000
	MaxRate        = 1_000_000
	MaxConcurrency = 100_000
	MaxWeight      = 1000
	maxName        = 100
	maxModel       = 200
	maxData        = 64 << 10
)

var providerName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// Timeout is how long one call of this config may take.
func (c Config) Timeout() time.Duration { return time.Duration(c.TimeoutSeconds) * time.Second }

// Validate returns one error that names every field that is out of range and
// what would be right, or nil. It does not check that the provider exists or
// that BaseURL is a public address: the caller knows those.
func (c Config) Validate() error {
	var f fault.Fields
	f.Check(c.Name != "" && len(c.Name) <= maxName, "name", "must have 1 to %d bytes", maxName)
	f.Check(c.Kind.Valid(), "kind", "must be image, video or text")
	f.Check(providerName.MatchString(c.Provider), "provider", "must be a provider's name in lower case, such as openai")
	f.Check(c.Priority >= 0 && c.Priority <= MaxPriority, "priority", "must be 0 to %d; 0 is tried first", MaxPriority)
	f.Check(c.MaxRetries >= 0 && c.MaxRetries <= MaxRetries, "max_retries", "must be 0 to %d", MaxRetries)
	f.Check(c.TimeoutSeconds >= MinTimeout && c.TimeoutSeconds <= MaxTimeout,
		"timeout_seconds", "must be %d to %d", MinTimeout, MaxTimeout)
	f.Check(c.RatePerMinute >= 0 && c.RatePerMinute <= MaxRate, "rate_per_minute", "must be 0 to %d; 0 is no limit", MaxRate)
	f.Check(c.Concurrency >= 0 && c.Concurrency <= MaxConcurrency, "concurrency", "must be 0 to %d; 0 is no limit", MaxConcurrency)
	f.Check(c.Weight >= 0 && c.Weight <= MaxWeight, "weight", "must be 0 to %d", MaxWeight)
	f.Check(len(c.Model) <= maxModel, "model", "must have at most %d bytes", maxModel)
	c.checkURL(&f)
	c.checkData(&f)
	return f.Err()
}

func (c Config) checkURL(f *fault.Fields) {
	u, err := url.Parse(c.BaseURL)
	ok := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.Fragment == "" && u.RawQuery == ""
	f.Check(ok, "base_url", "must be an absolute http or https URL without user, query or fragment")
	bad := strings.Contains(c.Endpoint, "..") || strings.ContainsAny(c.Endpoint, " \t\r\n\\#") || strings.Contains(c.Endpoint, "://")
	f.Check(!bad && len(c.Endpoint) <= 500, "endpoint", "must be a path below base_url of at most 500 bytes")
}

func (c Config) checkData(f *fault.Fields) {
	if len(c.Data) == 0 {
		return
	}
	var object map[string]json.RawMessage
	ok := len(c.Data) <= maxData && bytes.HasPrefix(bytes.TrimSpace(c.Data), []byte("{")) && json.Unmarshal(c.Data, &object) == nil
	f.Check(ok, "config_data", "must be a JSON object of at most %d bytes", maxData)
}
