package promptapi

import (
	"encoding/json"
	"net/http"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/intake"
	"easel/shared/task"
)

// body is what /api/prompt takes: a prompt or messages, not both.
type body struct {
	Prompt      string                     `json:"prompt,omitempty"`
	Messages    []generation.Message       `json:"messages,omitempty"`
	Model       string                     `json:"model,omitempty"`
	System      string                     `json:"system,omitempty"`
	Preset      string                     `json:"preset,omitempty"`
	Stream      bool                       `json:"stream,omitempty"`
	MaxTokens   *int                       `json:"max_tokens,omitempty"`
	Temperature *float64                   `json:"temperature,omitempty"`
	Options     map[string]json.RawMessage `json:"options,omitempty"`
	User        string                     `json:"user,omitempty"`
	Metadata    map[string]string          `json:"metadata,omitempty"`
}

// answer is the text and what it cost.
type answer struct {
	// ID is the task's.
	ID             string            `json:"id"`
	Object         string            `json:"object"`
	Model          string            `json:"model"`
	Text           string            `json:"text"`
	Usage          httpapi.TextUsage `json:"usage"`
	Credits        httpapi.Credits   `json:"credits"`
	APIConfigID    string            `json:"api_config_id"`
	ResponseTimeMS int64             `json:"response_time_ms"`
	Notice         string            `json:"notice,omitempty"`
}

func (h *handler) prompt(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	var b body
	if err := httpapi.Decode(w, r, httpapi.MaxBody, &b); err != nil {
		return err
	}
	t, err := h.ticket(r, c, b)
	if err != nil {
		return err
	}
	t.Cache = httpapi.CacheWish(w, r, c)
	checked, err := h.Desk.Check(r.Context(), t)
	if err != nil {
		return err
	}
	httpapi.Deprecate(w.Header(), checked.Model)
	if err := httpapi.AdmitUser(w, r, h.Auth, c, checked.User); err != nil {
		return err
	}
	if b.Stream {
		return h.stream(w, r, checked)
	}
	placed, err := h.Desk.Place(r.Context(), checked)
	if err == nil {
		err = failure(placed.Task)
	}
	if err != nil {
		return err
	}
	if placed.Replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	return httpapi.Write(w, http.StatusOK, answerOf(placed))
}

func (h *handler) ticket(r *http.Request, c httpapi.Caller, b body) (intake.Ticket, error) {
	request := generation.Request{
		Kind: generation.Text, Model: b.Model, Prompt: b.Prompt, Messages: b.Messages, System: b.System,
		Preset: b.Preset, Temperature: b.Temperature, Options: b.Options,
	}
	if b.MaxTokens != nil {
		if *b.MaxTokens < 1 {
			return intake.Ticket{}, fault.Invalid("max_tokens", "must be 1 or more")
		}
		request.MaxTokens = *b.MaxTokens
	}
	if err := h.applyPreset(r.Context(), c.Account, &request); err != nil {
		return intake.Ticket{}, err
	}
	t := h.ticketOf(r, c, request)
	t.Metadata = b.Metadata
	if b.User != "" {
		t.User = b.User
	}
	return t, identify(r, &t, b)
}

// ticketOf is a ticket for a text that the caller waits for.
func (h *handler) ticketOf(r *http.Request, c httpapi.Caller, request generation.Request) intake.Ticket {
	return intake.Ticket{
		Account: c.Account, KeyID: c.KeyID, KeyPlaces: c.Concurrency, UserPlaces: c.UserConcurrency, User: c.User, Scopes: c.Scopes,
		RequestID: httpapi.RequestID(r.Context()), Request: request, Wait: h.MaxWait,
	}
}

// identify reads the request's idempotency key into the ticket.
func identify(r *http.Request, t *intake.Ticket, body any) (err error) {
	if t.IdempotencyKey, err = httpapi.IdempotencyKey(r); err != nil {
		return err
	}
	t.Hash, err = httpapi.Fingerprint(r, body)
	return err
}

// failure is the error that a text's task came to, nil when it succeeded.
func failure(t task.Task) error {
	switch {
	case t.Status == task.Succeeded:
		return nil
	case !t.Status.Terminal():
		return fault.New(fault.DeadlineExceeded, "the text is not there yet; read it at /api/task/%s", t.ID).With("task", t.ID)
	case t.Error == nil || t.Status == task.Canceled:
		return fault.New(fault.Conflict, "the task was %s", t.Status).With("task", t.ID)
	default:
		return fault.New(t.Error.Code, "%s", t.Error.Message).With("task", t.ID).With("attempts", len(t.Attempts))
	}
}

func answerOf(p intake.Placed) answer {
	t := p.Task
	a := answer{
		ID: t.ID, Object: "text", Model: t.Model, Text: t.Text,
		Usage:          httpapi.TextUsage{InputTokens: t.Usage.InputTokens, OutputTokens: t.Usage.OutputTokens},
		Credits:        httpapi.Credits{Reserved: t.Reserved, Charged: t.Charged},
		ResponseTimeMS: t.FinishedAt.Sub(t.CreatedAt).Milliseconds(), Notice: p.Model.Advice(),
	}
	for _, attempt := range t.Attempts {
		if attempt.Outcome == task.Delivered {
			a.APIConfigID = attempt.Config
		}
	}
	return a
}

// piece is the data of a delta event.
type piece struct {
	Text string `json:"text"`
}

// stream answers with the events delta, one for each piece of text, and done with
// the whole answer. What fails before the first piece has its own status; what
// fails after it is the event error.
func (h *handler) stream(w http.ResponseWriter, r *http.Request, c intake.Checked) error {
	events := httpapi.NewEvents(w)
	placed, err := h.Desk.Stream(r.Context(), c, func(text string) error {
		return events.SendJSON("", "delta", piece{text})
	})
	if err == nil {
		err = failure(placed.Task)
	}
	switch {
	case err == nil:
		_ = events.SendJSON("", "done", answerOf(placed))
	case !events.Begun():
		return err
	default:
		_ = events.SendJSON("", "error", httpapi.Problem(r, err))
	}
	return nil
}
