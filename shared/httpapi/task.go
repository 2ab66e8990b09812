package httpapi

import (
	"context"
	"fmt"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/task"
)

// Signer makes the URL under which anybody can read an asset for a while.
type Signer interface {
	Sign(ctx context.Context, key string, ttl time.Duration) (string, error)
}

// OutputTTL is how long the URL of an output works. Reading the task again gives a fresh one.
const OutputTTL = time.Hour

// Task is a task as its caller sees it.
type Task struct {
	ID       string          `json:"id"`
	Object   string          `json:"object"`
	Kind     generation.Kind `json:"kind"`
	Model    string          `json:"model"`
	Status   task.Status     `json:"status"`
	Progress float64         `json:"progress"`
	Prompt   string          `json:"prompt"`
	// Parameters are what the request came to with the account's preferences, but
	// for its prompt and images.
	Parameters Parameters        `json:"parameters,omitzero"`
	User       string            `json:"user,omitempty"`
	CreatedAt  *time.Time        `json:"created_at"`
	StartedAt  *time.Time        `json:"started_at"`
	FinishedAt *time.Time        `json:"finished_at"`
	ExpiresAt  *time.Time        `json:"expires_at"`
	Outputs    []Output          `json:"outputs"`
	Text       string            `json:"text,omitempty"`
	Usage      *TextUsage        `json:"usage,omitempty"`
	Credits    Credits           `json:"credits"`
	Error      *TaskError        `json:"error"`
	Metadata   map[string]string `json:"metadata"`
	// APIConfigID is the config that delivered, null as long as none did.
	APIConfigID *string `json:"api_config_id"`
	// ResponseTimeMS is from the task's creation to its end, null before that.
	ResponseTimeMS *int64    `json:"response_time_ms"`
	Attempts       []Attempt `json:"attempts"`
	// Cached is true for a task that was answered from the cache.
	Cached bool `json:"cached,omitempty"`
	// Notice is a sentence about the model's name, such as that it is deprecated.
	Notice string `json:"notice,omitempty"`
}

// Parameters are the fields of a request that have a value.
type Parameters struct {
	NegativePrompt string   `json:"negative_prompt,omitempty"`
	N              int      `json:"n,omitempty"`
	Size           string   `json:"size,omitempty"`
	AspectRatio    string   `json:"aspect_ratio,omitempty"`
	Quality        string   `json:"quality,omitempty"`
	Format         string   `json:"format,omitempty"`
	Duration       int      `json:"duration,omitempty"`
	FPS            int      `json:"fps,omitempty"`
	Seed           *int64   `json:"seed,omitempty"`
	Strength       *float64 `json:"strength,omitempty"`
	MaxTokens      int      `json:"max_tokens,omitempty"`
	Temperature    *float64 `json:"temperature,omitempty"`
}

func parametersOf(r generation.Request) Parameters {
	return Parameters{
		NegativePrompt: r.NegativePrompt, N: r.N, Size: r.Size, AspectRatio: r.AspectRatio, Quality: r.Quality, Format: r.Format,
		Duration: r.Duration, FPS: r.FPS, Seed: r.Seed, Strength: r.Strength, MaxTokens: r.MaxTokens, Temperature: r.Temperature,
	}
}

// Output is one produced file.
type Output struct {
	URL             string  `json:"url"`
	ContentType     string  `json:"content_type"`
	Bytes           int64   `json:"bytes"`
	Width           int     `json:"width,omitempty"`
	Height          int     `json:"height,omitempty"`
	DurationSeconds float64 `json:"duration_seconds,omitempty"`
	SHA256          string  `json:"sha256"`
}

// TextUsage is what a text consumed, in tokens.
type TextUsage struct {
	InputTokens  int64 `json:"input_tokens"`
	OutputTokens int64 `json:"output_tokens"`
}

// Credits is what a task holds and what it paid.
type Credits struct {
	Reserved int64 `json:"reserved"`
	Charged  int64 `json:"charged"`
}

// TaskError is why a task did not succeed.
type TaskError struct {
	Code     fault.Code `json:"code"`
	Message  string     `json:"message"`
	Attempts int        `json:"attempts"`
}

// Attempt is one submission as callers see it: what became of it, not the
// provider's words.
type Attempt struct {
	No        int          `json:"no"`
	Config    string       `json:"config"`
	Provider  string       `json:"provider"`
	Outcome   task.Outcome `json:"outcome"`
	Class     fault.Class  `json:"class,omitempty"`
	Message   string       `json:"message,omitempty"`
	LatencyMS int64        `json:"latency_ms"`
}

// TaskOf renders a task for its caller. It fails only when an output cannot be signed.
func TaskOf(ctx context.Context, t task.Task, signer Signer) (Task, error) {
	outputs, err := outputsOf(ctx, t.Outputs, signer)
	if err != nil {
		return Task{}, err
	}
	view := Task{
		ID: t.ID, Object: "task", Kind: t.Kind, Model: t.Model, Status: t.Status, Progress: t.Progress,
		Prompt: t.Request.Prompt, Parameters: parametersOf(t.Request), User: t.User,
		CreatedAt: moment(t.CreatedAt), StartedAt: moment(t.StartedAt),
		FinishedAt: moment(t.FinishedAt), ExpiresAt: moment(t.ExpiresAt),
		Outputs: outputs, Text: t.Text, Credits: Credits{Reserved: t.Reserved, Charged: t.Charged},
		Metadata: t.Metadata, Attempts: attemptsOf(t.Attempts), APIConfigID: deliverer(t), Cached: t.Caching.From != "",
	}
	if view.Metadata == nil {
		view.Metadata = map[string]string{}
	}
	if t.Status == task.Succeeded {
		view.Progress = 1
	}
	if t.Kind == generation.Text {
		view.Usage = &TextUsage{InputTokens: t.Usage.InputTokens, OutputTokens: t.Usage.OutputTokens}
	}
	if t.Error != nil && t.Status != task.Succeeded {
		view.Error = &TaskError{Code: t.Error.Code, Message: t.Error.Message, Attempts: len(t.Attempts)}
	}
	if !t.FinishedAt.IsZero() {
		took := t.FinishedAt.Sub(t.CreatedAt).Milliseconds()
		view.ResponseTimeMS = &took
	}
	return view, nil
}

func outputsOf(ctx context.Context, assets []generation.Asset, signer Signer) ([]Output, error) {
	outputs := make([]Output, len(assets))
	for i, a := range assets {
		url, err := signer.Sign(ctx, a.Key, OutputTTL)
		if err != nil {
			return nil, fmt.Errorf("sign an output: %w", err)
		}
		outputs[i] = Output{
			URL: url, ContentType: a.ContentType, Bytes: a.Bytes, Width: a.Width, Height: a.Height,
			DurationSeconds: a.DurationSeconds, SHA256: a.SHA256,
		}
	}
	return outputs, nil
}

// attemptsOf shows the class's own sentence, whatever was recorded: it names no vendor.
func attemptsOf(attempts []task.Attempt) []Attempt {
	list := make([]Attempt, len(attempts))
	for i, a := range attempts {
		list[i] = Attempt{
			No: a.No, Config: a.Config, Provider: a.Provider, Outcome: a.Outcome, Class: a.Class, LatencyMS: a.LatencyMS,
		}
		if a.Class != "" {
			list[i].Message = a.Class.Public()
		}
	}
	return list
}

func deliverer(t task.Task) *string {
	for _, a := range t.Attempts {
		if a.Outcome == task.Delivered {
			return &a.Config
		}
	}
	return nil
}

// moment is a time for JSON: UTC to the millisecond, null for the zero time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC().Truncate(time.Millisecond)
	return &utc
}
