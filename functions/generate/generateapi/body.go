package generateapi

import (
	"encoding/json"
	"net/http"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/intake"
)

// body is what /api/generate and /api/quote take. Members are pointers where 0, or
// a text of no length, is not the same as nothing: "" keeps a preference away.
type body struct {
	Kind           generation.Kind            `json:"kind,omitempty"`
	Model          *string                    `json:"model,omitempty"`
	Prompt         string                     `json:"prompt,omitempty"`
	NegativePrompt *string                    `json:"negative_prompt,omitempty"`
	N              *int                       `json:"n,omitempty"`
	Size           *string                    `json:"size,omitempty"`
	AspectRatio    *string                    `json:"aspect_ratio,omitempty"`
	Quality        *string                    `json:"quality,omitempty"`
	Format         *string                    `json:"format,omitempty"`
	Duration       *int                       `json:"duration,omitempty"`
	FPS            *int                       `json:"fps,omitempty"`
	Seed           *int64                     `json:"seed,omitempty"`
	Image          string                     `json:"image,omitempty"`
	Mask           string                     `json:"mask,omitempty"`
	Strength       *float64                   `json:"strength,omitempty"`
	Loras          []generation.Lora          `json:"loras,omitempty"`
	MaxTokens      *int                       `json:"max_tokens,omitempty"`
	Options        map[string]json.RawMessage `json:"options,omitempty"`
	User           string                     `json:"user,omitempty"`
	CallbackURL    *string                    `json:"callback_url,omitempty"`
	Metadata       map[string]string          `json:"metadata,omitempty"`
}

// Uploaded is how many bytes of the body are images, which have a larger limit.
func (b *body) Uploaded() int { return len(b.Image) + len(b.Mask) }

// request returns what is asked for, or an InvalidInput error about a number
// that was given as 0 or less: 0 must not pass for "not given".
func (b *body) request() (generation.Request, error) {
	var f fault.Fields
	r := generation.Request{
		Kind: b.Kind, Model: value(b.Model), Prompt: b.Prompt, NegativePrompt: value(b.NegativePrompt),
		N: positive(&f, "n", b.N), Size: value(b.Size), AspectRatio: value(b.AspectRatio), Quality: value(b.Quality), Format: value(b.Format),
		Duration: positive(&f, "duration", b.Duration), FPS: positive(&f, "fps", b.FPS), Seed: b.Seed,
		Image: b.Image, Mask: b.Mask, Strength: b.Strength, Loras: b.Loras,
		MaxTokens: positive(&f, "max_tokens", b.MaxTokens), Options: b.Options,
	}
	f.Check(b.Kind == "" || b.Kind.Valid(), "kind", "must be image, video or text")
	return r, f.Err()
}

// blank names the members that were given as nothing.
func (b *body) blank() []string {
	var names []string
	for _, m := range []struct {
		name string
		text *string
	}{
		{"model", b.Model},
		{"negative_prompt", b.NegativePrompt},
		{"size", b.Size},
		{"aspect_ratio", b.AspectRatio},
		{"quality", b.Quality},
		{"format", b.Format},
		{"callback_url", b.CallbackURL},
	} {
		if m.text != nil && *m.text == "" {
			names = append(names, m.name)
		}
	}
	return names
}

// value is the text, "" for none.
func value(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func positive(f *fault.Fields, name string, n *int) int {
	if n == nil {
		return 0
	}
	f.Check(*n > 0, name, "must be 1 or more")
	return *n
}

// ticket reads a request into a ticket, with the caller it belongs to.
func ticket(w http.ResponseWriter, r *http.Request, c httpapi.Caller) (intake.Ticket, error) {
	var b body
	if err := httpapi.DecodeUpload(w, r, &b); err != nil {
		return intake.Ticket{}, err
	}
	request, err := b.request()
	if err != nil {
		return intake.Ticket{}, err
	}
	t := ticketOf(r, c, request)
	t.Metadata, t.CallbackURL, t.Blank = b.Metadata, value(b.CallbackURL), b.blank()
	if b.User != "" {
		t.User = b.User
	}
	if t.IdempotencyKey, err = httpapi.IdempotencyKey(r); err != nil {
		return intake.Ticket{}, err
	}
	t.Hash, err = httpapi.Fingerprint(r, b)
	return t, err
}

func ticketOf(r *http.Request, c httpapi.Caller, request generation.Request) intake.Ticket {
	return intake.Ticket{
		Account: c.Account, KeyID: c.KeyID, KeyPlaces: c.Concurrency, UserPlaces: c.UserConcurrency, User: c.User, Scopes: c.Scopes,
		RequestID: httpapi.RequestID(r.Context()), Request: request,
	}
}
