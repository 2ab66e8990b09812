package adminapi_test

import (
	"net/http"
	"strings"
	"testing"

	"easel/functions/admin/adminapi"
)

// filled gives a pattern's wildcards values, so that it can be requested.
func filled(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	return method, strings.NewReplacer("{id}", "some", "{name}", "some").Replace(path)
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	patterns := adminapi.RoutePatterns()
	if len(patterns) < 40 {
		t.Fatalf("only %d routes are known", len(patterns))
	}
	for _, pattern := range patterns {
		method, path := filled(pattern)
		if a := w.as("", method, path, ""); a.Status != http.StatusUnauthorized {
			t.Errorf("%s without a key: %d", pattern, a.Status)
		}
		if a := w.as("esl_aaaaaaaaaaaa_"+strings.Repeat("x", 40), method, path, ""); a.Status != http.StatusUnauthorized {
			t.Errorf("%s with a wrong key: %d", pattern, a.Status)
		}
		if a := w.as(w.caller, method, path, ""); a.Status != http.StatusForbidden {
			t.Errorf("%s with a caller's key: %d", pattern, a.Status)
		}
		a := w.as(w.viewer, method, path, "")
		if method == http.MethodGet && (a.Status == http.StatusForbidden || a.Status >= 500) {
			t.Errorf("%s as a viewer: %d %s", pattern, a.Status, a.Body)
		}
		if method != http.MethodGet && a.Status != http.StatusForbidden {
			t.Errorf("%s as a viewer: %d, want 403", pattern, a.Status)
		}
		if a := w.do(method, path, ""); a.Status == http.StatusForbidden && path != "/api/admin/configs/some/reveal" || a.Status >= 500 {
			t.Errorf("%s as an admin: %d %s", pattern, a.Status, a.Body)
		}
	}
}

func TestWhatIsNotThereIsHiddenFromCallers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/api/admin/", "/api/admin/nothing", "/api/admin/configs/a/b/c"} {
		for _, method := range []string{"GET", "PUT", "OPTIONS", "HEAD", "TRACE"} {
			if a := w.as(w.caller, method, path, ""); a.Status != http.StatusForbidden {
				t.Errorf("%s %s with a caller's key: %d", method, path, a.Status)
			}
		}
	}
	w.do("GET", "/api/admin/nothing", "").want(http.StatusNotFound)
	if a := w.do("DELETE", "/api/admin/health", "").want(http.StatusMethodNotAllowed); a.Header.Get("Allow") == "" {
		t.Error("405 without Allow")
	}
}

func TestLoginNeedsNoKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if o := w.as("", "GET", "/api/admin/login", "").want(http.StatusOK).object(); o["version"] != "0.0.1" || o["oidc"] != nil {
		t.Errorf("got %v", o)
	}
	w.as("", "POST", "/api/admin/login/oidc", `{"code":"a"}`).want(http.StatusNotFound)
	s := w.do("GET", "/api/admin/session", "").want(http.StatusOK).object()
	if s["role"] != "admin" || s["name"] != "admin" || s["key_id"] == nil {
		t.Errorf("got %v", s)
	}
	if s := w.as(w.viewer, "GET", "/api/admin/session", "").want(http.StatusOK).object(); s["role"] != "viewer" {
		t.Errorf("got %v", s)
	}
	w.do("GET", "/api/admin/settings", "").want(http.StatusOK)
	if p := w.do("GET", "/api/admin/providers", "").want(http.StatusOK).data(); len(p) != 1 || p[0]["name"] != "openai" {
		t.Errorf("got %v", p)
	}
}
