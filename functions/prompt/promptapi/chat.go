package promptapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/intake"
	"easel/shared/task"
)

// chatBody is what the gateway understands of OpenAI's chat completions. Members
// that are not here are ignored.
type chatBody struct {
	Model               string        `json:"model"`
	Messages            []chatMessage `json:"messages"`
	MaxTokens           *int          `json:"max_tokens,omitempty"`
	MaxCompletionTokens *int          `json:"max_completion_tokens,omitempty"`
	Temperature         *float64      `json:"temperature,omitempty"`
	N                   *int          `json:"n,omitempty"`
	User                string        `json:"user,omitempty"`
	Stream              bool          `json:"stream,omitempty"`
	StreamOptions       struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options,omitzero"`
}

type chatMessage struct {
	Role    string  `json:"role"`
	Content content `json:"content"`
}

// content is a message's text: a string, or a list of text parts.
type content string

// UnmarshalJSON reads either form. Parts that are no text are an error.
func (c *content) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*c = content(text)
		return nil
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return errors.New("must be a string or a list of parts")
	}
	var texts []string
	for _, p := range parts {
		if p.Type != "text" {
			return errors.New("must have parts of type text only")
		}
		texts = append(texts, p.Text)
	}
	*c = content(strings.Join(texts, "\n"))
	return nil
}

// chat answers like OpenAI's chat completions, whole or as chunks.
func (h *handler) chat(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	var b chatBody
	if err := httpapi.DecodeLoose(w, r, httpapi.MaxBody, &b); err != nil {
		return err
	}
	request, err := b.request()
	if err != nil {
		return err
	}
	t := h.ticketOf(r, c, request)
	if b.User != "" {
		t.User = b.User
	}
	if err := identify(r, &t, b); err != nil {
		return err
	}
	t.Cache = httpapi.CacheWish(w, r, c)
	checked, err := h.Desk.Check(r.Context(), t)
	if err != nil {
		return httpapi.ModelNotFound(err)
	}
	httpapi.Deprecate(w.Header(), checked.Model)
	if err := httpapi.AdmitUser(w, r, h.Auth, c, checked.User); err != nil {
		return err
	}
	reply := chatReply{
		id: "chatcmpl-" + t.RequestID, created: h.Now().Unix(), model: checked.Model.Name, notice: checked.Model.Advice(),
		usage: b.StreamOptions.IncludeUsage,
	}
	if b.Stream {
		return h.streamChat(w, r, checked, reply)
	}
	placed, err := h.Desk.Place(r.Context(), checked)
	if err == nil {
		err = failure(placed.Task)
	}
	if err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusOK, reply.whole(placed.Task))
}

// request returns what the body asks for. System and developer messages become
// the system text.
func (b *chatBody) request() (generation.Request, error) {
	var f fault.Fields
	f.Check(b.N == nil || *b.N == 1, "n", "must be 1")
	f.Check(len(b.Messages) > 0, "messages", "must not be empty")
	r := generation.Request{Kind: generation.Text, Model: b.Model, Temperature: b.Temperature}
	for name, n := range map[string]*int{"max_tokens": b.MaxTokens, "max_completion_tokens": b.MaxCompletionTokens} {
		if n != nil {
			f.Check(*n > 0, name, "must be 1 or more")
			r.MaxTokens = max(r.MaxTokens, *n)
		}
	}
	var system []string
	for _, m := range b.Messages {
		if m.Role == "system" || m.Role == "developer" {
			system = append(system, string(m.Content))
			continue
		}
		r.Messages = append(r.Messages, generation.Message{Role: m.Role, Content: string(m.Content)})
	}
	r.System = strings.Join(system, "\n")
	f.Check(len(b.Messages) == 0 || len(r.Messages) > 0, "messages", "must have a message of the role user")
	return r, f.Err()
}

// chatReply is what all parts of one reply have in common.
type chatReply struct {
	id      string
	created int64
	model   string
	// notice is a sentence about the model's name, which OpenAI's form does not have.
	notice string
	// usage is true when a last chunk shall tell what was used.
	usage bool
}

type object = map[string]any

func (c chatReply) form(kind string, choices []object) object {
	return object{"id": c.id, "object": kind, "created": c.created, "model": c.model, "choices": choices}
}

func (c chatReply) whole(t task.Task) object {
	whole := c.form("chat.completion", []object{{
		"index": 0, "message": object{"role": "assistant", "content": t.Text, "refusal": nil},
		"logprobs": nil, "finish_reason": finishReason(t),
	}})
	whole["usage"] = usageOf(t)
	return c.noticed(whole)
}

// noticed adds the notice to what is said once.
func (c chatReply) noticed(o object) object {
	if c.notice != "" {
		o["notice"] = c.notice
	}
	return o
}

func (c chatReply) chunk(delta object, reason any) object {
	chunk := c.form("chat.completion.chunk", []object{{"index": 0, "delta": delta, "logprobs": nil, "finish_reason": reason}})
	if c.usage {
		chunk["usage"] = nil
	}
	return chunk
}

// finishReason tells a text that was cut at its limit from one that ended.
func finishReason(t task.Task) string {
	if limit := t.Request.MaxTokens; limit > 0 && t.Usage.OutputTokens >= int64(limit) {
		return "length"
	}
	return "stop"
}

func usageOf(t task.Task) object {
	in, out := t.Usage.InputTokens, t.Usage.OutputTokens
	return object{"prompt_tokens": in, "completion_tokens": out, "total_tokens": in + out}
}

// streamChat sends the text as OpenAI's chunks, and [DONE] at the end.
func (h *handler) streamChat(w http.ResponseWriter, r *http.Request, checked intake.Checked, reply chatReply) error {
	events := httpapi.NewEvents(w)
	placed, err := h.Desk.Stream(r.Context(), checked, func(text string) error {
		delta := object{"content": text}
		if !events.Begun() {
			delta["role"] = "assistant"
		}
		return events.SendJSON("", "", reply.chunk(delta, nil))
	})
	if err == nil {
		err = failure(placed.Task)
	}
	switch {
	case err != nil && !events.Begun():
		return err
	case err != nil:
		_ = events.SendJSON("", "", httpapi.Problem(r, err))
		return nil
	}
	_ = events.SendJSON("", "", reply.noticed(reply.chunk(object{}, finishReason(placed.Task))))
	if reply.usage {
		last := reply.form("chat.completion.chunk", []object{})
		last["usage"] = usageOf(placed.Task)
		_ = events.SendJSON("", "", last)
	}
	_ = events.Send("", "", []byte("[DONE]"))
	return nil
}
