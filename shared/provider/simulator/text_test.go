package simulator_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"easel/shared/provider/simulator"
)

// events returns the data of each server-sent event.
func events(body []byte) []string {
	var all []string
	for line := range strings.Lines(string(body)) {
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			all = append(all, strings.TrimSpace(data))
		}
	}
	return all
}

func TestChatStreamsTheAnswerItGivesWhole(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	const body = `{"model":"gpt-6-luna","messages":[{"role":"system","content":"Improve the drawing prompt."},{"role":"user","content":"a cat"}]`
	got := b.post("/openai/v1/chat/completions", body+"}").json(t)
	choice := got["choices"].([]any)[0].(map[string]any)
	whole := choice["message"].(map[string]any)["content"].(string)
	if choice["finish_reason"] != "stop" || !strings.Contains(whole, "cat") {
		t.Fatalf("%v", got)
	}
	stream := events(b.post("/openai/v1/chat/completions", body+`,"stream":true,"stream_options":{"include_usage":true}}`).body)
	if stream[len(stream)-1] != "[DONE]" {
		t.Fatalf("the stream ends with %s", stream[len(stream)-1])
	}
	var said strings.Builder
	var usage map[string]any
	for _, data := range stream[:len(stream)-1] {
		var chunk struct {
			Choices []struct {
				Delta struct {
					Content string `json:"content"`
				} `json:"delta"`
			} `json:"choices"`
			Usage map[string]any `json:"usage"`
		}
		if err := json.Unmarshal([]byte(data), &chunk); err != nil {
			t.Fatal(err)
		}
		if len(chunk.Choices) > 0 {
			said.WriteString(chunk.Choices[0].Delta.Content)
		}
		if chunk.Usage != nil {
			usage = chunk.Usage
		}
	}
	if said.String() != whole || usage["total_tokens"] != got["usage"].(map[string]any)["total_tokens"] {
		t.Errorf("streamed %q with %v, whole %q", said.String(), usage, whole)
	}
}

func TestModerationFlagsTheKnownWords(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	results := b.post("/openai/v1/moderations", `{"model":"omni-moderation-latest","input":["a lake","nsfw"]}`).json(t)["results"].([]any)
	for i, want := range []bool{false, true} {
		if got := results[i].(map[string]any)["flagged"]; got != want {
			t.Errorf("input %d flagged %v", i, got)
		}
	}
}

func (b *bench) gemini(call, body string) reply {
	b.t.Helper()
	return b.post("/gemini/v1beta/models/"+call, body, "X-Goog-Api-Key", "k")
}

func TestGeminiAnswersInThePromptsLanguage(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	for question, chinese := range map[string]bool{"优化这个绘画提示词：海边的灯塔": true, "Improve this drawing prompt: a lighthouse": false} {
		body := `{"contents":[{"role":"user","parts":[{"text":"` + question + `"}]}],"generationConfig":{"temperature":0.5}}`
		got := b.gemini("gemini-3.8-flash:generateContent", body).json(t)
		text := got["candidates"].([]any)[0].(map[string]any)["content"].(map[string]any)["parts"].([]any)[0].(map[string]any)["text"].(string)
		if has := strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }); has != chinese {
			t.Errorf("%s is answered with %s", question, text)
		}
		stream := events(b.gemini("gemini-3.8-flash:streamGenerateContent?alt=sse", body).body)
		var said strings.Builder
		for _, data := range stream {
			var chunk map[string]any
			if err := json.Unmarshal([]byte(data), &chunk); err != nil {
				t.Fatal(err)
			}
			said.WriteString(chunk["candidates"].([]any)[0].(map[string]any)["content"].(map[string]any)["parts"].([]any)[0].(map[string]any)["text"].(string))
		}
		if said.String() != text || !strings.Contains(stream[len(stream)-1], `"finishReason":"STOP"`) {
			t.Errorf("streamed %q, whole %q", said.String(), text)
		}
	}
}

func TestGeminiPaints(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	got := b.gemini("gemini-nano-banana-2.1:generateContent",
		`{"contents":[{"parts":[{"text":"a forest"}]}],"generationConfig":{"responseModalities":["TEXT","IMAGE"],"imageConfig":{"aspectRatio":"16:9"}}}`).json(t)
	parts := got["candidates"].([]any)[0].(map[string]any)["content"].(map[string]any)["parts"].([]any)
	data := parts[1].(map[string]any)["inlineData"].(map[string]any)
	raw, err := base64.StdEncoding.DecodeString(data["data"].(string))
	if err != nil || data["mimeType"] != "image/png" {
		t.Fatal(err, data["mimeType"])
	}
	picture(t, raw, "png", 1376, 768)
}

func TestGeminiRefusesInItsOwnWays(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	const body = `{"contents":[{"parts":[{"text":"x"}]}]}`
	for name, tc := range map[string]struct {
		call, body string
		status     int
		says       string
	}{
		"retired model":  {"gemini-1.5-flash:generateContent", body, 404, "NOT_FOUND"},
		"unknown name":   {"gemini-3.8-flash:generateContent", `{"contents":[{"parts":[{"text":"x"}]}],"prompt":"x"}`, 400, "Unknown name"},
		"no contents":    {"gemini-3.8-flash:generateContent", `{}`, 400, "contents"},
		"refused prompt": {"gemini-3.8-flash:generateContent", `{"contents":[{"parts":[{"text":"nsfw"}]}]}`, 200, "blockReason"},
	} {
		if got := b.gemini(tc.call, tc.body); got.status != tc.status || !strings.Contains(string(got.body), tc.says) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := b.post("/gemini/v1beta/models/gemini-3.8-flash:generateContent", body); got.status != http.StatusForbidden {
		t.Errorf("no key: %d", got.status)
	}
	if got := b.post("/gemini/v1beta/models/gemini-3.8-flash:generateContent?key=invalid", body); got.status != http.StatusBadRequest || !strings.Contains(string(got.body), "API_KEY_INVALID") {
		t.Errorf("bad key: %d %s", got.status, got.body)
	}
	b.fault(simulator.Gemini, simulator.Fault{Fault: simulator.RateLimited, DelayMS: 34000})
	if got := b.gemini("gemini-3.8-flash:generateContent", body); got.status != 429 || !strings.Contains(string(got.body), `"retryDelay":"34s"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestVeoRunsAsAnOperation(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	name := b.gemini("veo-3.1-generate-preview:predictLongRunning", `{"instances":[{"prompt":"a lake"}],"parameters":{"durationSeconds":4}}`).json(t)["name"].(string)
	done := b.get("/gemini/v1beta/"+name, "X-Goog-Api-Key", "k").json(t)
	if done["done"] != true || !strings.Contains(toJSON(t, done), ":download?alt=media") {
		t.Errorf("%v", done)
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestAIGatewayForwardsAndTellsItsOwnErrorsApart(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	const images = "/cloudflare/v1/acc/gw/openai/images/generations"
	const body = `{"model":"gpt-image-2","prompt":"x"}`
	got := b.post(images, body, "Cf-Aig-Authorization", "Bearer t", "Cf-Aig-Max-Attempts", "1", "Cf-Aig-Metadata", `{"task":"1"}`)
	if got.status != http.StatusOK || got.header.Get("Cf-Aig-Log-Id") == "" || got.header.Get("Cf-Aig-Cache-Status") != "MISS" {
		t.Fatalf("%d %v %.200s", got.status, got.header, got.body)
	}
	calls := b.sim.GatewayCalls()
	if len(calls) != 1 || calls[0].Header["cf-aig-metadata"] == "" || calls[0].Slug != "openai" || calls[0].LogID != got.header.Get("Cf-Aig-Log-Id") {
		t.Errorf("%+v", calls)
	}
	if got := b.post(images, body); got.status != http.StatusUnauthorized || got.json(t)["success"] != false || got.header.Get("X-Request-Id") != "" {
		t.Errorf("without a token: %d %s", got.status, got.body)
	}
	b.fault(simulator.OpenAI, simulator.Fault{Fault: simulator.ServerError, Times: 1})
	if got := b.post(images, body, "Cf-Aig-Authorization", "Bearer t", "Cf-Aig-Max-Attempts", "1"); got.status != 500 || got.header.Get("X-Request-Id") == "" {
		t.Errorf("the vendor's error: %d %v", got.status, got.header)
	}
	b.fault(simulator.OpenAI, simulator.Fault{Fault: simulator.ServerError, Times: 1})
	if got := b.post(images, body, "Cf-Aig-Authorization", "Bearer t"); got.status != http.StatusOK {
		t.Errorf("the gateway did not repeat the call: %d", got.status)
	}
	got = b.post("/cloudflare/v1/acc/gw/fal", `{"prompt":"a fox"}`, "Cf-Aig-Authorization", "Bearer t", "Authorization", "Key k",
		"X-Fal-Target-Url", "https://queue.fal.run/"+pika, "Cf-Aig-Max-Attempts", "1")
	if got.status != http.StatusOK || got.json(t)["request_id"] == nil {
		t.Errorf("fal: %d %s", got.status, got.body)
	}
}
