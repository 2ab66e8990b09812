package generateapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"easel/functions/generate/generateapi"
	"easel/shared/apikey"
	"easel/shared/fault"
	"easel/shared/intake"
	"easel/shared/intake/intaketest"
	"easel/shared/provider"
	"easel/shared/safehttp"
)

type bundle struct {
	*intaketest.Gateway

	handler http.Handler
}

func setup(t *testing.T) *bundle {
	t.Helper()
	g := intaketest.New(t)
	g.Desk.CheckURL = func(raw string) error { return safehttp.CheckURL(raw, safehttp.Options{}) }
	return &bundle{Gateway: g, handler: generateapi.New(generateapi.Deps{
		Auth: g.Auth, Desk: g.Desk, Views: &g.Config, Accounts: g.Store, Quotas: g.Quotas, Tasks: g.Store, Canceler: g.Runner,
		Signer: intaketest.Signer{}, Files: files{}, Log: g.Log.Logger(), Now: time.Now,
	})}
}

func (b *bundle) post(t *testing.T, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return b.Do(t, b.handler, http.MethodPost, path, body, headers...)
}

func (b *bundle) get(t *testing.T, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return b.Do(t, b.handler, http.MethodGet, path, "", headers...)
}

func object(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		t.Fatalf("status %d, body is no object: %s", w.Code, w.Body)
	}
	return m
}

func wantStatus(t *testing.T, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status = %d, want %d: %s", w.Code, status, w.Body)
	}
}

func wantProblem(t *testing.T, w *httptest.ResponseRecorder, code fault.Code, field string) map[string]any {
	t.Helper()
	m := object(t, w)
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type = %q, want a problem", got)
	}
	if m["code"] != string(code) {
		t.Errorf("code = %v, want %s: %s", m["code"], code, w.Body)
	}
	if m["request_id"] == "" || m["request_id"] != w.Header().Get("X-Request-Id") {
		t.Errorf("request_id = %v, header %q", m["request_id"], w.Header().Get("X-Request-Id"))
	}
	if field == "" {
		return m
	}
	list, _ := m["errors"].([]any)
	for _, e := range list {
		if e.(map[string]any)["name"] == field {
			return m
		}
	}
	t.Errorf("errors = %v, want one about %q", m["errors"], field)
	return m
}

func TestGenerateAnswersAcceptedAndTheWorkerDoesTheRest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.post(t, "/api/generate", `{"prompt":"a lighthouse","metadata":{"k":"v"},"user":"u1"}`)
	wantStatus(t, w, http.StatusAccepted)
	m := object(t, w)
	id, _ := m["id"].(string)
	if w.Header().Get("Location") != "/api/task/"+id || w.Header().Get("Retry-After") == "" {
		t.Errorf("headers = %v", w.Header())
	}
	if m["status"] != "queued" || m["model"] != "auto" || m["object"] != "task" || m["error"] != nil {
		t.Errorf("task = %v", m)
	}
	if got := b.Balance(t); got.Reserved != 10 {
		t.Errorf("reserved = %d, want 10", got.Reserved)
	}
	b.Work(t)
	if got := b.Balance(t); got.Reserved != 0 || got.Spent != 10 {
		t.Errorf("balance = %+v, want 10 spent", got)
	}
	tasks := b.Store.Tasks()
	if len(tasks) != 1 || tasks[0].User != "u1" || tasks[0].Metadata["k"] != "v" || tasks[0].RequestID == "" {
		t.Errorf("tasks = %+v", tasks)
	}
}

func TestGenerateAnswersTheEndWithinTheWait(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.post(t, "/api/generate", `{"prompt":"a lighthouse","n":2,"model":"painter"}`, "Prefer", "wait=30")
	wantStatus(t, w, http.StatusOK)
	if got := w.Header().Get("Preference-Applied"); got != "wait=30" {
		t.Errorf("Preference-Applied = %q", got)
	}
	m := object(t, w)
	outputs, _ := m["outputs"].([]any)
	if m["status"] != "succeeded" || len(outputs) != 2 || m["api_config_id"] != "cfg_image" || m["progress"] != 1.0 {
		t.Errorf("task = %v", m)
	}
	first, _ := outputs[0].(map[string]any)
	if url, _ := first["url"].(string); !strings.HasPrefix(url, "https://assets.example/out/") || !strings.Contains(url, "&") && strings.Contains(url, `\u0026`) {
		t.Errorf("url = %q", url)
	}
	if got := b.Balance(t); got.Spent != 20 || got.Reserved != 0 {
		t.Errorf("balance = %+v, want 20 spent", got)
	}
}

func TestGenerateWaitsForTheWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		go func() {
			<-time.After(3 * time.Second)
			b.Work(t)
		}()
		w := b.post(t, "/api/generate", `{"prompt":"a lighthouse"}`, "Prefer", "wait=5") // too short for a call inside
		wantStatus(t, w, http.StatusOK)
		started := time.Now()
		w = b.post(t, "/api/generate", `{"prompt":"a lighthouse"}`, "Prefer", "wait=5")
		wantStatus(t, w, http.StatusAccepted)
		if took := time.Since(started); took != 5*time.Second {
			t.Errorf("waited %s, want 5s", took)
		}
	})
}

func TestBadInputIsRefusedBeforeAnythingIsReserved(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 32_001)
	cases := map[string]struct {
		body  string
		code  fault.Code
		field string
	}{
		"unknown model":           {`{"prompt":"a","model":"nope"}`, fault.InvalidInput, "model"},
		"a text model":            {`{"prompt":"a","model":"writer"}`, fault.InvalidInput, "model"},
		"another kind's model":    {`{"prompt":"a","model":"mover","kind":"image"}`, fault.InvalidInput, "model"},
		"unknown kind":            {`{"prompt":"a","kind":"sound"}`, fault.InvalidInput, "kind"},
		"bad size":                {`{"prompt":"a","size":"huge"}`, fault.InvalidInput, "size"},
		"size over the limit":     {`{"prompt":"a","model":"painter","size":"4096x4096"}`, fault.InvalidInput, "size"},
		"negative n":              {`{"prompt":"a","n":-1}`, fault.InvalidInput, "n"},
		"n of zero":               {`{"prompt":"a","n":0}`, fault.InvalidInput, "n"},
		"n over the limit":        {`{"prompt":"a","n":5}`, fault.InvalidInput, "n"},
		"empty prompt":            {`{"prompt":"  "}`, fault.InvalidInput, "prompt"},
		"no prompt":               {`{}`, fault.InvalidInput, "prompt"},
		"over-long prompt":        {`{"prompt":"` + long + `"}`, fault.InvalidInput, "prompt"},
		"unknown field":           {`{"prompt":"a","promt":"b"}`, fault.InvalidInput, "promt"},
		"unknown field inside":    {`{"prompt":"a","loras":[{"path":"x","scal":1}]}`, fault.InvalidInput, "loras[0].scal"},
		"wrong case of a field":   {`{"Prompt":"a"}`, fault.InvalidInput, "Prompt"},
		"wrong type":              {`{"prompt":7}`, fault.InvalidInput, "prompt"},
		"wrong type of a number":  {`{"prompt":"a","n":"2"}`, fault.InvalidInput, "n"},
		"a fraction of an image":  {`{"prompt":"a","n":1.5}`, fault.InvalidInput, "n"},
		"a field twice":           {`{"prompt":"a","prompt":"b"}`, fault.InvalidInput, "prompt"},
		"not JSON":                {`{"prompt":`, fault.InvalidInput, ""},
		"more than one value":     {`{"prompt":"a"} {}`, fault.InvalidInput, ""},
		"an array":                {`[]`, fault.InvalidInput, ""},
		"bad seed":                {`{"prompt":"a","seed":-5}`, fault.InvalidInput, "seed"},
		"a private image":         {`{"prompt":"a","image":"https://169.254.169.254/x"}`, fault.InvalidInput, "image"},
		"an image by name inside": {`{"prompt":"a","image":"https://metadata.google.internal/x"}`, fault.InvalidInput, "image"},
		"an image over http":      {`{"prompt":"a","image":"http://example.com/x"}`, fault.InvalidInput, "image"},
		"a private callback":      {`{"prompt":"a","callback_url":"https://10.0.0.1/x"}`, fault.InvalidInput, "callback_url"},
		"a callback over http":    {`{"prompt":"a","callback_url":"http://example.com/x"}`, fault.InvalidInput, "callback_url"},
		"a callback of nothing":   {`{"prompt":"a","callback_url":"hello"}`, fault.InvalidInput, "callback_url"},
		"metadata of a number":    {`{"prompt":"a","metadata":{"a":1}}`, fault.InvalidInput, "metadata.a"},
		"long metadata":           {`{"prompt":"a","metadata":{"a":"` + strings.Repeat("x", 513) + `"}}`, fault.InvalidInput, "metadata.a"},
		"a long user":             {`{"prompt":"a","user":"` + strings.Repeat("x", 257) + `"}`, fault.InvalidInput, "user"},
		"options of no object":    {`{"prompt":"a","options":[1]}`, fault.InvalidInput, "options"},
		"a duration for an image": {`{"prompt":"a","duration":5}`, fault.InvalidInput, "duration"},
		"a video too long":        {`{"prompt":"a","model":"mover","duration":60}`, fault.InvalidInput, "duration"},
		"no config for the model": {`{"prompt":"a","model":"orphan"}`, fault.Unavailable, ""},
		"a model without price":   {`{"prompt":"a","model":"priceless"}`, fault.Unavailable, ""},
		"a body over the limit":   {`{"prompt":"` + strings.Repeat("a", 1<<20) + `"}`, fault.TooLarge, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			for _, path := range []string{"/api/generate", "/api/generate/image"} {
				if path != "/api/generate" && (strings.Contains(c.body, "mover") || strings.Contains(c.body, "writer")) {
					continue
				}
				w := b.post(t, path, c.body)
				wantProblem(t, w, c.code, c.field)
				b.WantUntouched(t)
			}
			if len(b.Provider.Calls()) != 0 {
				t.Error("a provider was asked")
			}
		})
	}
}

func TestUnavailableNamesTheKind(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Config.Configs = nil
	w := b.post(t, "/api/generate", `{"prompt":"a"}`)
	wantStatus(t, w, http.StatusServiceUnavailable)
	if m := wantProblem(t, w, fault.Unavailable, ""); !strings.Contains(m["detail"].(string), "image") {
		t.Errorf("detail = %v, want the kind", m["detail"])
	}
	b.WantUntouched(t)
}

func TestWhoMayGenerate(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		header func(b *bundle) string
		status int
	}{
		"no key":          {func(*bundle) string { return "" }, http.StatusUnauthorized},
		"another scheme":  {func(*bundle) string { return "Basic YTpi" }, http.StatusUnauthorized},
		"no form":         {func(*bundle) string { return "Bearer hello" }, http.StatusUnauthorized},
		"an unknown key":  {func(*bundle) string { text, _, _ := apikey.New(); return "Bearer " + text }, http.StatusUnauthorized},
		"a wrong secret":  {func(b *bundle) string { return "Bearer " + b.Key[:17] + strings.Repeat("x", 40) }, http.StatusUnauthorized},
		"a key to read":   {func(b *bundle) string { return "Bearer " + b.NewKey(intaketest.Account, apikey.Read) }, http.StatusForbidden},
		"an admin's key":  {func(b *bundle) string { return "Bearer " + b.NewKey(intaketest.Account, apikey.Admin) }, http.StatusForbidden},
		"a revoked key":   {func(b *bundle) string { return "Bearer " + revoked(b) }, http.StatusUnauthorized},
		"lower-case bear": {func(b *bundle) string { return "bearer " + b.Key }, http.StatusAccepted},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			w := b.post(t, "/api/generate", `{"prompt":"a"}`, "Authorization", c.header(b))
			wantStatus(t, w, c.status)
			if c.status == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
				t.Error("no WWW-Authenticate")
			}
			if c.status != http.StatusAccepted {
				b.WantUntouched(t)
			}
		})
	}
}

func revoked(b *bundle) string {
	text := b.NewKey(intaketest.Account, apikey.Generate)
	id, _, _ := apikey.Parse(text)
	key := b.Keys[id]
	key.RevokedAt = time.Now().Add(-time.Hour)
	b.Keys[id] = key
	return text
}

func TestNotEnoughCreditsTellsBalanceAndPrice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Config.Models[0].Price.Credits = 60
	w := b.post(t, "/api/generate", `{"prompt":"a","n":2}`)
	wantStatus(t, w, http.StatusPaymentRequired)
	m := wantProblem(t, w, fault.InsufficientCredits, "")
	if m["balance"] != 100.0 || m["price"] != 120.0 {
		t.Errorf("problem = %v, want balance 100 and price 120", m)
	}
	b.WantUntouched(t)
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	const body = `{"prompt":"a","options":{"x":1,"y":2}}`
	t.Run("makes one task of two requests, however they are spelled", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		first := object(t, b.post(t, "/api/generate", body, "Idempotency-Key", "k1"))
		w := b.post(t, "/api/generate", `{ "options": {"y":2, "x":1}, "prompt":"a" }`, "Idempotency-Key", "k1")
		wantStatus(t, w, http.StatusAccepted)
		if second := object(t, w); second["id"] != first["id"] || w.Header().Get("Idempotent-Replayed") != "true" {
			t.Errorf("second = %v, want the task %v", second["id"], first["id"])
		}
		if got := b.Balance(t); got.Reserved != 10 {
			t.Errorf("reserved = %d, want 10 once", got.Reserved)
		}
	})
	t.Run("with another body is a conflict", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		wantStatus(t, b.post(t, "/api/generate", body, "Idempotency-Key", "k1"), http.StatusAccepted)
		w := b.post(t, "/api/generate", `{"prompt":"b"}`, "Idempotency-Key", "k1")
		wantStatus(t, w, http.StatusConflict)
		wantProblem(t, w, fault.IdempotencyMismatch, "")
		if got := b.Balance(t); got.Reserved != 10 {
			t.Errorf("reserved = %d, want 10 once", got.Reserved)
		}
	})
	t.Run("must be visible text of at most 255 bytes", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, key := range []string{"a b", "é", strings.Repeat("k", 256)} {
			w := b.post(t, "/api/generate", body, "Idempotency-Key", key)
			wantProblem(t, w, fault.InvalidInput, "Idempotency-Key")
		}
		b.WantUntouched(t)
	})
}

func TestSeedRouteAnswersInItsForm(t *testing.T) {
	t.Parallel()
	t.Run("on success", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		w := b.post(t, "/api/generate/image", `{"prompt":"a"}`)
		wantStatus(t, w, http.StatusOK)
		m := object(t, w)
		data, _ := m["data"].(map[string]any)
		if m["success"] != true || m["error"] != nil || m["api_config_id"] != "cfg_image" || data["status"] != "succeeded" {
			t.Errorf("answer = %v", m)
		}
	})
	t.Run("when every provider fails", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.Provider.OnSubmit = func(context.Context, provider.Call) (provider.Answer, error) {
			return provider.Answer{}, &fault.Failure{Class: fault.ClassAuth, Detail: "raw words of the vendor"}
		}
		w := b.post(t, "/api/generate/image", `{"prompt":"a"}`)
		wantStatus(t, w, http.StatusBadGateway)
		m := wantProblem(t, w, fault.ProviderFailed, "")
		if m["success"] != false || m["error"] == nil || m["data"] == nil || m["api_config_id"] != "cfg_image" {
			t.Errorf("answer = %v", m)
		}
		if strings.Contains(w.Body.String(), "raw words") {
			t.Error("the vendor's words reached the caller")
		}
		if got := b.Balance(t); got.Available != intaketest.Credits {
			t.Errorf("balance = %+v, want all of it back", got)
		}
	})
	t.Run("for a video", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		wantStatus(t, b.post(t, "/api/generate/video", `{"prompt":"a","model":"mover","duration":3}`), http.StatusOK)
		if got := b.Balance(t); got.Spent != 6 {
			t.Errorf("spent = %d, want 6", got.Spent)
		}
	})
}

func TestFilterRefusesBeforeTheReservation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Desk.Filter = refuser{}
	w := b.post(t, "/api/generate", `{"prompt":"a"}`)
	wantStatus(t, w, http.StatusUnprocessableEntity)
	wantProblem(t, w, fault.ContentRejected, "")
	b.WantUntouched(t)
}

type refuser struct{}

func (refuser) Check(context.Context, intake.Ticket) error {
	return fault.New(fault.ContentRejected, "the prompt is refused by a content rule")
}

func TestLogHoldsNoPromptAndNoSecret(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.post(t, "/api/generate?token=hunter2", `{"prompt":"a very private wish"}`)
	log := b.Log.String()
	if !strings.Contains(log, `"path":"/api/generate"`) || !strings.Contains(log, `"key_id"`) {
		t.Errorf("log = %s, want the path and the key's id", log)
	}
	for _, word := range []string{"private wish", "hunter2", b.Key} {
		if strings.Contains(log, word) {
			t.Errorf("the log holds %q", word)
		}
	}
}
