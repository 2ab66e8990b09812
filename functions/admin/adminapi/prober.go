package adminapi

import (
	"context"
	"errors"
	"strconv"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/lifecycle"
	"easel/shared/provider"
	"easel/shared/secret"
	"easel/shared/settings"
)

// The modes of a test.
const (
	ModeProbe    = "probe"    // the cheapest call that needs the key
	ModeGenerate = "generate" // one real generation
)

// Probe is one test of a config. It belongs to no task and is charged to nobody.
type Probe struct {
	Config settings.Config
	// Key is the key to use; the zero value uses none.
	Key  secret.Value
	Mode string
	// Prompt and Model are for ModeGenerate; "" are a harmless prompt and the
	// config's own model.
	Prompt, Model string
}

// ProbeResult is what came of a test. A provider that fails is a result too.
type ProbeResult struct {
	OK bool `json:"ok"`
	// Mode is the mode that was used: a provider without a cheap call generates.
	Mode string `json:"mode"`
	// Status is the provider's HTTP status, 0 when there was no answer.
	Status    int         `json:"status"`
	LatencyMS int64       `json:"latency_ms"`
	Class     fault.Class `json:"class,omitempty"`
	Message   string      `json:"message,omitempty"`
	// Detail is the provider's own words without secrets.
	Detail       string           `json:"detail,omitempty"`
	RequestID    string           `json:"request_id,omitempty"`
	Model        string           `json:"model,omitempty"`
	CostMicroUSD int64            `json:"cost_micro_usd"`
	Outputs      []httpapi.Output `json:"outputs,omitempty"`
	Text         string           `json:"text,omitempty"`
	Models       []string         `json:"models,omitempty"`
}

// Prober makes the real call of a test; [*Caller] is the one.
type Prober interface {
	Probe(ctx context.Context, p Probe) ProbeResult
}

// Caller is a Prober that calls providers. All members are required but Prepare.
type Caller struct {
	Providers map[string]provider.Provider
	// Keeper stores what was generated, and Signer makes it readable.
	Keeper lifecycle.Keeper
	Signer httpapi.Signer
	// Prepare completes a call for its config, such as for a proxy.
	Prepare func(ctx context.Context, c *provider.Call, config settings.Config) error
	Now     func() time.Time
	NewID   func(prefix string) string
}

const (
	usualPrompt    = "A lighthouse at dusk, a calm sea, soft light"
	usualTextAsk   = "Answer with the one word: ready"
	usualTokens    = 64
	maxProbeModels = 200
	slowestPoll    = 5 * time.Second
	fastestPoll    = 200 * time.Millisecond
)

// Probe calls the provider once; for a job it then looks for its end, within the
// config's timeout.
func (c *Caller) Probe(ctx context.Context, p Probe) ProbeResult {
	ctx, cancel := context.WithTimeout(ctx, p.Config.Timeout())
	defer cancel()
	started := c.Now()
	result, err := c.probe(ctx, p)
	result.LatencyMS = c.Now().Sub(started).Milliseconds()
	if err == nil {
		result.OK = true
		return result
	}
	f := fault.FailureOf(err)
	redactor := secret.NewRedactor(p.Key)
	result.Status, result.Class, result.RequestID = f.Status, f.Class, redactor.String(f.RequestID)
	result.Message, result.Detail = redactor.String(f.Message), redactor.String(f.Detail)
	if result.Message == "" {
		result.Message = f.Class.Public()
	}
	if result.Detail == "" && f.Cause != nil {
		result.Detail = redactor.String(f.Cause.Error())
	}
	return result
}

const statusOK = 200

func (c *Caller) probe(ctx context.Context, p Probe) (ProbeResult, error) {
	result := ProbeResult{Mode: p.Mode, Model: p.Model}
	if result.Model == "" {
		result.Model = p.Config.Model
	}
	driver, ok := c.Providers[p.Config.Provider]
	if !ok {
		return result, &fault.Failure{Class: fault.ClassUnsupported, Detail: "this gateway has no provider named " + p.Config.Provider}
	}
	call, err := c.call(ctx, p, result.Model)
	if err != nil {
		return result, err
	}
	if lister, ok := driver.(provider.Lister); ok && p.Mode == ModeProbe {
		models, err := lister.Models(ctx, call)
		if f := fault.FailureOf(err); f == nil || f.Class != fault.ClassUnsupported {
			result.Models = namesOf(models)
			return ok200(result), err
		}
	}
	result.Mode = ModeGenerate
	answer, err := c.generate(ctx, driver, call)
	result.CostMicroUSD, result.RequestID, result.Text = answer.Usage.CostMicroUSD, answer.RequestID, answer.Text
	if err != nil {
		return result, err
	}
	result.Outputs, err = c.keep(ctx, call, answer)
	return ok200(result), err
}

// ok200 is the status of a call that a driver takes for a success; drivers tell
// the status of failures only.
func ok200(r ProbeResult) ProbeResult {
	r.Status = statusOK
	return r
}

func namesOf(models []provider.Model) []string {
	names := make([]string, 0, min(len(models), maxProbeModels))
	for _, m := range models[:min(len(models), maxProbeModels)] {
		names = append(names, m.Name)
	}
	return names
}

func (c *Caller) call(ctx context.Context, p Probe, model string) (provider.Call, error) {
	request := generation.Request{Kind: p.Config.Kind, Model: model, Prompt: p.Prompt}
	if request.Prompt == "" {
		request.Prompt = usualPrompt
		if request.Kind == generation.Text {
			request.Prompt, request.MaxTokens = usualTextAsk, usualTokens
		}
	}
	now := c.Now()
	call := provider.Call{
		BaseURL: p.Config.BaseURL, Endpoint: p.Config.Endpoint, Key: p.Key, Model: model, Data: p.Config.Data,
		Request: request, Task: c.NewID("task_"), Attempt: c.NewID("att_"), StartedAt: now, ExpiresAt: now.Add(p.Config.Timeout()),
	}
	if c.Prepare != nil {
		if err := c.Prepare(ctx, &call, p.Config); err != nil {
			return call, &fault.Failure{Class: fault.ClassAuth, Detail: "the call could not be prepared", Cause: err}
		}
	}
	return call, nil
}

// generate submits once and waits for the job's end.
func (c *Caller) generate(ctx context.Context, driver provider.Provider, call provider.Call) (provider.Answer, error) {
	answer, err := driver.Submit(ctx, call)
	job := answer.Job
	for err == nil {
		switch answer.State {
		case provider.Succeeded:
			return answer, nil
		case provider.Failed:
			if answer.Failure != nil {
				return answer, answer.Failure
			}
			return answer, &fault.Failure{Class: fault.ClassJobFailed}
		case provider.Pending, provider.Running:
		}
		pause := min(max(answer.PollAfter, driver.Describe().PollEvery/2, fastestPoll), slowestPoll)
		if !sleep(ctx, pause) {
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), slowestPoll)
			_ = driver.Cancel(stop, call, job) // best effort: nobody waits for it any more
			cancel()
			return answer, &fault.Failure{Class: fault.ClassTimeout, Message: "the job did not end within the config's timeout"}
		}
		answer, err = driver.Poll(ctx, call, job)
		if answer.Job.ID != "" {
			job = answer.Job
		}
	}
	return answer, err
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// keep stores the results beside those of tasks, where they age like them.
func (c *Caller) keep(ctx context.Context, call provider.Call, answer provider.Answer) ([]httpapi.Output, error) {
	outputs := make([]httpapi.Output, 0, len(answer.Files))
	for i, f := range answer.Files {
		asset, err := c.Keeper.Keep(ctx, "out/probe/"+call.Attempt+"/"+strconv.Itoa(i), call.Request.Kind, f)
		if err != nil {
			return outputs, &fault.Failure{Class: fault.ClassStorage, Cause: err, Detail: storageDetail(err)}
		}
		url, err := c.Signer.Sign(ctx, asset.Key, httpapi.OutputTTL)
		if err != nil {
			return outputs, &fault.Failure{Class: fault.ClassStorage, Cause: err}
		}
		outputs = append(outputs, httpapi.Output{
			URL: url, ContentType: asset.ContentType, Bytes: asset.Bytes, Width: asset.Width, Height: asset.Height,
			DurationSeconds: asset.DurationSeconds, SHA256: asset.SHA256,
		})
	}
	return outputs, nil
}

func storageDetail(err error) string {
	if errors.Is(err, lifecycle.ErrUnusable) {
		return "the provider's file is too large, empty, or of a type that is not taken"
	}
	return ""
}
