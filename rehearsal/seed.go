package rehearsal

import (
	"context"
	"fmt"
	"time"

	"easel/shared/apikey"
	"easel/shared/app"
	"easel/shared/credits"
	"easel/shared/env"
	"easel/shared/generation"
	"easel/shared/provider/simulator"
	"easel/shared/settings"
)

// Caller is who asks in a rehearsal.
type Caller struct {
	// Key is a caller's API key, and Admin one with every scope.
	Key, Admin string
	// Account pays for both.
	Account string
}

// callerCredits is what the caller's account starts with.
const callerCredits = 100_000

// shortTimeout is that of every config, so that what a killed process held is
// free again soon.
const shortTimeout = settings.MinTimeout

// Seed makes an account with credits, its keys, and one config per kind and
// protocol, all of them simulated.
func (d *Deployment) Seed(ctx context.Context) (Caller, error) {
	c := Caller{Account: "rehearsal"}
	now := time.Now().UTC()
	if err := d.Store.CreateAccount(ctx, credits.Account{ID: c.Account, Name: "Rehearsal", CreatedAt: now}); err != nil {
		return c, err
	}
	if err := d.Store.Post(ctx, credits.ForGrant(c.Account, "seed", callerCredits, "to rehearse", "rehearsal", now)); err != nil {
		return c, err
	}
	var err error
	if c.Key, err = d.seedKey(ctx, c.Account, apikey.Generate); err != nil {
		return c, err
	}
	if c.Admin, err = d.seedKey(ctx, c.Account, apikey.Admin, apikey.Generate, apikey.ActAs); err != nil {
		return c, err
	}
	for _, name := range []string{simulator.Replicate, simulator.Custom} {
		d.PutSecret(app.ProviderWebhookSecretName(name), d.Simulator.WebhookSecret())
	}
	for i, s := range seeds() {
		s.Priority, s.MaxRetries, s.TimeoutSeconds, s.Weight, s.Active, s.CreatedAt = i, 2, shortTimeout, 100, true, now
		s.BaseURL, s.SecretName = d.SimulatorURL+s.BaseURL, app.KeySecret(s.ID)
		d.PutSecret(s.SecretName, "simulated-"+s.Provider+"-key")
		if err := d.Store.PutConfig(ctx, s, 0); err != nil {
			return c, fmt.Errorf("seed config %s: %w", s.ID, err)
		}
	}
	return c, nil
}

// seeds are the configs, with the simulator's path for a base URL.
func seeds() []settings.Config {
	return []settings.Config{
		{ID: "cfg_replicate", Name: "Replicate", Provider: "replicate", Kind: generation.Image, Model: "black-forest-labs/flux-schnell", BaseURL: "/replicate/v1"},
		{ID: "cfg_openai", Name: "OpenAI", Provider: "openai", Kind: generation.Image, Model: "gpt-image-2", BaseURL: "/openai/v1"},
		{ID: "cfg_runway", Name: "Runway", Provider: "runway", Kind: generation.Video, Model: "gen4.5", BaseURL: "/runway"},
		{ID: "cfg_text", Name: "OpenAI text", Provider: "openai", Kind: generation.Text, Model: "gpt-6-luna", BaseURL: "/openai/v1"},
	}
}

func (d *Deployment) seedKey(ctx context.Context, account string, scopes ...apikey.Scope) (string, error) {
	text, id, hash := apikey.New()
	err := d.Store.PutKey(ctx, apikey.Key{
		ID: id, Hash: hash, Name: "rehearsal", Account: account, Scopes: scopes, CreatedAt: time.Now().UTC(),
	}, 0)
	return text, err
}

// Has reports whether the functions are all there.
func (d *Deployment) Has(names ...string) bool {
	for _, name := range names {
		if d.Functions[name] == nil {
			return false
		}
	}
	return true
}

// Built returns the names of the functions whose main exists below root.
func Built(root string) []string {
	var names []string
	for _, name := range env.Functions() {
		if isFile(root + "/functions/" + name + "/main.go") {
			names = append(names, name)
		}
	}
	return names
}
