package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"easel/shared/apikey"
	"easel/shared/app"
	"easel/shared/credits"
	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider/custom/examples"
	"easel/shared/provider/simulator"
	"easel/shared/secret"
	"easel/shared/settings"
	"easel/shared/webhook"
)

// demoAccount pays for the caller's key.
const demoAccount = "demo"

// DemoCredits is what the demo account starts with.
const DemoCredits = 1000

// seedConfig is one config of a fresh local gateway.
type seedConfig struct {
	id, name, provider, model string
	kind                      generation.Kind
	timeout                   int
	// path of the simulated vendor, and the real vendor's base URL.
	path, real string
	// data is the config's data, such as the description of a custom API.
	data json.RawMessage
}

// seedConfigs lists one config per provider and kind, and one for each API that
// is described as data, in the order in which they are tried. A config without a
// model of its own serves no default model.
func seedConfigs() []seedConfig {
	return []seedConfig{
		{"cfg_openai", "OpenAI Images", "openai", "gpt-image-2", generation.Image, 120, "/openai/v1", "https://api.openai.com/v1", nil},
		{"cfg_stability", "Stability AI", "stability", "core", generation.Image, 60, "/stability", "https://api.stability.ai", nil},
		{"cfg_replicate", "Replicate FLUX", "replicate", "black-forest-labs/flux-schnell", generation.Image, 60, "/replicate/v1", "https://api.replicate.com/v1", nil},
		{"cfg_gemini_image", "Gemini image", "gemini", "gemini-nano-banana-2.1", generation.Image, 120, "/gemini/v1beta", "https://generativelanguage.googleapis.com/v1beta", nil},
		{"cfg_runway_image", "Runway image", "runway", "gen4_image", generation.Image, 60, "/runway", "https://api.dev.runwayml.com", nil},
		{"cfg_fal_image", "fal FLUX", "fal", "fal-ai/flux/schnell", generation.Image, 60, "/fal/queue", "https://queue.fal.run", nil},
		{"cfg_runway", "Runway Gen-4.5", "runway", "gen4.5", generation.Video, 60, "/runway", "https://api.dev.runwayml.com", nil},
		{"cfg_fal", "Pika on fal", "fal", "fal-ai/pika/v2.2/text-to-video", generation.Video, 60, "/fal/queue", "https://queue.fal.run", nil},
		{"cfg_replicate_video", "Stable Video Diffusion on Replicate", "replicate", "", generation.Video, 60, "/replicate/v1", "https://api.replicate.com/v1", nil},
		{"cfg_gemini", "Gemini text", "gemini", "gemini-3.8-flash", generation.Text, 60, "/gemini/v1beta", "https://generativelanguage.googleapis.com/v1beta", nil},
		{"cfg_openai_text", "OpenAI text", "openai", "gpt-6-luna", generation.Text, 60, "/openai/v1", "https://api.openai.com/v1", nil},
		{"cfg_bfl", "Black Forest Labs, described as data", "custom", "", generation.Image, 60, "/custom/bfl", "https://api.bfl.ai", examples.BFL()},
		{"cfg_luma", "Luma, described as data", "custom", "", generation.Video, 60, "/custom/luma", "https://agents.lumalabs.ai", examples.Luma()},
		{"cfg_kling", "Kling, described as data", "custom", "", generation.Video, 60, "/custom/kling", "https://api-singapore.klingai.com", examples.Kling()},
	}
}

// seed makes what a fresh gateway needs: configs, an admin's key, a caller's key
// and its account. What is there already is left as it is, but for the base URLs
// and keys of the seeded configs, which follow the environment.
func (g *Gateway) seed(ctx context.Context) error {
	if err := g.seedSecrets(ctx); err != nil {
		return err
	}
	priority := map[generation.Kind]int{}
	for _, c := range seedConfigs() {
		if c.id == "cfg_gemini" && g.options.GeminiModel != "" {
			c.model = g.options.GeminiModel
		}
		if err := g.seedConfig(ctx, c, priority[c.kind]); err != nil {
			return fmt.Errorf("seed config %s: %w", c.id, err)
		}
		priority[c.kind]++
	}
	if err := g.seedAccount(ctx); err != nil {
		return fmt.Errorf("seed account: %w", err)
	}
	var err error
	if g.AdminKey, err = g.seedKey(ctx, "admin-key", g.options.AdminKey, apikey.Key{
		Name: "local admin", Account: demoAccount, Scopes: []apikey.Scope{apikey.Admin, apikey.Generate, apikey.ActAs},
	}); err != nil {
		return fmt.Errorf("seed admin key: %w", err)
	}
	g.Account = demoAccount
	if g.APIKey, err = g.seedKey(ctx, "api-key", g.options.APIKey, apikey.Key{
		Name: "local caller", Account: demoAccount, Scopes: []apikey.Scope{apikey.Generate},
	}); err != nil {
		return fmt.Errorf("seed API key: %w", err)
	}
	return nil
}

func (g *Gateway) seedSecrets(ctx context.Context) error {
	if _, err := g.App.Secrets.Get(ctx, env.WebhookSecret); err != nil {
		if err := g.App.Secrets.Put(ctx, env.WebhookSecret, webhook.NewSecret()); err != nil {
			return fmt.Errorf("seed the webhook secret: %w", err)
		}
	}
	token := g.options.CloudflareGatewayToken
	if token.IsZero() {
		token = secret.New("simulated-gateway-token")
	}
	g.options.Redactor.Add(token)
	if err := g.App.Secrets.Put(ctx, env.CloudflareTokenSecret, token); err != nil {
		return fmt.Errorf("seed the AI gateway's token: %w", err)
	}
	replicate := secret.New(simulatorSecret)
	if !g.options.ReplicateWebhookSecret.IsZero() {
		replicate = g.options.ReplicateWebhookSecret
	}
	for name, value := range map[string]secret.Value{
		simulator.Replicate: replicate, simulator.Custom: secret.New(simulatorSecret),
	} {
		g.options.Redactor.Add(value)
		if err := g.App.Secrets.Put(ctx, app.ProviderWebhookSecretName(name), value); err != nil {
			return fmt.Errorf("seed the webhook secret of %s: %w", name, err)
		}
	}
	return nil
}

// seedConfig puts a config in place, simulated unless the environment has a real key.
func (g *Gateway) seedConfig(ctx context.Context, s seedConfig, priority int) error {
	key, isReal := g.options.ProviderKeys[s.provider]
	base := g.URL + simulatorPath + s.path
	if isReal {
		base = s.real
	} else {
		key = secret.New("simulated-" + s.provider + "-key")
	}
	g.options.Redactor.Add(key)
	name := app.KeySecret(s.id)
	if err := g.App.Secrets.Put(ctx, name, key); err != nil {
		return err
	}
	c, err := g.App.Store.Config(ctx, s.id)
	switch {
	case app.Missing(err):
		c = settings.Config{
			ID: s.id, Name: s.name, Kind: s.kind, Provider: s.provider, Model: s.model, Priority: priority,
			MaxRetries: 1, TimeoutSeconds: s.timeout, Weight: 100, Active: true, Default: priority == 0, Data: s.data, CreatedAt: time.Now().UTC(),
		}
	case err != nil:
		return err
	case c.BaseURL == base && c.KeyMask == key.Mask():
		return nil
	}
	c.BaseURL, c.SecretName, c.KeyMask, c.UpdatedAt = base, name, key.Mask(), time.Now().UTC()
	return g.App.Store.PutConfig(ctx, c, c.Version)
}

func (g *Gateway) seedAccount(ctx context.Context) error {
	now := time.Now().UTC()
	err := g.App.Store.CreateAccount(ctx, credits.Account{ID: demoAccount, Name: "Demo", CreatedAt: now})
	if err != nil && fault.CodeOf(err) != fault.Conflict {
		return err
	}
	// The entry's id makes a repeat of the grant count once; a repeat with another
	// time is the same entry.
	return g.App.Store.Post(ctx, credits.ForGrant(demoAccount, "seed", DemoCredits, "to try the gateway", "easel serve", now))
}

// seedKey makes a key, with the given text or a random one that is kept in the
// secret store so that it stays the same over restarts.
func (g *Gateway) seedKey(ctx context.Context, name string, fixed secret.Value, k apikey.Key) (string, error) {
	text := fixed.Reveal()
	if fixed.IsZero() {
		kept, err := g.App.Secrets.Get(ctx, name)
		if err == nil {
			text = kept.Reveal()
		} else {
			text, _, _ = apikey.New()
		}
	}
	if err := g.App.Secrets.Put(ctx, name, secret.New(text)); err != nil {
		return "", err
	}
	g.options.Redactor.Add(secret.New(text))
	id, key, ok := apikey.Parse(text)
	if !ok {
		return "", errors.New("the key does not have the form esl_<12 letters or digits>_<32 or more>")
	}
	stored, err := g.App.Store.Key(ctx, id)
	switch {
	case app.Missing(err):
		k.ID, k.CreatedAt, k.Hash = id, time.Now().UTC(), apikey.HashSecret(key)
		return text, g.App.Store.PutKey(ctx, k, 0)
	case err != nil:
		return "", err
	}
	if stored.Hash == apikey.HashSecret(key) {
		return text, nil
	}
	stored.Hash = apikey.HashSecret(key)
	return text, g.App.Store.PutKey(ctx, stored, stored.Version)
}
