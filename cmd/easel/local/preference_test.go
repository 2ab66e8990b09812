package local_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// prefer changes what the caller's account prefers.
func (g *gateway) prefer(want int, method string, body any, headers ...string) map[string]any {
	g.t.Helper()
	status, answer := g.call(method, "/api/account/preferences", body, headers...)
	if status != want {
		g.t.Fatalf("%s answered %d: %s", method, status, answer)
	}
	var object map[string]any
	if err := json.Unmarshal(answer, &object); err != nil {
		g.t.Fatal(err)
	}
	return object
}

// effective is what a task was made of.
type effective struct {
	ID         string
	Model      string
	Status     string
	Parameters struct {
		N              int
		Size           string
		AspectRatio    string `json:"aspect_ratio"`
		NegativePrompt string `json:"negative_prompt"`
	}
	Credits struct{ Charged int64 }
	Outputs []struct{}
}

func (g *gateway) made(body map[string]any, headers ...string) effective {
	g.t.Helper()
	var e effective
	v := g.create(body, headers...)
	_, answer := g.call(http.MethodGet, "/api/task/"+v.ID, nil)
	if err := json.Unmarshal(answer, &e); err != nil {
		g.t.Fatal(err)
	}
	return e
}

func TestAccountsPreferWhatTheirRequestsLeaveOut(t *testing.T) {
	t.Parallel()
	g := start(t)
	if got := g.prefer(http.StatusOK, http.MethodGet, nil); len(got) != 0 {
		t.Errorf("at first an account prefers %v", got)
	}
	g.prefer(http.StatusOK, http.MethodPut, map[string]any{
		"image": map[string]any{"model": "flux-dev", "n": 2, "aspect_ratio": "16:9"}, "language": "ja",
	}, "If-Match", `"0"`)
	// At once, in the process that was asked.
	first := g.made(map[string]any{"prompt": "a lighthouse"}, "Idempotency-Key", "once")
	if first.Model != "flux-dev" || first.Parameters.N != 2 || first.Parameters.AspectRatio != "16:9" || len(first.Outputs) != 2 || first.Credits.Charged != 20 {
		t.Errorf("the task is %+v", first)
	}
	_, quote := g.call(http.MethodPost, "/api/quote", map[string]any{})
	if !strings.Contains(string(quote), `"credits":20`) || !strings.Contains(string(quote), `"model":"flux-dev"`) {
		t.Errorf("the quote is %s", quote)
	}
	if e := g.made(map[string]any{"prompt": "a lighthouse", "n": 1, "size": "512x512"}); e.Parameters.N != 1 || e.Parameters.Size != "512x512" || e.Parameters.AspectRatio != "" {
		t.Errorf("what was asked for became %+v", e)
	}
	if e := g.made(map[string]any{"prompt": "a lighthouse", "model": "", "aspect_ratio": "", "n": 1}); e.Model != "auto" || e.Parameters.AspectRatio != "" {
		t.Errorf("what was asked for as nothing became %+v", e)
	}
	if status, answer := g.call(http.MethodPost, "/v1/images/generations", map[string]any{"prompt": "a lighthouse"}); status != http.StatusOK || strings.Count(string(answer), `"url"`) != 2 {
		t.Errorf("OpenAI's route answers %d: %s", status, answer)
	}
	// Another preference makes no other request of a repeat.
	g.prefer(http.StatusOK, http.MethodPatch, map[string]any{"image": map[string]any{"model": nil, "n": 4}})
	if again := g.made(map[string]any{"prompt": "a lighthouse"}, "Idempotency-Key", "once"); again.ID != first.ID {
		t.Errorf("the repeat is another task: %+v", again)
	}
	if got := g.prefer(http.StatusOK, http.MethodGet, nil); got["language"] != "ja" || got["image"].(map[string]any)["model"] != nil {
		t.Errorf("after the patch: %v", got)
	}
}

func TestWrongPreferencesAreRefusedByName(t *testing.T) {
	t.Parallel()
	g := start(t)
	_, answer := g.call(http.MethodPut, "/api/account/preferences", map[string]any{
		"image": map[string]any{"model": "nope"}, "video": map[string]any{"format": "png"}, "callback_url": "http://10.0.0.1/x", "language": "tlh",
	})
	var problem struct{ Errors []struct{ Name string } }
	if err := json.Unmarshal(answer, &problem); err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(problem.Errors))
	for _, e := range problem.Errors {
		names = append(names, e.Name)
	}
	if got := strings.Join(names, " "); got != "image.model video.format callback_url language" {
		t.Errorf("fields %q in %s", got, answer)
	}
	g.prefer(http.StatusBadRequest, http.MethodPut, map[string]any{"images": map[string]any{}})
	g.prefer(http.StatusOK, http.MethodPut, map[string]any{"language": "en"})
	g.prefer(http.StatusPreconditionFailed, http.MethodPut, map[string]any{}, "If-Match", `"0"`)
}

func TestOperatorsSeeAndChangePreferences(t *testing.T) {
	t.Parallel()
	g := start(t)
	path := "/api/admin/accounts/" + g.Account + "/preferences"
	g.operate(http.StatusBadRequest, http.MethodPut, path, map[string]any{"language": "zh"}) // without If-Match
	g.operate(http.StatusOK, http.MethodPut, path, map[string]any{"language": "zh", "callback_url": "https://example.com/done?token=canary"}, "If-Match", `"0"`)
	stale := g.operate(http.StatusPreconditionFailed, http.MethodPatch, path, map[string]any{"language": "en"}, "If-Match", `"0"`)
	if current, _ := stale["current"].(map[string]any); current["language"] != "zh" {
		t.Errorf("the refusal shows %v", stale["current"])
	}
	g.operate(http.StatusOK, http.MethodPatch, path, map[string]any{"language": nil}, "If-Match", `"1"`)
	if got := g.prefer(http.StatusOK, http.MethodGet, nil); got["language"] != nil || got["callback_url"] == nil {
		t.Errorf("the account sees %v", got)
	}
	g.operate(http.StatusNotFound, http.MethodGet, "/api/admin/accounts/nobody/preferences", nil)
	trail := g.operate(http.StatusOK, http.MethodGet, "/api/admin/audit?action=account.preferences", nil)
	if entries, _ := trail["data"].([]any); len(entries) != 2 {
		t.Errorf("the trail has %v", trail)
	}
	if text, err := json.Marshal(trail); err != nil || strings.Contains(string(text), "canary") {
		t.Errorf("the trail keeps the callback's query: %s, %v", text, err)
	}
}
