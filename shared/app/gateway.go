package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/provider"
	"easel/shared/provider/cloudflare"
	"easel/shared/secrets"
	"easel/shared/settings"
)

// Gateway sends calls through a Cloudflare AI Gateway: every config's when URL is
// set, but for those whose data says {"cloudflare":{"off":true}}, and in any case
// those whose data names a gateway of their own, {"cloudflare":{"url":"…"}}. An
// API that Routes do not know needs a slug, {"cloudflare":{"slug":"custom-…"}}.
type Gateway struct {
	// URL is the deployment's gateway, "" for none.
	URL    string
	Routes []cloudflare.Route
	// Secrets holds the gateway's token, if it asks for one.
	Secrets secrets.Store
}

// ThroughGateways returns the client with the difference made between a gateway's
// own errors and the vendor's.
func ThroughGateways(client *http.Client) *http.Client {
	told := *client
	told.Transport = cloudflare.Transport{Next: client.Transport}
	return &told
}

// viaCloudflare is the member "cloudflare" of a config's data.
type viaCloudflare struct {
	Off bool   `json:"off"`
	URL string `json:"url"`
	// Slug is the gateway's name of the config's vendor, where Routes have none: of
	// a custom provider that is set up there with the scheme and host of the
	// config's base URL.
	Slug string `json:"slug"`
	// CacheTextSeconds lets the gateway answer texts from its cache for so long.
	CacheTextSeconds int `json:"cache_text_seconds"`
}

var slugForm = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// checkCloudflare checks the member "cloudflare" of a config's data.
func checkCloudflare(f *fault.Fields, raw json.RawMessage) {
	if len(raw) == 0 {
		return
	}
	const root = "config_data.cloudflare"
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	var via viaCloudflare
	if err := decoder.Decode(&via); err != nil {
		f.Add(root, "must be an object with no members but off, url, slug and cache_text_seconds")
		return
	}
	u, err := url.Parse(via.URL)
	f.Check(via.URL == "" || err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http"), root+".url", "must be an absolute URL")
	f.Check(via.Slug == "" || slugForm.MatchString(via.Slug), root+".slug", "must have 1 to 64 of a-z, 0-9 and -")
	f.Check(via.CacheTextSeconds >= 0, root+".cache_text_seconds", "must not be negative")
}

// routes returns the routes of one config: its own slug goes first.
func (v viaCloudflare) routes(baseURL string, usual []cloudflare.Route) []cloudflare.Route {
	u, err := url.Parse(baseURL)
	if v.Slug == "" || err != nil {
		return usual
	}
	return append([]cloudflare.Route{{Base: u.Scheme + "://" + u.Host, Slug: v.Slug}}, usual...)
}

// Prepare rewrites a call that has to go through a gateway.
func (g Gateway) Prepare(ctx context.Context, c *provider.Call, config settings.Config) error {
	var data struct {
		Cloudflare viaCloudflare `json:"cloudflare"`
	}
	if len(config.Data) > 0 {
		if err := json.Unmarshal(config.Data, &data); err != nil {
			return &fault.Failure{Class: fault.ClassUnsupported, Detail: "config_data.cloudflare cannot be read", Cause: err}
		}
	}
	via := data.Cloudflare
	if via.URL == "" {
		via.URL = g.URL
	}
	if via.Off || via.URL == "" {
		return nil
	}
	token, err := g.Secrets.Get(ctx, env.CloudflareTokenSecret)
	if err != nil && !errors.Is(err, secrets.ErrNotFound) {
		return fmt.Errorf("read the AI gateway's token: %w", err)
	}
	routed, err := cloudflare.Gateway{
		URL: via.URL, Token: token, Routes: via.routes(c.BaseURL, g.Routes), CacheText: time.Duration(via.CacheTextSeconds) * time.Second,
	}.Through(*c)
	if err != nil {
		return err
	}
	*c = routed
	return nil
}
