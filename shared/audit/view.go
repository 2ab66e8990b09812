package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"easel/shared/apikey"
	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/preference"
	"easel/shared/secret"
	"easel/shared/settings"
	"easel/shared/task"
)

// View returns what the trail may keep of an object. Only the types named here
// have a form in the trail: a new kind of object is an error until somebody has
// decided what of it is secret. nil gives nil.
func View(object any) (json.RawMessage, error) {
	var view any
	switch o := object.(type) {
	case nil:
		return nil, nil
	case settings.Config:
		view = ConfigView(o)
	case apikey.Key:
		view = keyView(o)
	case Account:
		view = map[string]any{"id": o.ID, "name": o.Name, "monthly_quota": o.MonthlyQuota, "version": o.Version}
	case credits.Entry, catalog.Model, Facts:
		view = o
	case Model:
		view = o.Model
	case preference.Set:
		view = o.WithoutSecrets()
	case settings.Setting:
		return HideSecrets(o.Value), nil
	case task.Task:
		view = map[string]any{"status": o.Status, "kind": o.Kind, "model": o.Model, "account": o.Account, "delivery": o.Delivery}
	default:
		return nil, fmt.Errorf("audit: nobody has decided what may be kept of a %T", object)
	}
	raw, err := json.Marshal(view)
	if err != nil {
		return nil, fmt.Errorf("audit: view of a %T: %w", object, err)
	}
	return raw, nil
}

// Facts are further words about an action, such as the order of configs or how a
// test ended. Whoever makes them vouches that no secret is in them.
type Facts map[string]any

func keyView(k apikey.Key) any {
	return struct {
		ID                string         `json:"id"`
		Name              string         `json:"name,omitempty"`
		Account           string         `json:"account"`
		Scopes            []apikey.Scope `json:"scopes"`
		RatePerMinute     int            `json:"rate_per_minute"`
		Concurrency       int            `json:"concurrency"`
		UserRatePerMinute int            `json:"user_rate_per_minute,omitempty"`
		UserConcurrency   int            `json:"user_concurrency,omitempty"`
		CacheTTLSeconds   int            `json:"cache_ttl_seconds,omitempty"`
		CacheUnseeded     bool           `json:"cache_unseeded,omitempty"`
		Moderation        string         `json:"moderation,omitempty"`
		AllowIPs          []string       `json:"allow_ips,omitempty"`
		ExpiresAt         time.Time      `json:"expires_at,omitzero"`
		RevokedAt         time.Time      `json:"revoked_at,omitzero"`
		PreviousUntil     time.Time      `json:"previous_until,omitzero"`
		Version           int64          `json:"version"`
	}{
		ID: k.ID, Name: k.Name, Account: k.Account, Scopes: k.Scopes, RatePerMinute: k.RatePerMinute, Concurrency: k.Concurrency,
		UserRatePerMinute: k.UserRatePerMinute, UserConcurrency: k.UserConcurrency, CacheTTLSeconds: k.CacheTTLSeconds, CacheUnseeded: k.CacheUnseeded, Moderation: k.Moderation, AllowIPs: k.AllowIPs,
		ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt, PreviousUntil: k.PreviousUntil, Version: k.Version,
	}
}

// ConfigView returns a config without the name of its secret and without what
// looks like a secret in its data.
func ConfigView(c settings.Config) settings.Config {
	c.SecretName = ""
	c.Data = HideSecrets(c.Data)
	return c
}

var secretName = regexp.MustCompile(`(?i)secret|token|passw|authorization|credential|cookie|api[_-]?key|private[_-]?key|signing[_-]?key|access[_-]?key|(^|[-_])key$`)

// HideSecrets returns a JSON object in which every text that its member's name or
// its own form gives away as a secret is replaced by [secret.Redacted]. A template
// such as "Bearer {{key}}" is no secret. What is not a JSON object gives nil.
func HideSecrets(data json.RawMessage) json.RawMessage {
	if len(data) == 0 {
		return nil
	}
	tree, err := parse(data)
	if err != nil {
		return nil
	}
	redactor := secret.NewRedactor()
	raw, err := json.Marshal(walk(tree, "", func(name, text string) string {
		if secretName.MatchString(name) && !harmless(text) {
			return secret.Redacted
		}
		return redactor.String(text)
	}))
	if err != nil {
		return nil
	}
	return raw
}

// harmless reports whether a text is none that a credential can be: empty, a
// template, or a path into an answer such as "$.usage.input_tokens".
func harmless(text string) bool {
	return text == "" || strings.Contains(text, "{{") || strings.HasPrefix(text, "$")
}

// RestoreSecrets is the way back from [HideSecrets]: it returns data in which
// every redacted text that stands where before has a text is that text again, so
// that an object which was read can be written whole.
func RestoreSecrets(data, before json.RawMessage) json.RawMessage {
	if !bytes.Contains(data, []byte(secret.Redacted)) {
		return data
	}
	tree, err := parse(data)
	old, oldErr := parse(before)
	if err != nil || oldErr != nil {
		return data
	}
	raw, err := json.Marshal(restore(tree, old))
	if err != nil {
		return data
	}
	return raw
}

func parse(data json.RawMessage) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var tree any
	err := decoder.Decode(&tree)
	return tree, err
}

// walk returns the tree with every text replaced by what f makes of it and of
// the name of the nearest member around it.
func walk(tree any, name string, f func(name, text string) string) any {
	switch node := tree.(type) {
	case map[string]any:
		for k, v := range node {
			node[k] = walk(v, k, f)
		}
	case []any:
		for i, v := range node {
			node[i] = walk(v, name, f)
		}
	case string:
		return f(name, node)
	}
	return tree
}

func restore(tree, old any) any {
	switch node := tree.(type) {
	case map[string]any:
		before, _ := old.(map[string]any)
		for k, v := range node {
			node[k] = restore(v, before[k])
		}
	case []any:
		before, _ := old.([]any)
		for i, v := range node {
			if i < len(before) {
				node[i] = restore(v, before[i])
			}
		}
	case string:
		if text, ok := old.(string); ok && strings.Contains(node, secret.Redacted) {
			return text
		}
	}
	return tree
}
