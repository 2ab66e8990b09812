package promptapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"easel/functions/prompt/promptapi"
	"easel/shared/fault"
	"easel/shared/intake/intaketest"
	"easel/shared/lifecycle"
	"easel/shared/preference"
	"easel/shared/provider"
	"easel/shared/task"
)

type bundle struct {
	*intaketest.Gateway

	handler http.Handler
}

func setup(t *testing.T) *bundle {
	t.Helper()
	g := intaketest.New(t)
	return &bundle{Gateway: g, handler: promptapi.New(promptapi.Deps{
		Auth: g.Auth, Desk: g.Desk, Log: g.Log.Logger(), Now: time.Now,
	})}
}

// streamer hands the text on in two pieces, and may fail between them.
type streamer struct {
	*lifecycle.Runner

	fail error
}

func (s *streamer) ServeStream(ctx context.Context, o lifecycle.Order, emit func(string) error) (task.Task, bool, error) {
	t, replayed, err := s.Serve(ctx, o, time.Minute)
	if err != nil || replayed || t.Status != task.Succeeded {
		return t, replayed, err
	}
	half := len(t.Text) / 2
	if err := emit(t.Text[:half]); err != nil {
		return t, false, err
	}
	if s.fail != nil {
		return t, false, s.fail
	}
	return t, false, emit(t.Text[half:])
}

func (b *bundle) post(t *testing.T, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return b.Do(t, b.handler, http.MethodPost, path, body, headers...)
}

func object(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return m
}

func refuse(class fault.Class) func(context.Context, provider.Call) (provider.Answer, error) {
	return func(context.Context, provider.Call) (provider.Answer, error) {
		return provider.Answer{}, &fault.Failure{Class: class, Detail: "raw words"}
	}
}

func TestPromptAnswersText(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.post(t, "/api/prompt", `{"prompt":"hello","temperature":0.5,"max_tokens":50}`)
	m := object(t, w.Body.Bytes())
	usage, _ := m["usage"].(map[string]any)
	if w.Code != http.StatusOK || m["text"] != "some words" || m["model"] != "auto-text" || usage["output_tokens"] != 2.0 ||
		m["api_config_id"] != "cfg_text" {
		t.Fatalf("answer = %d %v", w.Code, m)
	}
	if b.Balance(t).Spent != 1 {
		t.Errorf("balance = %+v", b.Balance(t))
	}
	call := b.Provider.Calls()[0].Request
	if call.Prompt != "hello" || call.MaxTokens != 50 || *call.Temperature != 0.5 {
		t.Errorf("request = %+v", call)
	}
}

func TestPromptRefusesBadInput(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, field string }{
		"nothing":              {`{}`, "prompt"},
		"both forms":           {`{"prompt":"a","messages":[{"role":"user","content":"b"}]}`, "prompt"},
		"an unknown field":     {`{"prompt":"a","n":1}`, "n"},
		"an unknown role":      {`{"messages":[{"role":"tool","content":"b"}]}`, "messages[0].role"},
		"an unknown preset":    {`{"prompt":"a","preset":"nope"}`, "preset"},
		"an image model":       {`{"prompt":"a","model":"painter"}`, "model"},
		"no tokens":            {`{"prompt":"a","max_tokens":0}`, "max_tokens"},
		"a temperature of ten": {`{"prompt":"a","temperature":10}`, "temperature"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			w := b.post(t, "/api/prompt", c.body)
			if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"name":"`+c.field+`"`) {
				t.Errorf("answer = %d %s, want one about %s", w.Code, w.Body, c.field)
			}
			b.WantUntouched(t)
		})
	}
}

func TestPromptFailsWithTheTasksError(t *testing.T) {
	t.Parallel()
	for class, status := range map[fault.Class]int{
		fault.ClassModerated: http.StatusUnprocessableEntity, fault.ClassAuth: http.StatusBadGateway,
		fault.ClassInvalidInput: http.StatusBadRequest,
	} {
		for _, body := range []string{`{"prompt":"a"}`, `{"prompt":"a","stream":true}`} {
			b := setup(t)
			b.Provider.OnSubmit = refuse(class)
			w := b.post(t, "/api/prompt", body)
			if w.Code != status || w.Header().Get("Content-Type") != "application/problem+json" || strings.Contains(w.Body.String(), "raw words") {
				t.Errorf("%s: %d %s, want %d", class, w.Code, w.Body, status)
			}
			if b.Balance(t).Available != intaketest.Credits {
				t.Errorf("%s: balance = %+v", class, b.Balance(t))
			}
		}
	}
}

func TestPresetSpeaksTheCallersLanguage(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a fox in the snow": "You write prompts", "雪地里的狐狸": "你为图像模型撰写提示词", "雪の中のキツネ": "あなたは画像モデル", "눈 속의 여우": "You write prompts",
	} {
		b := setup(t)
		body, err := json.Marshal(map[string]string{"prompt": text, "preset": "draw_write", "system": "Keep it short."})
		if err != nil {
			t.Fatal(err)
		}
		if w := b.post(t, "/api/prompt", string(body)); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		system := b.Provider.Calls()[0].Request.System
		if !strings.HasPrefix(system, want) || !strings.HasSuffix(system, "Keep it short.") {
			t.Errorf("%s: system = %q, want %q…", text, system, want)
		}
	}
}

func TestEveryPresetIsComplete(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.Do(t, b.handler, http.MethodGet, "/api/prompt/presets", "")
	data, _ := object(t, w.Body.Bytes())["data"].([]any)
	if len(data) < 4 {
		t.Fatalf("presets = %s", w.Body)
	}
	for _, p := range data {
		m, _ := p.(map[string]any)
		languages, _ := json.Marshal(m["languages"])
		title, _ := m["title"].(map[string]any)
		if !strings.Contains(string(languages), `"en"`) || !strings.Contains(string(languages), `"zh"`) || title["en"] == nil || title["zh"] == nil {
			t.Errorf("preset = %v, want English and Chinese", m)
		}
	}
}

func TestPromptStreams(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Desk.Streamer = &streamer{Runner: b.Runner}
	w := b.post(t, "/api/prompt", `{"prompt":"a","stream":true}`)
	text := w.Body.String()
	if w.Header().Get("Content-Type") != "text/event-stream" ||
		!strings.Contains(text, "event: delta\ndata: {\"text\":\"some \"}\n\nevent: delta\ndata: {\"text\":\"words\"}\n\nevent: done\n") ||
		!strings.Contains(text, `"text":"some words"`) {
		t.Errorf("stream = %s", text)
	}
}

func TestPromptStreamsInOnePieceWithoutAStreamer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.post(t, "/api/prompt", `{"prompt":"a","stream":true}`)
	if text := w.Body.String(); !strings.HasPrefix(text, "event: delta\ndata: {\"text\":\"some words\"}\n\nevent: done\n") {
		t.Errorf("stream = %s", text)
	}
}

func TestPromptTellsAFailureInsideTheStream(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Desk.Streamer = &streamer{Runner: b.Runner, fail: fault.New(fault.ProviderFailed, "the provider broke off")}
	w := b.post(t, "/api/prompt", `{"prompt":"a","stream":true}`)
	if text := w.Body.String(); !strings.Contains(text, "event: delta") || !strings.Contains(text, "event: error\ndata: {") ||
		!strings.Contains(text, `"code":"provider_failed"`) || strings.Contains(text, "event: done") {
		t.Errorf("stream = %s", text)
	}
	w = b.post(t, "/v1/chat/completions", `{"messages":[{"role":"user","content":"a"}],"stream":true}`)
	if text := w.Body.String(); !strings.Contains(text, `data: {"error":{`) || strings.Contains(text, "[DONE]") {
		t.Errorf("stream = %s", text)
	}
}

func TestPromptIsIdempotent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := object(t, b.post(t, "/api/prompt", `{"prompt":"a"}`, "Idempotency-Key", "k").Body.Bytes())
	for _, body := range []string{`{"prompt":"a"}`} {
		w := b.post(t, "/api/prompt", body, "Idempotency-Key", "k")
		if m := object(t, w.Body.Bytes()); m["id"] != first["id"] || w.Header().Get("Idempotent-Replayed") != "true" {
			t.Errorf("answer = %v", m)
		}
	}
	if w := b.post(t, "/api/prompt", `{"prompt":"b"}`, "Idempotency-Key", "k"); w.Code != http.StatusConflict {
		t.Errorf("status = %d, want 409", w.Code)
	}
	if b.Balance(t).Spent != 1 {
		t.Errorf("balance = %+v, want 1 spent", b.Balance(t))
	}
}

func TestChatCompletion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.post(t, "/v1/chat/completions", `{"model":"writer","top_p":1,"max_completion_tokens":9,"messages":[
		{"role":"developer","content":"be brief"},
		{"role":"user","content":[{"type":"text","text":"one"},{"type":"text","text":"two"}]}]}`)
	m := object(t, w.Body.Bytes())
	choices, _ := m["choices"].([]any)
	if w.Code != http.StatusOK || m["object"] != "chat.completion" || len(choices) != 1 {
		t.Fatalf("answer = %d %v", w.Code, m)
	}
	choice, _ := choices[0].(map[string]any)
	message, _ := choice["message"].(map[string]any)
	usage, _ := m["usage"].(map[string]any)
	if message["content"] != "some words" || choice["finish_reason"] != "stop" || usage["total_tokens"] != 5.0 {
		t.Errorf("answer = %v", m)
	}
	call := b.Provider.Calls()[0].Request
	if call.System != "be brief" || len(call.Messages) != 1 || call.Messages[0].Content != "one\ntwo" || call.MaxTokens != 9 {
		t.Errorf("request = %+v", call)
	}
}

func TestChatCompletionStreams(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Desk.Streamer = &streamer{Runner: b.Runner}
	w := b.post(t, "/v1/chat/completions", `{"messages":[{"role":"user","content":"a"}],"stream":true,"stream_options":{"include_usage":true}}`)
	events := strings.Split(strings.TrimSpace(w.Body.String()), "\n\n")
	for i := range events {
		events[i] = strings.TrimPrefix(events[i], "data: ")
	}
	if len(events) != 5 || events[4] != "[DONE]" {
		t.Fatalf("events = %q", events)
	}
	for i, want := range []string{`"content":"some "`, `"content":"words"`, `"finish_reason":"stop"`, `"total_tokens":5`} {
		m := object(t, []byte(events[i]))
		if m["object"] != "chat.completion.chunk" || !strings.Contains(events[i], want) {
			t.Errorf("event %d = %s, want %s", i, events[i], want)
		}
	}
	if !strings.Contains(events[0], `"role":"assistant"`) || strings.Contains(events[1], `"role"`) {
		t.Errorf("events = %q, want the role once", events[:2])
	}
}

func TestChatErrorsHaveOpenAIsForm(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"messages":[]}`: `"param":"messages"`,
		`{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}`:     `"param":"messages[0].content"`,
		`{"messages":[{"role":"user","content":7}]}`:                          `"param":"messages[0].content"`,
		`{"messages":[{"role":"user","content":"a"}],"n":2}`:                  `"param":"n"`,
		`{"model":"gpt-nope","messages":[{"role":"user","content":"a"}]}`:     `"code":"model_not_found"`,
		`{"messages":[{"role":"system","content":"a"}]}`:                      `"param":"messages"`,
		`{"messages":[{"role":"user","content":"a"}],"max_tokens":0}`:         `"param":"max_tokens"`,
		`{"messages":[{"role":"user","content":"a"}],"temperature":"a"}`:      `"param":"temperature"`,
		`{"messages":[{"role":"user","content":"a"}],"stream":true,"n":3} `:   `"param":"n"`,
		`{"messages":[{"role":"function","content":"a"}],"temperature":null}`: `"param":"messages[0].role"`,
	} {
		b := setup(t)
		w := b.post(t, "/v1/chat/completions", body)
		if w.Code/100 != 4 || !strings.HasPrefix(w.Body.String(), `{"error":{`) || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s, want %s", body, w.Code, w.Body, want)
		}
		b.WantUntouched(t)
	}
}

// speaks prefers a language.
type speaks string

func (s speaks) Preferences(context.Context, string) (preference.Set, error) {
	return preference.Set{Language: string(s)}, nil
}

func TestAPreferredLanguageChoosesThePresetsWords(t *testing.T) {
	t.Parallel()
	systems := map[string]bool{}
	for _, language := range preference.Languages() {
		g := intaketest.New(t)
		b := &bundle{Gateway: g, handler: promptapi.New(promptapi.Deps{
			Auth: g.Auth, Desk: g.Desk, Preferences: speaks(language), Log: g.Log.Logger(), Now: time.Now,
		})}
		if w := b.post(t, "/api/prompt", `{"prompt":"a fox","preset":"draw_write"}`); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		systems[b.Provider.Calls()[0].Request.System] = true
	}
	if len(systems) != len(preference.Languages()) {
		t.Errorf("%d languages have %d texts", len(preference.Languages()), len(systems))
	}
}
