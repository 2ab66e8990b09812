package local_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"easel/cmd/easel/local"
	"easel/shared/intake/intaketest"
	"easel/shared/provider/simulator"
)

// operate makes a request as an operator and fails the test unless it is
// answered with the status.
func (g *gateway) operate(want int, method, path string, body any, headers ...string) map[string]any {
	g.t.Helper()
	status, answer := g.call(method, path, body, append(headers, "Authorization", "Bearer "+g.AdminKey)...)
	if status != want {
		g.t.Fatalf("%s %s answered %d: %s", method, path, status, answer)
	}
	var object map[string]any
	if err := json.Unmarshal(answer, &object); err != nil {
		g.t.Fatal(err)
	}
	return object
}

// moderate sets the content filter, which the gateway notices at once.
func (g *gateway) moderate(filter map[string]any) {
	g.t.Helper()
	g.operate(http.StatusOK, http.MethodPut, "/api/admin/settings/moderation", filter, "If-Match", "*")
	g.App.Views.Forget()
}

// violence is a filter with words in two scripts.
func violence() map[string]any {
	return map[string]any{"rules": []any{
		map[string]any{"id": "violence", "words": []string{"gorefest", "血腥"}},
		map[string]any{"id": "narrow", "words": []string{"knife"}, "policy": "strict"},
	}}
}

// code is the code of a problem.
func code(t *testing.T, body []byte) string {
	t.Helper()
	var problem struct{ Code string }
	if err := json.Unmarshal(body, &problem); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return problem.Code
}

func TestARefusedPromptReservesNothingAndIsNotLogged(t *testing.T) {
	t.Parallel()
	lines := &intaketest.Log{}
	g := startWith(t, func(o *local.Options) { o.Log = slog.New(slog.NewJSONHandler(lines, nil)) })
	g.moderate(violence())
	before := g.balance()
	for _, prompt := range []string{"a GoreFest canary-81f3 at dusk", "canary-81f3 一张血腥的画", "canary-81f3 g o r e f e s t"} {
		for _, route := range []string{"/api/generate", "/api/prompt"} {
			status, body := g.call(http.MethodPost, route, map[string]any{"prompt": prompt}, "Idempotency-Key", "one-"+route)
			if status != http.StatusUnprocessableEntity || code(t, body) != "content_rejected" {
				t.Errorf("%s of %q answered %d: %s", route, prompt, status, body)
			}
			if strings.Contains(string(body), "canary-81f3") {
				t.Errorf("the answer repeats the prompt: %s", body)
			}
		}
	}
	if after := g.balance(); after != before {
		t.Errorf("the balance went from %+v to %+v", before, after)
	}
	if _, tasks := g.call(http.MethodGet, "/api/task", nil); strings.Contains(string(tasks), `"id"`) {
		t.Errorf("there are tasks: %s", tasks)
	}
	for name, n := range map[string]int64{"openai": g.Simulator.Stats(simulator.OpenAI).Submits, "gemini": g.Simulator.Stats(simulator.Gemini).Submits} {
		if n != 0 {
			t.Errorf("%s was asked %d times", name, n)
		}
	}
	if s := lines.String(); strings.Contains(s, "canary-81f3") || strings.Count(s, "rule violence") != 6 || !strings.Contains(s, `"sha256"`) {
		t.Errorf("the log is %s", s)
	}
	// The key of a refused request is free, and an innocent prompt goes on.
	if v := g.create(map[string]any{"prompt": "a lighthouse"}, "Idempotency-Key", "one-/api/generate"); v.Status != "succeeded" {
		t.Errorf("task = %+v", v)
	}
}

func TestAKeyHasAPolicyOfItsOwn(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.moderate(violence())
	for _, test := range []struct {
		policy, prompt string
		refused        bool
	}{
		{"off", "a gorefest", false},
		{"strict", "a knife", true},
		{"default", "a knife", false},
		{"default", "一张血腥的画", true},
	} {
		made := g.operate(http.StatusCreated, http.MethodPost, "/api/admin/keys", map[string]any{
			"name": test.policy, "account": g.Account, "scopes": []string{"generate"}, "moderation": test.policy,
		})
		key, _ := made["secret"].(string)
		status, body := g.call(http.MethodPost, "/api/generate", map[string]any{"prompt": test.prompt}, "Authorization", "Bearer "+key)
		if refused := status == http.StatusUnprocessableEntity; refused != test.refused {
			t.Errorf("%+v: answered %d: %s", test, status, body)
		}
	}
}

func TestOpenAIClientsHearOfARefusalInTheirForm(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.moderate(violence())
	for route, body := range map[string]map[string]any{
		"/v1/images/generations": {"prompt": "a gorefest"},
		"/v1/videos":             {"prompt": "a gorefest"},
		"/v1/chat/completions":   {"model": "auto-text", "messages": []any{map[string]any{"role": "user", "content": "a gorefest"}}},
	} {
		status, answer := g.call(http.MethodPost, route, body)
		var problem struct {
			Error struct{ Message, Type, Code string }
		}
		if err := json.Unmarshal(answer, &problem); err != nil {
			t.Fatal(err)
		}
		if status != http.StatusUnprocessableEntity || problem.Error.Code != "content_rejected" || problem.Error.Message == "" || problem.Error.Type == "" {
			t.Errorf("%s answered %d: %s", route, status, answer)
		}
	}
}

func TestAModerationServiceIsAskedWhereTheFilterSaysSo(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if down.Load() || r.URL.Path != "/v1/moderations" || r.Header.Get("Authorization") != "Bearer sk-moderation-test-key" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, `{"results":[{"flagged":%t,"categories":{"violence":true}}]}`, bytes.Contains(body, []byte("fight")))
	}))
	t.Cleanup(service.Close)
	g := start(t)
	config := g.operate(http.StatusCreated, http.MethodPost, "/api/admin/configs", map[string]any{
		"name": "moderation", "kind": "text", "provider": "openai", "base_url": service.URL + "/v1", "active": false, "key": "sk-moderation-test-key",
	})
	ask := func(prompt string) int {
		status, _ := g.call(http.MethodPost, "/api/generate", map[string]any{"prompt": prompt})
		return status
	}
	g.moderate(map[string]any{"remote": map[string]any{"policy": "default", "config": config["id"], "on_error": "refuse"}})
	if flagged, clean := ask("a fight"), ask("a lighthouse"); flagged != http.StatusUnprocessableEntity || clean != http.StatusAccepted {
		t.Errorf("a flagged prompt is answered %d, a clean one %d", flagged, clean)
	}
	down.Store(true)
	if closed := ask("a lighthouse"); closed != http.StatusServiceUnavailable {
		t.Errorf("without the service a filter that refuses then answers %d", closed)
	}
	g.moderate(map[string]any{"remote": map[string]any{"policy": "default", "config": config["id"]}})
	if open := ask("a fight"); open != http.StatusAccepted {
		t.Errorf("without the service a filter that allows then answers %d", open)
	}
}
