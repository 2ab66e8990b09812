// Package stability speaks Stability AI's two image APIs, both of which answer
// while the caller waits: v2beta (core, ultra and sd3, as a multipart form) and
// the frozen v1 (SDXL, as JSON).
package stability

import (
	"context"
	"net/http"
	"strings"

	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

const name = "stability"

// Provider is the driver. Create one with [New]. It is safe for concurrent use.
type Provider struct {
	httpcall.NoJobs
	calls *httpcall.Client
}

// New returns a driver that sends with client; nil is http.DefaultClient.
func New(client *http.Client) *Provider { return &Provider{calls: httpcall.New(client)} }

// Describe says what the protocol can do. An input image is taken by ultra and
// sd3, more than one picture per call by v1.
func (p *Provider) Describe() provider.Description {
	return provider.Description{
		Name: name, Title: "Stability AI",
		Kinds:    []generation.Kind{generation.Image},
		BaseURL:  "https://api.stability.ai",
		Features: []string{"negative_prompt", "size", "aspect_ratio", "seed", "format", "image", "strength", "n"},
	}
}

// Submit makes an image.
func (p *Provider) Submit(ctx context.Context, c provider.Call) (provider.Answer, error) {
	req := c.Request
	switch {
	case req.Kind != generation.Image:
		return provider.Answer{}, httpcall.Unsupported("this provider makes images only")
	case len(req.Loras) > 0:
		return provider.Answer{}, httpcall.Unsupported("this provider takes no loras")
	case req.Mask != "":
		return provider.Answer{}, httpcall.Unsupported("this provider takes no mask")
	case req.Seed != nil && (*req.Seed < 0 || *req.Seed > maxSeed):
		return provider.Answer{}, httpcall.Unsupported("this provider takes seeds of 0 to %d", maxSeed)
	}
	if isV1(c) {
		return p.v1(ctx, c)
	}
	return p.v2(ctx, c)
}

// isV1 reports whether the call is for the frozen API.
func isV1(c provider.Call) bool {
	if c.Endpoint != "" {
		return strings.HasPrefix(strings.TrimLeft(c.Endpoint, "/"), "v1/")
	}
	return strings.HasPrefix(c.Model, "stable-diffusion-xl")
}

// request is what every call has in common.
func request(c provider.Call, path string) httpcall.Request {
	r := httpcall.For(c)
	r.Method, r.URL, r.Submits = http.MethodPost, httpcall.Join(c.BaseURL, path), true
	r.Header = map[string]string{"Authorization": "Bearer " + c.Key.Reveal(), "Accept": "application/json"}
	if user := httpcall.HashUser(c.User); user != "" {
		r.Header["Stability-Client-User-Id"] = user
	}
	return r
}

// answered is what every success has in common.
func answered(response *httpcall.Response, files []provider.File, cost int64) provider.Answer {
	return provider.Answer{
		State: provider.Succeeded, Files: files,
		RequestID: response.RequestID(), GatewayID: response.GatewayID(),
		Usage: generation.Usage{Images: len(files), CostMicroUSD: cost},
	}
}
