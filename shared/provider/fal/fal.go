// Package fal speaks fal's queue, which is also the only API of Pika: a request
// is put into a queue, reported by an Ed25519-signed webhook or looked up, and
// its result fetched from an address of its own.
package fal

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

const name = "fal"

// The members of a job's handle: the addresses that the vendor returned.
const (
	handleStatus = "status"
	handleResult = "result"
	handleCancel = "cancel"
)

// headerTarget is how a proxy is told which of the vendor's hosts is meant.
const headerTarget = "X-Fal-Target-Url"

// Provider is the driver. Create one with [New]. It is safe for concurrent use.
type Provider struct {
	calls *httpcall.Client
	keys  *keyring
}

// Option changes a driver as [New] makes it.
type Option func(*Provider)

// WithKeys takes the JSON Web Key Set that verifies webhooks from fetch instead
// of from the vendor. Fetch must be safe for concurrent use.
func WithKeys(fetch func(context.Context) ([]byte, error)) Option {
	return func(p *Provider) { p.keys = newKeyring(fetch) }
}

// New returns a driver that sends with client; nil is http.DefaultClient. It
// remembers the vendor's public keys for a day.
func New(client *http.Client, options ...Option) *Provider {
	p := &Provider{calls: httpcall.New(client)}
	p.keys = newKeyring(p.fetchKeys)
	for _, option := range options {
		option(p)
	}
	return p
}

// Describe says what the protocol can do. Which features a model takes depends
// on its family; what a family lacks is refused before anything is sent.
func (p *Provider) Describe() provider.Description {
	return provider.Description{
		Name: name, Title: "fal",
		Kinds: []generation.Kind{generation.Image, generation.Video},
		Jobs:  true, Webhooks: true, SignedWebhooks: true, Cancels: true,
		BaseURL:   "https://queue.fal.run",
		PollEvery: 3 * time.Second,
		Features:  []string{"n", "size", "aspect_ratio", "seed", "format", "image", "negative_prompt", "duration", "loras"},
	}
}

// Submit puts a request into the queue.
func (p *Provider) Submit(ctx context.Context, c provider.Call) (provider.Answer, error) {
	model, input, err := inputOf(c)
	if err != nil {
		return provider.Answer{}, err
	}
	target := httpcall.Join(c.BaseURL, model)
	if c.CallbackURL != "" {
		target += "?" + url.Values{"fal_webhook": {c.CallbackURL}}.Encode()
	}
	r := request(c, http.MethodPost, target)
	r.Submits = true
	// The vendor would repeat what fails, up to ten times, and may answer with
	// another model: both are this gateway's to decide.
	r.Header["X-Fal-No-Retry"] = "1"
	r.Header["X-App-Fal-Disable-Fallback"] = "1"
	if !c.ExpiresAt.IsZero() {
		r.Header["X-Fal-Request-Timeout"] = strconv.Itoa(max(1, int(time.Until(c.ExpiresAt).Seconds())))
	}
	if r.Body, err = httpcall.JSON(input); err != nil {
		return provider.Answer{}, err
	}
	response, err := p.calls.Do(ctx, r)
	if err != nil {
		return provider.Answer{}, err
	}
	if !response.OK() {
		return provider.Answer{}, refusal(response)
	}
	var queued queued
	if err := response.JSON(&queued); err != nil {
		return provider.Answer{}, err
	}
	if queued.RequestID == "" {
		return provider.Answer{}, response.Bad("the provider's answer names no job", nil)
	}
	return provider.Answer{
		State: provider.Pending, Job: queued.job(), RequestID: response.RequestID(), GatewayID: response.GatewayID(),
	}, nil
}

// Poll looks a request up, and fetches its result when there is one. The vendor
// has no status for failure: COMPLETED only means that an answer is stored.
func (p *Provider) Poll(ctx context.Context, c provider.Call, j provider.Job) (provider.Answer, error) {
	response, err := p.calls.Do(ctx, request(c, http.MethodGet, address(c, j, handleStatus, "/status")))
	if err != nil {
		return provider.Answer{}, err
	}
	if !response.OK() {
		return provider.Answer{}, refusal(response)
	}
	var status queueStatus
	if err := response.JSON(&status); err != nil {
		return provider.Answer{}, err
	}
	answer := provider.Answer{
		State: provider.Pending, Job: j, RequestID: response.RequestID(), GatewayID: response.GatewayID(),
	}
	switch status.Status {
	case "":
		return provider.Answer{}, response.Bad("the provider's answer has no status", nil)
	case "IN_PROGRESS":
		answer.State = provider.Running
	case "COMPLETED":
		return p.result(ctx, c, j, answer)
	}
	return answer, nil
}

func (p *Provider) result(ctx context.Context, c provider.Call, j provider.Job, answer provider.Answer) (provider.Answer, error) {
	response, err := p.calls.Do(ctx, request(c, http.MethodGet, address(c, j, handleResult, "")))
	if err != nil {
		return provider.Answer{}, err
	}
	if !response.OK() {
		failure, final := outcome(response)
		if !final {
			return provider.Answer{}, failure
		}
		answer.State, answer.Failure = provider.Failed, failure
		return answer, nil
	}
	return read(c, response, answer)
}

// Cancel asks the vendor to drop a request. One that has ended, or is gone,
// needs no dropping.
func (p *Provider) Cancel(ctx context.Context, c provider.Call, j provider.Job) error {
	response, err := p.calls.Do(ctx, request(c, http.MethodPut, address(c, j, handleCancel, "/cancel")))
	if err != nil {
		return err
	}
	if response.OK() || response.Status == http.StatusBadRequest || response.Status == http.StatusNotFound {
		return nil
	}
	return refusal(response)
}

func request(c provider.Call, method, target string) httpcall.Request {
	r := httpcall.For(c)
	r.Method, r.URL = method, target
	r.Header = map[string]string{"Authorization": "Key " + c.Key.Reveal(), "Accept": "application/json"}
	// A proxy that serves several of the vendor's hosts is told the whole address:
	// the config's header names the host, and the path is this call's.
	if host := c.Headers[headerTarget]; host != "" {
		r.Header[headerTarget] = host + strings.TrimPrefix(target, strings.TrimRight(c.BaseURL, "/"))
	}
	return r
}

// address is where a job is looked up: the address that the vendor returned, if
// it is below the config's own base URL, and else the one that it must be. The
// key is sent nowhere else, and behind a proxy the vendor's own is the wrong one.
func address(c provider.Call, j provider.Job, member, suffix string) string {
	returned := j.Handle[member]
	if httpcall.SameHost(c.BaseURL, returned) && strings.HasPrefix(returned, strings.TrimRight(c.BaseURL, "/")+"/") {
		return returned
	}
	return httpcall.Join(c.BaseURL, app(endpoint(c))+"/requests/"+url.PathEscape(j.ID)+suffix)
}

// app is the part of a model's name that addresses of its requests start with:
// owner and alias, after a namespace where there is one.
func app(model string) string {
	segments := strings.Split(model, "/")
	keep := 2
	if segments[0] == "workflows" || segments[0] == "comfy" {
		keep = 3
	}
	return strings.Join(segments[:min(keep, len(segments))], "/")
}

// endpoint is the vendor's name of the model.
func endpoint(c provider.Call) string {
	if c.Endpoint != "" {
		return strings.Trim(c.Endpoint, "/")
	}
	return strings.Trim(c.Model, "/")
}
