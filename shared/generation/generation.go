// Package generation is the vocabulary of what callers ask for and what comes
// out: one request form for images, videos and text, independent of providers.
package generation

import (
	"encoding/json"
	"time"
)

// Kind is what a generation produces.
type Kind string

// The kinds.
const (
	Image Kind = "image"
	Video Kind = "video"
	Text  Kind = "text"
)

// Kinds lists every kind in display order.
func Kinds() []Kind { return []Kind{Image, Video, Text} }

// Valid reports whether k is one of the kinds.
func (k Kind) Valid() bool { return k == Image || k == Video || k == Text }

// DefaultModel is the public model name that a request of this kind without a
// model uses: "auto", "auto-video" or "auto-text".
func (k Kind) DefaultModel() string {
	if k == Image {
		return "auto"
	}
	return "auto-" + string(k)
}

// Request is one generation as the caller asked for it, after decoding and with
// the model resolved to its public name. Zero values mean "not given".
type Request struct {
	Kind           Kind   `json:"kind"`
	Model          string `json:"model"`
	Prompt         string `json:"prompt,omitempty"`
	NegativePrompt string `json:"negative_prompt,omitempty"`
	// N is the number of images, 1 to 10; 0 means 1.
	N int `json:"n,omitempty"`
	// Size is WIDTHxHEIGHT in pixels, such as 1024x1024.
	Size string `json:"size,omitempty"`
	// AspectRatio is W:H, such as 16:9. Ignored when Size is given.
	AspectRatio string `json:"aspect_ratio,omitempty"`
	// Quality is low, medium or high; "" is the model's default.
	Quality string `json:"quality,omitempty"`
	// Format is png, jpeg or webp; "" is the provider's default.
	Format string `json:"format,omitempty"`
	// Duration is the length of a video in seconds.
	Duration int `json:"duration,omitempty"`
	// FPS is the frame rate of a video in frames per second.
	FPS int `json:"fps,omitempty"`
	// Seed makes a repeat reproducible where the provider can; nil is random.
	Seed *int64 `json:"seed,omitempty"`
	// Image is the input image: an HTTPS URL or a data URL.
	Image string `json:"image,omitempty"`
	// Mask marks what an edit may change: an HTTPS URL or a data URL.
	Mask string `json:"mask,omitempty"`
	// Strength is how far an edit may depart from Image, 0 to 1.
	Strength *float64 `json:"strength,omitempty"`
	Loras    []Lora   `json:"loras,omitempty"`
	// Options are provider-neutral extras and per-provider settings, a JSON object.
	Options map[string]json.RawMessage `json:"options,omitempty"`

	// The members below belong to text.

	Messages    []Message `json:"messages,omitempty"`
	System      string    `json:"system,omitempty"`
	Preset      string    `json:"preset,omitempty"`
	MaxTokens   int       `json:"max_tokens,omitempty"`
	Temperature *float64  `json:"temperature,omitempty"`
}

// Count is the number of images asked for: N, and 1 when N is not given.
func (r Request) Count() int {
	if r.N < 1 {
		return 1
	}
	return r.N
}

// Lora is a fine-tune to apply: where its weights are and how strongly.
type Lora struct {
	// Path is a URL or a model name that the provider understands.
	Path string `json:"path"`
	// Scale is the strength, -1 to 3; 0 means 1.
	Scale float64 `json:"scale,omitempty"`
}

// Message is one turn of a conversation. Role is system, user or assistant.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Asset is one produced file, kept in the operator's own bucket.
type Asset struct {
	// Key is the object's key in the bucket; callers get a signed URL instead.
	Key             string  `json:"key"`
	ContentType     string  `json:"content_type"`
	Bytes           int64   `json:"bytes"`
	Width           int     `json:"width,omitempty"`
	Height          int     `json:"height,omitempty"`
	DurationSeconds float64 `json:"duration_seconds,omitempty"`
	SHA256          string  `json:"sha256"`
}

// Usage is what a provider says that a call consumed. Zero means not reported.
type Usage struct {
	Images       int     `json:"images,omitempty"`
	Seconds      float64 `json:"seconds,omitempty"`
	InputTokens  int64   `json:"input_tokens,omitempty"`
	OutputTokens int64   `json:"output_tokens,omitempty"`
	// CostMicroUSD is the cost as the provider reports it, or as the price book
	// computes it, in millionths of a US dollar.
	CostMicroUSD int64 `json:"cost_micro_usd,omitempty"`
}

// Deadline is how long a task of the kind may take from its creation to its end.
func (k Kind) Deadline() time.Duration {
	switch k {
	case Video:
		return 20 * time.Minute
	case Text:
		return 3 * time.Minute
	default:
		return 6 * time.Minute
	}
}
