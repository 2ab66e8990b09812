// Package replicate speaks Replicate's predictions API: a prediction is created,
// reported by a signed webhook or looked up, and can be canceled.
package replicate

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

const name = "replicate"

// The vendor's bounds of the Cancel-After header.
const (
	minCancelAfter = 5 * time.Second
	maxCancelAfter = 24 * time.Hour
)

// Provider is the driver. Create one with [New]. It is safe for concurrent use.
type Provider struct{ calls *httpcall.Client }

// New returns a driver that sends with client; nil is http.DefaultClient.
func New(client *http.Client) *Provider { return &Provider{calls: httpcall.New(client)} }

// Describe says what the protocol can do. Which features a model takes depends
// on its family; what a family lacks is refused before anything is sent.
func (p *Provider) Describe() provider.Description {
	return provider.Description{
		Name: name, Title: "Replicate",
		Kinds: []generation.Kind{generation.Image, generation.Video},
		Jobs:  true, Webhooks: true, SignedWebhooks: true, Cancels: true,
		BaseURL:   "https://api.replicate.com/v1",
		PollEvery: 3 * time.Second,
		Features:  []string{"n", "size", "aspect_ratio", "seed", "format", "image", "strength", "loras", "duration", "fps"},
	}
}

// Submit creates a prediction.
func (p *Provider) Submit(ctx context.Context, c provider.Call) (provider.Answer, error) {
	input, err := inputOf(c)
	if err != nil {
		return provider.Answer{}, err
	}
	path, version, err := route(c)
	if err != nil {
		return provider.Answer{}, err
	}
	body := createRequest{Version: version, Input: input}
	if c.CallbackURL != "" {
		body.Webhook, body.WebhookEventsFilter = c.CallbackURL, []string{"completed"}
	}
	r := request(c, http.MethodPost, path)
	r.Submits = true
	if !c.ExpiresAt.IsZero() {
		r.Header["Cancel-After"] = cancelAfter(time.Until(c.ExpiresAt))
	}
	if r.Body, err = httpcall.JSON(body); err != nil {
		return provider.Answer{}, err
	}
	return p.prediction(ctx, c, r)
}

// Poll looks a prediction up. It goes to the config's own base URL, never to
// the URL that an answer names: the key is sent nowhere else.
func (p *Provider) Poll(ctx context.Context, c provider.Call, j provider.Job) (provider.Answer, error) {
	return p.prediction(ctx, c, request(c, http.MethodGet, "predictions/"+url.PathEscape(j.ID)))
}

// Cancel stops a prediction. One that has ended, or is gone, needs no stopping.
func (p *Provider) Cancel(ctx context.Context, c provider.Call, j provider.Job) error {
	response, err := p.calls.Do(ctx, request(c, http.MethodPost, "predictions/"+url.PathEscape(j.ID)+"/cancel"))
	if err != nil {
		return err
	}
	switch response.Status {
	case http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity:
		return nil
	}
	if !response.OK() {
		return refusal(response)
	}
	return nil
}

// prediction makes a call that answers with a prediction.
func (p *Provider) prediction(ctx context.Context, c provider.Call, r httpcall.Request) (provider.Answer, error) {
	response, err := p.calls.Do(ctx, r)
	if err != nil {
		return provider.Answer{}, err
	}
	if !response.OK() {
		return provider.Answer{}, refusal(response)
	}
	var body prediction
	if err := response.JSON(&body); err != nil {
		return provider.Answer{}, err
	}
	if body.ID == "" || body.Status == "" {
		return provider.Answer{}, response.Bad("the provider's answer names no job", nil)
	}
	return answerOf(c, response, body), nil
}

func request(c provider.Call, method, path string) httpcall.Request {
	r := httpcall.For(c)
	r.Method, r.URL = method, httpcall.Join(c.BaseURL, path)
	r.Header = map[string]string{"Authorization": "Bearer " + c.Key.Reveal(), "Accept": "application/json"}
	return r
}

var (
	official = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)
	versions = regexp.MustCompile(`^([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+:)?[0-9a-f]{64}$`)
)

// route returns the path of a create and the version to name in its body. An
// official model has its own path, on which others answer 404; everything else
// is a version. A deployment, as an endpoint, knows its model itself.
func route(c provider.Call) (path, version string, err error) {
	switch {
	case c.Endpoint != "" && strings.Trim(c.Endpoint, "/") != "predictions":
		return c.Endpoint, "", nil
	case versions.MatchString(c.Model), c.Endpoint != "" && official.MatchString(c.Model):
		return "predictions", c.Model, nil
	case official.MatchString(c.Model):
		return "models/" + c.Model + "/predictions", "", nil
	default:
		return "", "", httpcall.Unsupported("the model is not of the form owner/name, owner/name:version or version")
	}
}

func cancelAfter(left time.Duration) string {
	left = min(max(left, minCancelAfter), maxCancelAfter)
	return left.Truncate(time.Second).String()
}
