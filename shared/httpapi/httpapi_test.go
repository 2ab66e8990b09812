package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/httpapi"
)

// serve answers one request with f behind Wrap, and returns what was logged too.
func serve(t *testing.T, f httpapi.HandlerFunc, target string, headers ...string) (*httptest.ResponseRecorder, string) {
	t.Helper()
	var lines bytes.Buffer
	h := httpapi.Wrap(httpapi.Handler(f), slog.New(slog.NewJSONHandler(&lines, nil)))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w, lines.String()
}

func body(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return m
}

func failing(err error) httpapi.HandlerFunc {
	return func(http.ResponseWriter, *http.Request) error { return err }
}

func TestEveryCodeHasItsStatus(t *testing.T) {
	t.Parallel()
	for code, status := range map[fault.Code]int{
		fault.InvalidInput: 400, fault.Unauthenticated: 401, fault.InsufficientCredits: 402, fault.Forbidden: 403,
		fault.NotFound: 404, fault.MethodNotAllowed: 405, fault.Conflict: 409, fault.IdempotencyMismatch: 409,
		fault.StaleVersion: 412, fault.TooLarge: 413, fault.UnsupportedMedia: 415, fault.ContentRejected: 422,
		fault.RateLimited: 429, fault.Internal: 500, fault.ProviderFailed: 502, fault.Unavailable: 503,
		fault.DeadlineExceeded: 504,
	} {
		w, _ := serve(t, failing(fault.New(code, "words")), "/api/x")
		m := body(t, w)
		if w.Code != status || m["status"] != float64(status) || m["code"] != string(code) || m["detail"] != "words" ||
			m["type"] != "urn:easel:problem:"+string(code) || m["title"] == "" {
			t.Errorf("%s: %d %v", code, w.Code, m)
		}
		if httpapi.Status(code) != status {
			t.Errorf("Status(%s) = %d", code, httpapi.Status(code))
		}
	}
}

func TestProblemHasDetailsFieldsAndRetryAfter(t *testing.T) {
	t.Parallel()
	e := fault.Invalid("n", "must be 1 to 4").With("balance", 3).With("status", "mine")
	e.RetryAfter = 1500 * time.Millisecond
	w, _ := serve(t, failing(e), "/api/x")
	m := body(t, w)
	if m["balance"] != 3.0 || m["status"] != 400.0 || w.Header().Get("Retry-After") != "2" {
		t.Errorf("problem = %v, Retry-After %q", m, w.Header().Get("Retry-After"))
	}
	fields, _ := m["errors"].([]any)
	if len(fields) != 1 || fields[0].(map[string]any)["name"] != "n" {
		t.Errorf("errors = %v", m["errors"])
	}
}

func TestACauseIsLoggedAndNotTold(t *testing.T) {
	t.Parallel()
	cause := errors.New("password=hunter2 at 10.0.0.7")
	for name, err := range map[string]error{"bare": cause, "wrapped": fault.New(fault.Unavailable, "later").Because(cause)} {
		for _, path := range []string{"/api/x", "/v1/x"} {
			w, log := serve(t, failing(err), path)
			if strings.Contains(w.Body.String(), "hunter2") {
				t.Errorf("%s: the cause was told: %s", name, w.Body)
			}
			if !strings.Contains(log, "hunter2") || !strings.Contains(log, w.Header().Get("X-Request-Id")) {
				t.Errorf("%s: log = %s, want the cause and the request's id", name, log)
			}
		}
	}
}

func TestOpenAIsForm(t *testing.T) {
	t.Parallel()
	w, _ := serve(t, failing(fault.Invalid("size", "is bad")), "/v1/images/generations")
	e, _ := body(t, w)["error"].(map[string]any)
	if w.Code != 400 || e["type"] != "invalid_request_error" || e["code"] != "invalid_input" || e["param"] != "size" || e["message"] != "size is bad" {
		t.Errorf("error = %v", e)
	}
	w, _ = serve(t, failing(fault.New(fault.Unauthenticated, "no")), "/v1/models")
	e, _ = body(t, w)["error"].(map[string]any)
	if w.Code != 401 || e["code"] != "invalid_api_key" || e["param"] != nil {
		t.Errorf("error = %v", e)
	}
	for code, want := range map[fault.Code]string{fault.ProviderFailed: "false", fault.Conflict: "false", fault.RateLimited: "", fault.Unavailable: ""} {
		w, _ = serve(t, failing(fault.New(code, "no")), "/v1/models")
		if got := w.Header().Get("X-Should-Retry"); got != want {
			t.Errorf("%s: X-Should-Retry = %q, want %q", code, got, want)
		}
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	seen := ""
	f := func(w http.ResponseWriter, r *http.Request) error {
		seen = httpapi.RequestID(r.Context())
		return httpapi.Write(w, http.StatusOK, map[string]string{})
	}
	for id, kept := range map[string]bool{"caller-id.1": true, "": false, "short": false, "with space": false, "<script>x": false, strings.Repeat("x", 129): false} {
		w, log := serve(t, f, "/api/x", "X-Request-Id", id)
		got := w.Header().Get("X-Request-Id")
		if got == "" || got != seen || (got == id) != kept || !strings.Contains(log, got) {
			t.Errorf("id %q: answered %q, seen %q", id, got, seen)
		}
	}
}

func TestPanicIsAnInternalError(t *testing.T) {
	t.Parallel()
	w, log := serve(t, func(http.ResponseWriter, *http.Request) error { panic("secret words") }, "/api/x")
	if m := body(t, w); w.Code != 500 || m["code"] != "internal" || strings.Contains(w.Body.String(), "secret words") {
		t.Errorf("answer = %d %v", w.Code, m)
	}
	if !strings.Contains(log, "secret words") || !strings.Contains(log, `"status":500`) {
		t.Errorf("log = %s", log)
	}
}

func TestPanicAfterTheFirstByteCutsTheConnection(t *testing.T) {
	t.Parallel()
	h := httpapi.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half"))
		panic("oh")
	}), slog.New(slog.DiscardHandler))
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("recovered %v, want http.ErrAbortHandler", err)
		}
	}()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
}

func TestSecurityHeadersAreOnEveryAnswer(t *testing.T) {
	t.Parallel()
	w, _ := serve(t, failing(fault.New(fault.NotFound, "no")), "/api/x")
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "X-Frame-Options": "DENY",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestDeadlineOfTheRequest(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	w := httptest.NewRecorder()
	httpapi.Fail(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil), context.DeadlineExceeded)
	if w.Code != http.StatusGatewayTimeout {
		t.Errorf("status = %d, want 504", w.Code)
	}
}

func TestARequestThatWasGivenUpIsNoFailureOfOurs(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	h := httpapi.Wrap(httpapi.Handler(func(_ http.ResponseWriter, r *http.Request) error {
		cancel()
		return fmt.Errorf("read: %w", r.Context().Err())
	}), slog.New(slog.NewJSONHandler(&lines, nil)))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	if w.Code == http.StatusInternalServerError || strings.Contains(lines.String(), "a request failed") {
		t.Errorf("status %d, log %s", w.Code, lines.String())
	}
}

func TestWhatFailsBecauseTheCallerLeftIsNoError(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	h := httpapi.Wrap(httpapi.Handler(failing(fault.New(fault.Unavailable, "busy").Because(context.Canceled))), slog.New(slog.NewJSONHandler(&lines, nil)))
	ctx, leave := context.WithCancel(t.Context())
	leave()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/x", nil))
	if log := lines.String(); strings.Contains(log, `"level":"ERROR"`) || !strings.Contains(log, "a request failed") {
		t.Errorf("log = %s", log)
	}
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]httpapi.Preference{
		"":                       {},
		"wait=5":                 {Wait: 5 * time.Second},
		"wait=0":                 {},
		"Wait = 5":               {Wait: 5 * time.Second},
		"wait=100000000000":      {Wait: 300 * time.Second},
		"wait=4000":              {Wait: 300 * time.Second},
		"wait=-1":                {},
		"wait=soon":              {},
		"respond-async":          {Async: true},
		"respond-async, wait=10": {Async: true, Wait: 10 * time.Second},
		"handling=lenient":       {},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Prefer", header)
		if got := httpapi.Prefer(r, 300*time.Second); got != want {
			t.Errorf("%q: %+v, want %+v", header, got, want)
		}
	}
}
