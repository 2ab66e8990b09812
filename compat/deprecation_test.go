package compat_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestRetiredNamesAreToldOnEveryRoute asks for a name that its vendor retired on
// each route that takes one.
func TestRetiredNamesAreToldOnEveryRoute(t *testing.T) {
	t.Parallel()
	g := start(t)
	const chat = `"messages":[{"role":"user","content":"hello"}]`
	for _, tt := range []struct{ name, path, body, deprecation string }{
		{"a task", "/api/generate", `{"model":"dall-e-3","prompt":"a"}`, "@1778544000"},
		{"a quote", "/api/quote", `{"model":"dall-e-3"}`, "@1778544000"},
		{"an image that is waited for", "/api/generate/image", `{"model":"dall-e-3","prompt":"a"}`, "@1778544000"},
		{"a text", "/api/prompt", `{"model":"gemini-2.0-flash","prompt":"hello"}`, "@1780272000"},
		{"a streamed text", "/api/prompt", `{"model":"gemini-2.0-flash","prompt":"hello","stream":true}`, "@1780272000"},
		{"OpenAI's image", "/v1/images/generations", `{"model":"dall-e-3","prompt":"a"}`, "@1778544000"},
		{"OpenAI's chat", "/v1/chat/completions", `{"model":"gpt-4",` + chat + `}`, "@1792713600"},
		{"OpenAI's streamed chat", "/v1/chat/completions", `{"model":"gpt-4","stream":true,` + chat + `}`, "@1792713600"},
		{"OpenAI's video", "/v1/videos", `{"model":"veo-2.0","prompt":"a"}`, "@1782777600"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+g.APIKey)
			request.Header.Set("Content-Type", "application/json")
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode >= http.StatusBadRequest {
				t.Fatalf("answered %s: %s, %v", response.Status, body, err)
			}
			if got := response.Header.Get("Deprecation"); got != tt.deprecation {
				t.Errorf("Deprecation = %q, want %q", got, tt.deprecation)
			}
			if !strings.Contains(string(body), `"notice":"the model `) {
				t.Errorf("no notice in %s", body)
			}
		})
	}
}
