// Package gemini speaks Google's Gemini API: generateContent for text and for
// images, and streamGenerateContent for text, all answered while the caller
// waits, and predictLongRunning for videos, which are jobs.
package gemini

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

const (
	name      = "gemini"
	headerKey = "X-Goog-Api-Key"
	// maxPages bounds a listing of models, of pageSize each.
	maxPages = 5
	pageSize = "1000"
)

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
		Name: name, Title: "Gemini",
		Kinds:     []generation.Kind{generation.Text, generation.Image, generation.Video},
		Jobs:      true,
		BaseURL:   "https://generativelanguage.googleapis.com/v1beta",
		PollEvery: 10 * time.Second,
		Features: []string{
			"size", "aspect_ratio", "seed", "image", "duration", "negative_prompt",
			"messages", "system", "max_tokens", "temperature",
		},
	}
}

// Submit makes a text or an image, or starts a video.
func (p *Provider) Submit(ctx context.Context, c provider.Call) (provider.Answer, error) {
	if c.Request.Kind == generation.Video {
		return p.video(ctx, c)
	}
	r, err := generate(c, ":generateContent")
	if err != nil {
		return provider.Answer{}, err
	}
	response, err := p.calls.Do(ctx, r)
	if err != nil {
		return provider.Answer{}, err
	}
	if !response.OK() {
		return provider.Answer{}, refusal(response, false)
	}
	var body chunk
	if err := response.JSON(&body); err != nil {
		return provider.Answer{}, err
	}
	g := gathered{}
	if err := g.add(body); err != nil {
		return provider.Answer{}, response.Bad("an image in the provider's answer is not base64", err)
	}
	return g.answer(c, response)
}

// Stream answers a text piece by piece.
func (p *Provider) Stream(ctx context.Context, c provider.Call, emit func(string) error) (provider.Answer, error) {
	if c.Request.Kind != generation.Text {
		return provider.Answer{}, httpcall.Unsupported("only text can be streamed")
	}
	r, err := generate(c, ":streamGenerateContent?alt=sse")
	if err != nil {
		return provider.Answer{}, err
	}
	r.Header["Accept"] = "text/event-stream"
	g := gathered{emit: emit}
	response, err := p.calls.Stream(ctx, r, g.event)
	if err == nil && !response.OK() {
		err = refusal(response, false)
	}
	if err != nil {
		return provider.Answer{}, httpcall.AfterPieces(err, g.emitted)
	}
	answer, err := g.answer(c, response)
	return answer, httpcall.AfterPieces(err, g.emitted)
}

// Models lists the models of the key. The vendor does not say when it retires one.
func (p *Provider) Models(ctx context.Context, c provider.Call) ([]provider.Model, error) {
	var models []provider.Model
	query := url.Values{"pageSize": {pageSize}}
	for range maxPages {
		response, err := p.calls.Do(ctx, request(c, http.MethodGet, "models?"+query.Encode()))
		if err != nil {
			return nil, err
		}
		if !response.OK() {
			return nil, refusal(response, false)
		}
		var page modelPage
		if err := response.JSON(&page); err != nil {
			return nil, err
		}
		for _, model := range page.Models {
			models = append(models, provider.Model{Name: strings.TrimPrefix(model.Name, "models/")})
		}
		if page.NextPageToken == "" {
			break
		}
		query.Set("pageToken", page.NextPageToken)
	}
	return models, nil
}

// generate builds the call of one of the two methods.
func generate(c provider.Call, method string) (httpcall.Request, error) {
	body, err := bodyOf(c)
	if err != nil {
		return httpcall.Request{}, err
	}
	r := request(c, http.MethodPost, methodPath(c, method))
	r.Submits = true
	r.Body, err = httpcall.JSON(body)
	return r, err
}

// methodPath is the path of one of a model's methods.
func methodPath(c provider.Call, method string) string {
	if c.Endpoint != "" {
		path, _, _ := strings.Cut(c.Endpoint, ":")
		return path + method
	}
	return "models/" + url.PathEscape(strings.TrimPrefix(c.Model, "models/")) + method
}

// request is what every call has in common. The key is a header: in the URL it
// would end up in logs.
func request(c provider.Call, method, path string) httpcall.Request {
	r := httpcall.For(c)
	r.Method, r.URL = method, httpcall.Join(c.BaseURL, path)
	r.Header = map[string]string{headerKey: c.Key.Reveal(), "Accept": "application/json"}
	return r
}
