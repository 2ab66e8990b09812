// Package custom speaks any HTTP API that its config describes as data: what to
// send as a template, and where the job, the status, the results and the errors
// are in the answers as JMESPath expressions. Nothing in a description runs.
package custom

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

const (
	name  = "custom"
	sync  = "sync"
	async = "async"
)

// The members of a job's handle.
const (
	handleURL  = "poll_url"
	handlePath = "path"
)

// Provider is the driver. Create one with [New]. It is safe for concurrent use.
type Provider struct{ calls *httpcall.Client }

// New returns a driver that sends with client; nil is http.DefaultClient.
func New(client *http.Client) *Provider { return &Provider{calls: httpcall.New(client)} }

// Describe says what the protocol can do at most. What one API can do follows
// from its description: what its template has no place for is refused before
// anything is sent.
func (p *Provider) Describe() provider.Description {
	return provider.Description{
		Name: name, Title: "Custom API",
		Kinds: generation.Kinds(),
		Jobs:  true, Webhooks: true, Cancels: true,
		PollEvery: 5 * time.Second,
		Features: []string{
			"negative_prompt", "n", "size", "aspect_ratio", "quality", "format", "duration", "fps", "seed",
			"image", "mask", "strength", "loras", "messages", "system", "max_tokens", "temperature",
		},
	}
}

// Submit sends the description's submit, or submit_image.
func (p *Provider) Submit(ctx context.Context, c provider.Call) (provider.Answer, error) {
	d, err := parse(c.Data)
	if err != nil {
		return provider.Answer{}, misdescribed(err)
	}
	op := d.submit(c)
	if err := d.fits(c, op); err != nil {
		return provider.Answer{}, err
	}
	vars, err := variables(c)
	if err != nil {
		return provider.Answer{}, err
	}
	r, path, err := d.request(c, op, vars, "")
	if err != nil {
		return provider.Answer{}, err
	}
	r.Submits = true
	response, err := p.calls.Do(ctx, r)
	if err != nil {
		return provider.Answer{}, err
	}
	if d.Mode == sync && d.Answer.Type == "bytes" && response.OK() {
		return bytesAnswer(c, response)
	}
	tree, err := d.success(response)
	if err != nil {
		return provider.Answer{}, err
	}
	if d.Mode == sync {
		return d.result(c, response, tree, provider.Answer{})
	}
	return d.accepted(response, tree, path)
}

// submit returns the operation that the call is submitted with.
func (d definition) submit(c provider.Call) *operation {
	op := d.Submit
	if c.Request.Image != "" && d.SubmitImage != nil {
		op = d.SubmitImage
	}
	if c.Endpoint == "" {
		return op
	}
	moved := *op
	moved.Path = "/" + strings.TrimLeft(c.Endpoint, "/")
	return &moved
}

// accepted reads the job from the answer to a submit.
func (d definition) accepted(response *httpcall.Response, tree tree, path string) (provider.Answer, error) {
	id := tree.text(d.Job.ID)
	if id == "" {
		return provider.Answer{}, response.Bad("the provider's answer names no job", nil)
	}
	job := provider.Job{ID: id, Handle: map[string]string{handlePath: path}}
	if d.Job.PollURL != "" {
		job.Handle[handleURL] = tree.text(d.Job.PollURL)
	}
	return provider.Answer{
		State: provider.Pending, Job: job, PollAfter: d.pollAfter(),
		RequestID: d.requestID(response, tree), GatewayID: response.GatewayID(),
	}, nil
}

// Poll sends the description's poll.
func (p *Provider) Poll(ctx context.Context, c provider.Call, j provider.Job) (provider.Answer, error) {
	d, err := parse(c.Data)
	if err != nil {
		return provider.Answer{}, misdescribed(err)
	}
	if d.Poll == nil {
		return provider.Answer{}, httpcall.Unsupported("this provider keeps no jobs")
	}
	response, err := p.about(ctx, c, d, d.Poll, j)
	if err != nil {
		return provider.Answer{}, err
	}
	tree, err := d.success(response)
	if err != nil {
		return provider.Answer{}, err
	}
	return d.progress(c, response, tree, provider.Answer{
		State: provider.Pending, Job: j, PollAfter: d.pollAfter(),
		RequestID: d.requestID(response, tree), GatewayID: response.GatewayID(),
	})
}

// Cancel sends the description's cancel, where it has one. A job that has ended
// or is gone needs none.
func (p *Provider) Cancel(ctx context.Context, c provider.Call, j provider.Job) error {
	d, err := parse(c.Data)
	if err != nil {
		return misdescribed(err)
	}
	if d.Cancel == nil {
		return httpcall.Unsupported("this provider cannot cancel")
	}
	response, err := p.about(ctx, c, d, d.Cancel, j)
	if err != nil {
		return err
	}
	switch response.Status {
	case http.StatusNotFound, http.StatusConflict, http.StatusGone:
		return nil
	}
	if !response.OK() {
		return d.refusal(response, read(response.Body))
	}
	return nil
}

// about sends an operation about a job. A URL that the API gave for polling is
// used only at hosts that the operator trusts with the key.
func (p *Provider) about(ctx context.Context, c provider.Call, d definition, op *operation, j provider.Job) (*httpcall.Response, error) {
	vars, err := variables(c)
	if err != nil {
		return nil, err
	}
	path := j.Handle[handlePath]
	if path == "" { // the job is known by a report alone: the submit's answer was lost
		if path, err = fillPath(d.submit(c).Path, vars); err != nil {
			return nil, err
		}
	}
	vars["job.id"], vars["job.path"] = j.ID, rawPath(path)
	target := ""
	if given := j.Handle[handleURL]; op == d.Poll && given != "" {
		if d.trusts(c.BaseURL, given) {
			target = given
		} else if op.Path == "" {
			return nil, &fault.Failure{Class: fault.ClassBadAnswer, Message: "the provider names a host that the config does not list"}
		}
	}
	r, _, err := d.request(c, op, vars, target)
	if err != nil {
		return nil, err
	}
	return p.calls.Do(ctx, r)
}

// trusts reports whether a URL is at the base URL's host or a listed one.
func (d definition) trusts(base, raw string) bool {
	if httpcall.SameHost(base, raw) {
		return true
	}
	u, err := url.Parse(raw)
	return err == nil && u.Scheme == "https" && u.User == nil && slices.Contains(d.Hosts, u.Host)
}

// request builds the call of an operation; target replaces its own address.
func (d definition) request(c provider.Call, op *operation, vars map[string]any, target string) (httpcall.Request, string, error) {
	r := httpcall.For(c)
	r.Method, r.Header = op.Method, map[string]string{"Accept": "application/json"}
	query := url.Values{}
	path := ""
	if target == "" {
		var err error
		if path, err = fillPath(op.Path, vars); err != nil {
			return r, "", err
		}
		target = httpcall.Join(c.BaseURL, path)
	} else if !httpcall.SameHost(c.BaseURL, target) {
		r.Extra = nil // what goes along to a proxy is not for a host behind it
	}
	for parameter, template := range op.Query {
		if value, ok := fillText(template, vars); ok {
			query.Set(parameter, value)
		}
	}
	for header, template := range d.Headers {
		if value, ok := fillText(template, vars); ok {
			r.Header[header] = value
		}
	}
	switch d.Auth.Type {
	case "", "bearer":
		r.Header["Authorization"] = "Bearer " + c.Key.Reveal()
	case "header":
		r.Header[d.Auth.Name] = d.Auth.Prefix + c.Key.Reveal()
	case "query":
		query.Set(d.Auth.Name, d.Auth.Prefix+c.Key.Reveal())
	}
	r.URL = withQuery(target, query)
	if op.Body == nil {
		return r, path, nil
	}
	body, err := fillBody(op, vars)
	r.Body = body
	return r, path, err
}

func withQuery(target string, query url.Values) string {
	if len(query) == 0 {
		return target
	}
	if strings.Contains(target, "?") {
		return target + "&" + query.Encode()
	}
	return target + "?" + query.Encode()
}

func (d definition) pollAfter() time.Duration { return httpcall.Seconds(d.PollSeconds) }

// misdescribed is the failure of a config whose description is not valid. Saving
// one is refused, so this is a config that was saved by other means.
func misdescribed(err error) error {
	return &fault.Failure{Class: fault.ClassUnsupported, Message: "the config's description of its API is not valid", Cause: err}
}
