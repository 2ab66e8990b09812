package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"easel/shared/env"
)

func built() handler {
	return handler{policy: env.ConsolePolicy(), dist: fstest.MapFS{
		"index.html":           {Data: []byte("<!doctype html>")},
		"theme.js":             {Data: []byte("1")},
		"assets/index-abc.js":  {Data: []byte("2")},
		"assets/index-abc.css": {Data: []byte("3")},
		".keep":                {Data: []byte("placeholder")},
	}}
}

func get(h http.Handler, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

func TestHandler(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, method, path string
		status             int
		body, cache, kind  string
	}{
		{"the root is the page", "GET", "/", 200, "<!doctype html>", "no-store", "text/html; charset=utf-8"},
		{"the page's own name is the page", "GET", "/index.html", 200, "<!doctype html>", "no-store", "text/html; charset=utf-8"},
		{"a screen's path is the page", "GET", "/tasks/task_1", 200, "<!doctype html>", "no-store", "text/html; charset=utf-8"},
		{"an asset is cached for ever", "GET", "/assets/index-abc.js", 200, "2", "public, max-age=31536000, immutable", "text/javascript; charset=utf-8"},
		{"a style has its type", "GET", "/assets/index-abc.css", 200, "3", "public, max-age=31536000, immutable", "text/css; charset=utf-8"},
		{"a file without a hash is checked each time", "GET", "/theme.js", 200, "1", "no-cache", "text/javascript; charset=utf-8"},
		{"a missing asset is not the page", "GET", "/assets/index-old.js", 404, "", "no-store", ""},
		{"a missing file is not the page", "GET", "/robots.txt", 404, "", "no-store", ""},
		{"the placeholder is not served", "GET", "/.keep", 404, "", "no-store", ""},
		{"dots lead nowhere", "GET", "/assets/../../embed.go", 404, "", "no-store", ""},
		{"HEAD has no body", "HEAD", "/", 200, "", "no-store", "text/html; charset=utf-8"},
		{"nothing is written", "POST", "/", 405, "", "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := get(built(), c.method, c.path)
			if w.Code != c.status {
				t.Fatalf("status %d, want %d", w.Code, c.status)
			}
			if c.status == 200 && w.Body.String() != c.body {
				t.Errorf("body %q, want %q", w.Body, c.body)
			}
			if got := w.Header().Get("Cache-Control"); got != c.cache {
				t.Errorf("Cache-Control %q, want %q", got, c.cache)
			}
			if got := w.Header().Get("Content-Type"); c.kind != "" && got != c.kind {
				t.Errorf("Content-Type %q, want %q", got, c.kind)
			}
			if w.Header().Get("Content-Security-Policy") == "" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("security headers are missing: %v", w.Header())
			}
		})
	}
}

func TestThePageHasTheConsolesPolicy(t *testing.T) {
	t.Parallel()
	const assets = "https://assets.example.com"
	w := get(Handler(assets), "GET", "/tasks")
	if got := w.Header().Get("Content-Security-Policy"); got != env.ConsolePolicy(assets) {
		t.Errorf("the policy is %q", got)
	}
}

func TestHandlerSaysHowToBuild(t *testing.T) {
	t.Parallel()
	w := get(handler{dist: fstest.MapFS{".keep": {}}}, "GET", "/tasks")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make web") {
		t.Errorf("status %d, body %q", w.Code, w.Body)
	}
}

func TestHandlerServesWhatIsEmbedded(t *testing.T) {
	t.Parallel()
	if w := get(Handler(), "GET", "/"); w.Code != http.StatusOK && w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d", w.Code)
	}
}
