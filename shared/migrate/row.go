package migrate

import (
	"cmp"
	"encoding/json"
	"math"
	"net/url"
	"strconv"
	"strings"

	"easel/shared/generation"
	"easel/shared/secret"
	"easel/shared/settings"
)

// columns maps every spelling of a column to what it means. "" is known and not needed.
func columns() map[string]string {
	known := map[string]string{
		"id": "", "created_at": "", "updated_at": "", "deleted_at": "", "created_by": "", "updated_by": "",
		"last_used_at": "", "success_count": "", "failure_count": "", "error_count": "", "usage_count": "",
	}
	for meaning, spellings := range map[string]string{
		"name":        "name api_name display_name title label",
		"type":        "type api_type kind category service_type media_type",
		"provider":    "provider provider_name vendor platform provider_type",
		"base_url":    "base_url api_url url api_base api_base_url host",
		"endpoint":    "endpoint path api_path endpoint_path api_endpoint",
		"key":         "api_key key token api_token secret api_secret access_token",
		"model":       "model model_name default_model model_id",
		"max_retries": "max_retries retries retry_count max_retry",
		"timeout":     "timeout timeout_seconds request_timeout timeout_sec timeout_ms",
		"rate":        "rate_limit rate_per_minute rate_limit_per_minute rpm requests_per_minute",
		"priority":    "priority sort_order sort order_num fallback_order",
		"weight":      "weight",
		"active":      "is_active active enabled is_enabled status",
		"default":     "is_default default",
		"data":        "config_data config settings extra_config options metadata additional_config extra",
	} {
		for spelling := range strings.FieldsSeq(spellings) {
			known[spelling] = meaning
		}
	}
	return known
}

// row is one line of the table by what its columns mean.
type row struct {
	source string
	values map[string]any
	millis bool // the timeout's column says so
}

func newRow(raw map[string]any, unmapped map[string]bool) row {
	r := row{values: map[string]any{}}
	known := columns()
	for name, value := range raw {
		spelled := snake(name)
		meaning, ok := known[spelled]
		switch {
		case !ok:
			unmapped[name] = true
		case meaning != "" && value != nil && value != "":
			r.values[meaning] = value
			r.millis = r.millis || spelled == "timeout_ms"
		}
	}
	return r
}

// snake spells apiKey, "API Key" and api-key as api_key.
func snake(name string) string {
	var b strings.Builder
	lower := false
	for _, c := range strings.TrimSpace(name) {
		upper := c >= 'A' && c <= 'Z'
		if upper && lower || c == ' ' || c == '-' {
			b.WriteByte('_')
		}
		if c != ' ' && c != '-' {
			b.WriteRune(c)
		}
		lower = c >= 'a' && c <= 'z'
	}
	return strings.ToLower(b.String())
}

func (r row) text(meaning string) string {
	switch v := r.values[meaning].(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// entry returns the row's config; ok is false where Easel cannot speak to it.
func (r row) entry(p *Plan) (e Entry, ok bool) {
	provider, known := providerOf(r.text("provider"), r.text("type"), r.text("name"), r.text("base_url"))
	if !known {
		p.note(r.source, "is left out: no provider of Easel's is named %q; describe it as a custom one in the console",
			cmp.Or(r.text("provider"), r.text("type"), r.text("name")))
		return e, false
	}
	kind := kindOf(r.text("type"), provider, r.text("model"), r.text("name"))
	c := Config{Name: cmp.Or(r.text("name"), provider+" "+string(kind)), Kind: kind, Provider: provider, Model: r.text("model")}
	r.source += " (" + c.Name + ")"
	c.MaxRetries = r.number(p, "max_retries", 0, settings.MaxRetries)
	c.TimeoutSeconds = r.timeout(p)
	c.RatePerMinute = r.number(p, "rate", 0, settings.MaxRate)
	c.Priority = r.number(p, "priority", 0, settings.MaxPriority)
	c.Weight = r.number(p, "weight", 0, settings.MaxWeight)
	c.Active, c.Default = r.flag(p, "active"), r.flag(p, "default")
	c.Data = r.data(p)
	r.address(p, &c)
	return Entry{Config: c, Key: secret.New(r.text("key")), Source: r.source}, true
}

// number returns a whole number within bounds, nil when there is none.
func (r row) number(p *Plan, meaning string, least, most int) *int {
	text := r.text(meaning)
	if text == "" {
		return nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(value) {
		p.note(r.source, "%s is no number and is left out", meaning)
		return nil
	}
	fitted := int(math.Round(min(max(value, float64(least)), float64(most))))
	if float64(fitted) != value {
		p.note(r.source, "%s becomes %d, within %d to %d", meaning, fitted, least, most)
	}
	return &fitted
}

// timeout reads seconds; a column named so, or a number no timeout has, is in milliseconds.
func (r row) timeout(p *Plan) *int {
	text := r.text("timeout")
	if value, err := strconv.ParseFloat(text, 64); err == nil && (r.millis || value >= 1000) {
		r.values["timeout"] = strconv.FormatFloat(math.Ceil(value/1000), 'f', -1, 64)
	}
	return r.number(p, "timeout", settings.MinTimeout, settings.MaxTimeout)
}

func (r row) flag(p *Plan, meaning string) *bool {
	var value bool
	switch strings.ToLower(r.text(meaning)) {
	case "":
		return nil
	case "1", "t", "true", "y", "yes", "on", "active", "enabled":
		value = true
	case "0", "f", "false", "n", "no", "off", "inactive", "disabled":
	default:
		p.note(r.source, "%s is neither true nor false and is left out", meaning)
		return nil
	}
	return &value
}

// data returns the row's JSON object, which may come as text.
func (r row) data(p *Plan) json.RawMessage {
	value := r.values["data"]
	if text, ok := value.(string); ok {
		var object map[string]any
		if decodeJSON([]byte(text), &object) != nil {
			p.note(r.source, "config_data is not a JSON object and is left out")
			return nil
		}
		value = object
	}
	object, ok := value.(map[string]any)
	if !ok || len(object) == 0 {
		return nil
	}
	data, err := json.Marshal(object)
	if err != nil {
		return nil // decoded JSON always encodes
	}
	return data
}

// address takes the base URL over where it is not the vendor's own. The old
// gateway kept whole URLs of one endpoint there, which Easel's drivers know.
func (r row) address(p *Plan, c *Config) {
	base, endpoint := r.text("base_url"), r.text("endpoint")
	u, err := url.Parse(base)
	switch {
	case base == "":
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		p.note(r.source, "base_url is not a URL and is left out")
	case strings.HasSuffix(u.Hostname(), vendorHost(c.Provider)):
		if u.Path != "" && u.Path != "/" {
			p.note(r.source, "base_url is the vendor's own; Easel's usual one is used, and its path is left out")
		}
	case u.Hostname() == "gateway.ai.cloudflare.com":
		p.note(r.source, "base_url is a Cloudflare AI Gateway; set it for the deployment, and the vendor's usual one is used here")
	default:
		c.BaseURL = strings.TrimSuffix(base, "/")
		if !strings.Contains(endpoint, "://") {
			c.Endpoint = endpoint
			return
		}
	}
	if endpoint != "" {
		p.note(r.source, "endpoint is left out: the provider's usual one is used")
	}
}

func vendorHost(provider string) string {
	return map[string]string{
		"openai": "api.openai.com", "stability": "api.stability.ai", "replicate": "api.replicate.com",
		"runway": "runwayml.com", "fal": "fal.run", "gemini": "generativelanguage.googleapis.com",
	}[provider]
}

// providerOf finds the driver in the words that a row has for it, the surest first.
func providerOf(words ...string) (string, bool) {
	for _, word := range words {
		word = strings.ToLower(word)
		for _, rule := range []struct{ has, provider string }{
			{"replicate", "replicate"},
			{"flux", "replicate"},
			{"stable_video", "replicate"},
			{"stable-video", "replicate"},
			{"svd", "replicate"},
			{"openai", "openai"},
			{"dall", "openai"},
			{"gpt", "openai"},
			{"stability", "stability"},
			{"stable_diffusion", "stability"},
			{"stable-diffusion", "stability"},
			{"stable diffusion", "stability"},
			{"sdxl", "stability"},
			{"runway", "runway"},
			{"pika", "fal"},
			{"fal.run", "fal"},
			{"gemini", "gemini"},
			{"google", "gemini"},
		} {
			if strings.Contains(word, rule.has) {
				return rule.provider, true
			}
		}
		if word == "fal" || strings.HasPrefix(word, "fal_") || strings.HasPrefix(word, "fal-") {
			return "fal", true
		}
	}
	return "", false
}

// kindOf reads what a config makes from its type, else from what its provider is for.
func kindOf(kind, provider, model, name string) generation.Kind {
	text := strings.ToLower(kind + " " + model + " " + name)
	switch {
	case strings.Contains(text, "video"), strings.Contains(text, "svd"), provider == "runway":
		return generation.Video
	case strings.Contains(text, "image"), strings.Contains(text, "draw"), strings.Contains(text, "dall"):
		return generation.Image
	case strings.Contains(text, "text"), strings.Contains(text, "chat"), strings.Contains(text, "prompt"), provider == "gemini":
		return generation.Text
	case provider == "fal":
		return generation.Video
	}
	return generation.Image
}
