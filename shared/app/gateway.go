package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
// those whose data names a gateway of their own, {"cloudflare":{"url":"…"}}.
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
	// CacheTextSeconds lets the gateway answer texts from its cache for so long.
	CacheTextSeconds int `json:"cache_text_seconds"`
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
		URL: via.URL, Token: token, Routes: g.Routes, CacheText: time.Duration(via.CacheTextSeconds) * time.Second,
	}.Through(*c)
	if err != nil {
		return err
	}
	*c = routed
	return nil
}
