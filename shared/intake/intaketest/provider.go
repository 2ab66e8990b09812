package intaketest

import (
	"context"
	"sync"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/task"
)

// ProviderName is the name of the provider in these tests.
const ProviderName = "fake"

// Provider does as it is told. It is safe for concurrent use; set its members
// before.
type Provider struct {
	// OnSubmit answers submits; nil delivers what was asked for at once.
	OnSubmit func(ctx context.Context, c provider.Call) (provider.Answer, error)
	// OnPoll answers look-ups; nil says that the job is still running.
	OnPoll func(ctx context.Context, j provider.Job) (provider.Answer, error)
	// OnNotice verifies webhooks; nil refuses all of them.
	OnNotice func(m provider.Message) (provider.Notice, error)
	// Jobs is true when submits answer with a job.
	Jobs bool

	mu       sync.Mutex
	calls    []provider.Call
	canceled []string
}

// Describe says what the provider can do.
func (p *Provider) Describe() provider.Description {
	return provider.Description{
		Name: ProviderName, Title: "Fake", Kinds: generation.Kinds(), Jobs: p.Jobs, Webhooks: p.OnNotice != nil,
		SignedWebhooks: p.OnNotice != nil, Cancels: true, PollEvery: time.Second,
	}
}

// Submit answers as told.
func (p *Provider) Submit(ctx context.Context, c provider.Call) (provider.Answer, error) {
	p.mu.Lock()
	p.calls = append(p.calls, c)
	p.mu.Unlock()
	if p.OnSubmit != nil {
		return p.OnSubmit(ctx, c)
	}
	if p.Jobs {
		return provider.Answer{State: provider.Pending, Job: provider.Job{ID: "job_1"}}, nil
	}
	return Delivered(c.Request), nil
}

// Delivered is an answer with all that the request asks for.
func Delivered(r generation.Request) provider.Answer {
	if r.Kind == generation.Text {
		return provider.Answer{
			State: provider.Succeeded, Text: "some words", FinishReason: "stop",
			Usage: generation.Usage{InputTokens: 3, OutputTokens: 2},
		}
	}
	answer := provider.Answer{State: provider.Succeeded}
	for range r.Count() {
		answer.Files = append(answer.Files, provider.File{Data: []byte("picture")})
	}
	return answer
}

// Poll answers as told.
func (p *Provider) Poll(ctx context.Context, _ provider.Call, j provider.Job) (provider.Answer, error) {
	if p.OnPoll != nil {
		return p.OnPoll(ctx, j)
	}
	return provider.Answer{State: provider.Running, Job: j, Progress: 0.5}, nil
}

// Cancel remembers the job.
func (p *Provider) Cancel(_ context.Context, _ provider.Call, j provider.Job) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.canceled = append(p.canceled, j.ID)
	return nil
}

// Notice answers as told.
func (p *Provider) Notice(_ context.Context, m provider.Message) (provider.Notice, error) {
	if p.OnNotice != nil {
		return p.OnNotice(m)
	}
	return provider.Notice{}, &fault.Failure{Class: fault.ClassAuth}
}

// Calls returns the submits so far.
func (p *Provider) Calls() []provider.Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]provider.Call(nil), p.calls...)
}

// Queue holds messages until a test takes them. The zero value is empty.
type Queue struct {
	mu       sync.Mutex
	messages []task.Message
	// Fail, if set, is the error of every Send.
	Fail error
}

// Send keeps the message; the delay is for nobody.
func (q *Queue) Send(_ context.Context, m task.Message, _ time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.Fail != nil {
		return q.Fail
	}
	q.messages = append(q.messages, m)
	return nil
}

// Next takes the oldest message; ok is false when there is none.
func (q *Queue) Next() (m task.Message, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.messages) == 0 {
		return m, false
	}
	m, q.messages = q.messages[0], q.messages[1:]
	return m, true
}
