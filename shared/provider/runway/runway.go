// Package runway speaks Runway's API: videos and images are tasks that are
// created, looked up at most every five seconds, and deleted to cancel them. It
// has no webhooks.
package runway

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

const (
	name = "runway"
	// apiVersion is the only one there is, and mandatory.
	apiVersion = "2024-11-06"
)

// Provider is the driver. Create one with [New]. It is safe for concurrent use.
type Provider struct{ calls *httpcall.Client }

// New returns a driver that sends with client; nil is http.DefaultClient.
func New(client *http.Client) *Provider { return &Provider{calls: httpcall.New(client)} }

// Describe says what the protocol can do. What a model lacks is refused before
// anything is sent.
func (p *Provider) Describe() provider.Description {
	return provider.Description{
		Name: name, Title: "Runway",
		Kinds: []generation.Kind{generation.Video, generation.Image},
		Jobs:  true, Cancels: true,
		BaseURL:   "https://api.dev.runwayml.com",
		PollEvery: 5 * time.Second,
		Features:  []string{"duration", "size", "aspect_ratio", "seed", "image", "negative_prompt"},
	}
}

// Submit creates a task.
func (p *Provider) Submit(ctx context.Context, c provider.Call) (provider.Answer, error) {
	path, body, err := create(c)
	if err != nil {
		return provider.Answer{}, err
	}
	r := request(c, http.MethodPost, path)
	r.Submits = true
	if r.Body, err = httpcall.JSON(body); err != nil {
		return provider.Answer{}, err
	}
	response, err := p.calls.Do(ctx, r)
	if err != nil {
		return provider.Answer{}, err
	}
	if !response.OK() {
		return provider.Answer{}, refusal(response)
	}
	var created task
	if err := response.JSON(&created); err != nil {
		return provider.Answer{}, err
	}
	if created.ID == "" {
		return provider.Answer{}, response.Bad("the provider's answer names no job", nil)
	}
	return provider.Answer{
		State: provider.Pending, Job: provider.Job{ID: created.ID},
		RequestID: response.RequestID(), GatewayID: response.GatewayID(),
	}, nil
}

// Poll looks a task up. A task that the vendor has deleted, as it does when one
// is canceled, is canceled.
func (p *Provider) Poll(ctx context.Context, c provider.Call, j provider.Job) (provider.Answer, error) {
	response, found, err := p.look(ctx, c, j)
	if err != nil {
		return provider.Answer{}, err
	}
	return found.answer(c, j, response), nil
}

// Cancel deletes a task that has not ended. It looks first, because deleting one
// that has ended destroys its result. A task that ends between the look and the
// deletion is lost all the same; the vendor has no way around that.
func (p *Provider) Cancel(ctx context.Context, c provider.Call, j provider.Job) error {
	_, found, err := p.look(ctx, c, j)
	if err != nil {
		return err
	}
	if !found.active() {
		return nil
	}
	response, err := p.calls.Do(ctx, request(c, http.MethodDelete, taskPath(j)))
	if err != nil {
		return err
	}
	if !response.OK() && response.Status != http.StatusNotFound {
		return refusal(response)
	}
	return nil
}

// Notice returns a Failure: the vendor sends no webhooks.
func (p *Provider) Notice(context.Context, provider.Message) (provider.Notice, error) {
	return provider.Notice{}, httpcall.NoWebhooks()
}

// look fetches a task. One that is gone in the vendor's own words is canceled.
func (p *Provider) look(ctx context.Context, c provider.Call, j provider.Job) (*httpcall.Response, task, error) {
	response, err := p.calls.Do(ctx, request(c, http.MethodGet, taskPath(j)))
	if err != nil {
		return nil, task{}, err
	}
	if response.Status == http.StatusNotFound && parse(response).Error != "" {
		return response, task{ID: j.ID, Status: "CANCELLED"}, nil
	}
	if !response.OK() {
		return nil, task{}, refusal(response)
	}
	var found task
	if err := response.JSON(&found); err != nil {
		return nil, task{}, err
	}
	if found.Status == "" {
		return nil, task{}, response.Bad("the provider's answer has no status", nil)
	}
	return response, found, nil
}

func taskPath(j provider.Job) string { return "v1/tasks/" + url.PathEscape(j.ID) }

func request(c provider.Call, method, path string) httpcall.Request {
	r := httpcall.For(c)
	r.Method, r.URL = method, httpcall.Join(c.BaseURL, path)
	r.Header = map[string]string{
		"Authorization": "Bearer " + c.Key.Reveal(), "Accept": "application/json", "X-Runway-Version": apiVersion,
	}
	return r
}
