package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

func openAIChatRules() []rule {
	return []rule{
		must("model", text(1, 200)), must("messages", list(1, 1000, openAIMessage)), may("stream", boolean), may("stream_options", anything),
		may("max_completion_tokens", whole(1, 1<<20)), may("max_tokens", whole(1, 1<<20)), may("temperature", real(0, 2)),
		may("top_p", real(0, 1)), may("n", whole(1, 128)), may("stop", anything), may("seed", anything), may("user", text(0, 512)),
		may("safety_identifier", text(0, 512)), may("service_tier", oneOf("auto", "default", "flex", "scale", "priority", "fast")),
		may("response_format", anything), may("reasoning_effort", text(1, 20)), may("presence_penalty", real(-2, 2)),
		may("frequency_penalty", real(-2, 2)), may("metadata", anything), may("store", boolean), may("tools", anything), may("tool_choice", anything),
		may("prompt_cache_key", text(0, 512)), may("verbosity", text(1, 20)), may("logprobs", boolean), may("modalities", anything),
	}
}

func openAIMessage(v any) *problem {
	message, ok := v.(map[string]any)
	if !ok {
		return &problem{kind: problemType, reason: "must be an object"}
	}
	bad := inspect(message, false, must("role", oneOf("system", "developer", "user", "assistant", "tool")))
	if len(bad) > 0 {
		return &problem{kind: bad[0].kind, reason: bad[0].field + " " + bad[0].reason}
	}
	return nil
}

// messageText is the text of a message's content, a string or an array of parts.
func messageText(content any) string {
	if s, ok := content.(string); ok {
		return s
	}
	var all []string
	parts, _ := content.([]any)
	for _, p := range parts {
		part, _ := p.(map[string]any)
		all = append(all, inputs(part).str("text", ""))
	}
	return strings.Join(all, " ")
}

// openAIChat answers chat/completions.
func openAIChat(c *call) {
	in, err := decodeObject(c.body)
	if err != nil || !c.wantsJSON() {
		openAIError(c, http.StatusBadRequest, "invalid_request_error", "", "", "We could not parse the JSON body of your request.")
		return
	}
	if bad := inspect(in, true, openAIChatRules()...); len(bad) > 0 {
		openAIProblem(c, bad[0])
		return
	}
	model := in.str("model", "")
	if !openAIHasModel(model) || strings.Contains(model, "image") || strings.Contains(model, "moderation") {
		openAIError(c, http.StatusNotFound, "invalid_request_error", "model_not_found", "model",
			fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", model))
		return
	}
	var system, question string
	input := 0
	messages, _ := in["messages"].([]any)
	for _, m := range messages {
		message, _ := m.(map[string]any)
		said := messageText(message["content"])
		input += tokens(said)
		switch message["role"] {
		case "user":
			question = said
		case "system", "developer":
			system += said + "\n"
		}
	}
	answer := newAnswerText(c, system, question, input)
	answer.limit(in.integer("max_completion_tokens", in.integer("max_tokens", 1<<20)))
	c.accept("chatcmpl-"+c.id, model, question, "")
	if !c.labor(effortText) {
		return
	}
	if in.boolean("stream", false) {
		options, _ := in["stream_options"].(map[string]any)
		openAIChatStream(c, model, answer, inputs(options).boolean("include_usage", false))
		return
	}
	openAIHeaders(c)
	c.json(http.StatusOK, object{
		"id": "chatcmpl-" + c.id, "object": "chat.completion", "created": c.srv.opts.Now().Unix(), "model": model,
		"choices": []object{{
			"index": 0, "message": object{"role": "assistant", "content": answer.whole(), "refusal": nil, "annotations": []string{}},
			"logprobs": nil, "finish_reason": openAIFinish(answer),
		}},
		"usage": openAIChatUsage(answer), "service_tier": "default",
	})
}

// answerText is what a language model says, in the pieces of a stream.
type answerText struct {
	pieces  []string
	input   int // tokens
	refused bool
	cut     bool // by the caller's limit of tokens
}

func newAnswerText(c *call, system, question string, input int) *answerText {
	if c.fault.Fault == Moderated || refusable(question) {
		return &answerText{input: input, refused: true}
	}
	return &answerText{pieces: pieces(prose(system, question)), input: input}
}

// limit cuts the answer after so many tokens, a piece counting as one.
func (a *answerText) limit(most int64) {
	if int64(len(a.pieces)) > most {
		a.pieces, a.cut = a.pieces[:most], true
	}
}

func (a *answerText) whole() string { return strings.Join(a.pieces, "") }

func (a *answerText) output() int { return len(a.pieces) }

func openAIFinish(a *answerText) string {
	switch {
	case a.refused:
		return "content_filter"
	case a.cut:
		return "length"
	default:
		return "stop"
	}
}

func openAIChatUsage(a *answerText) object {
	return object{
		"prompt_tokens": a.input, "completion_tokens": a.output(), "total_tokens": a.input + a.output(),
		"prompt_tokens_details":     object{"cached_tokens": 0, "audio_tokens": 0},
		"completion_tokens_details": object{"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
	}
}

func openAIChatStream(c *call, model string, answer *answerText, withUsage bool) {
	openAIHeaders(c)
	stream := newEventStream(c)
	chunk := func(choices []object, usage any) {
		event := object{
			"id": "chatcmpl-" + c.id, "object": "chat.completion.chunk", "created": c.srv.opts.Now().Unix(), "model": model,
			"service_tier": "default", "choices": choices,
		}
		if withUsage {
			event["usage"] = usage
		}
		stream.send(event)
	}
	delta := func(d object, finish any) []object {
		return []object{{"index": 0, "delta": d, "logprobs": nil, "finish_reason": finish}}
	}
	chunk(delta(object{"role": "assistant", "content": "", "refusal": nil}, nil), nil)
	for _, piece := range answer.pieces {
		if !stream.wait() {
			return
		}
		chunk(delta(object{"content": piece}, nil), nil)
	}
	chunk(delta(object{}, openAIFinish(answer)), nil)
	if withUsage {
		chunk([]object{}, openAIChatUsage(answer))
	}
	stream.raw("[DONE]")
}

// eventStream writes server-sent events.
type eventStream struct {
	c     *call
	pause time.Duration
}

func newEventStream(c *call) *eventStream {
	c.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	c.w.Header().Set("Cache-Control", "no-cache")
	c.w.WriteHeader(http.StatusOK)
	return &eventStream{c: c, pause: min(30*time.Millisecond, c.srv.latency(effortText)/10)}
}

func (e *eventStream) send(v any) {
	data, _ := json.Marshal(v) //nolint:errchkjson // maps of plain values
	e.raw(string(data))
}

func (e *eventStream) raw(data string) {
	_, _ = fmt.Fprintf(e.c.w, "data: %s\n\n", data)
	_ = http.NewResponseController(e.c.w).Flush()
}

// named sends an event that has a name.
func (e *eventStream) named(name string, v any) {
	_, _ = fmt.Fprintf(e.c.w, "event: %s\n", name)
	e.send(v)
}

// wait passes the time between two pieces; false means the client has left.
func (e *eventStream) wait() bool { return e.c.srv.pause(e.c.r.Context(), e.pause) }

// openAIModerate answers moderations.
func openAIModerate(c *call) {
	in, err := decodeObject(c.body)
	if err != nil {
		openAIError(c, http.StatusBadRequest, "invalid_request_error", "", "", "We could not parse the JSON body of your request.")
		return
	}
	if bad := inspect(in, true, must("input", anything), may("model", text(1, 200))); len(bad) > 0 {
		openAIProblem(c, bad[0])
		return
	}
	var results []object
	for _, said := range moderationInputs(in["input"]) {
		results = append(results, moderationResult(strings.ToLower(said)))
	}
	openAIHeaders(c)
	c.json(http.StatusOK, object{"id": "modr-" + c.id, "model": in.str("model", "omni-moderation-latest"), "results": results})
}

// moderationInputs are the texts to judge: each string, or all the text parts
// of a multimodal input together.
func moderationInputs(input any) []string {
	if s, ok := input.(string); ok {
		return []string{s}
	}
	items, _ := input.([]any)
	var all []string
	for _, item := range items {
		s, ok := item.(string)
		if !ok {
			return []string{messageText(items)}
		}
		all = append(all, s)
	}
	return all
}

func moderationResult(said string) object {
	flags := map[string][]string{"sexual": {"nsfw"}, "violence": {"gore", "kill"}, "violence/graphic": {"gore"}}
	categories, scores, applied := object{}, object{}, object{}
	flagged := false
	for _, name := range []string{
		"harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
		"self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic",
	} {
		hit := slices.ContainsFunc(flags[name], func(word string) bool { return strings.Contains(said, word) })
		categories[name], scores[name], applied[name] = hit, 0.0001, []string{"text"}
		if hit {
			scores[name], flagged = 0.98, true
		}
	}
	return object{"flagged": flagged, "categories": categories, "category_scores": scores, "category_applied_input_types": applied}
}
