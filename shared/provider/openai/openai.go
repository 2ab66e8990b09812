// Package openai speaks OpenAI's API for images and text: /images/generations,
// /images/edits and /chat/completions, all of which answer while the caller
// waits. It also serves the many APIs that imitate it.
package openai

import (
	"context"
	"net/http"
	"time"

	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

const name = "openai"

// Provider is the driver. Create one with [New]. It is safe for concurrent use.
type Provider struct {
	httpcall.NoJobs
	calls *httpcall.Client
}

// New returns a driver that sends with client; nil is http.DefaultClient.
func New(client *http.Client) *Provider { return &Provider{calls: httpcall.New(client)} }

// Describe says what the protocol can do.
func (p *Provider) Describe() provider.Description {
	return provider.Description{
		Name: name, Title: "OpenAI",
		Kinds:   []generation.Kind{generation.Image, generation.Text},
		BaseURL: "https://api.openai.com/v1",
		Features: []string{
			"n", "size", "aspect_ratio", "quality", "format", "image", "mask",
			"messages", "system", "max_tokens", "temperature",
		},
	}
}

// Submit makes an image, an edit or a text.
func (p *Provider) Submit(ctx context.Context, c provider.Call) (provider.Answer, error) {
	switch c.Request.Kind {
	case generation.Image:
		return p.image(ctx, c)
	case generation.Text:
		return p.text(ctx, c)
	case generation.Video:
	}
	return provider.Answer{}, httpcall.Unsupported("this provider makes images and text only")
}

// Models lists the models of the key, with the day each is shut down.
func (p *Provider) Models(ctx context.Context, c provider.Call) ([]provider.Model, error) {
	response, err := p.calls.Do(ctx, request(c, http.MethodGet, "models"))
	if err != nil {
		return nil, err
	}
	if !response.OK() {
		return nil, refusal(response)
	}
	var list modelList
	if err := response.JSON(&list); err != nil {
		return nil, err
	}
	models := make([]provider.Model, 0, len(list.Data))
	for _, entry := range list.Data {
		retires, _ := time.Parse(time.DateOnly, entry.ShutdownDate)
		models = append(models, provider.Model{Name: entry.ID, RetiresAt: retires})
	}
	return models, nil
}

// request is what every call has in common.
func request(c provider.Call, method, path string) httpcall.Request {
	r := httpcall.For(c)
	r.Method, r.URL = method, httpcall.Join(c.BaseURL, path)
	r.Header = map[string]string{"Authorization": "Bearer " + c.Key.Reveal(), "Accept": "application/json"}
	return r
}
