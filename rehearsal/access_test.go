package rehearsal_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"easel/shared/env"
)

func TestTheFirstAdminGetsInWithTheDeploymentsSecret(t *testing.T) {
	t.Parallel()
	s := deploy(t)
	const secret = "0123456789abcdefghijABCDEFGHIJ0123456789abcd"
	s.PutSecret(env.AdminKeySecret, secret)
	key := "esl_" + env.AdminKeyID + "_" + secret
	if a := s.ask(http.MethodGet, "/api/task", key, nil); a.status != http.StatusUnauthorized {
		t.Errorf("a function that may not read the secret answered %d", a.status)
	}
	wrong := "esl_" + env.AdminKeyID + "_" + secret[1:] + "x"
	if a := s.ask(http.MethodGet, "/api/admin/configs", wrong, nil); a.status != http.StatusUnauthorized {
		t.Errorf("another secret was answered %d", a.status)
	}
	if a := s.ask(http.MethodGet, "/api/admin/configs", key, nil); a.status != http.StatusOK {
		t.Errorf("answered %d: %s", a.status, a.body)
	}
	if a := s.ask(http.MethodGet, "/api/admin/session", "eyJhbGciOiJub25lIn0.e30.", nil); a.status != http.StatusUnauthorized {
		t.Errorf("a token that nobody signed was answered %d: %s", a.status, a.body)
	}
	stored, err := s.Store.Key(t.Context(), env.AdminKeyID)
	if err != nil || stored.Hash == "" || stored.Hash == secret {
		t.Errorf("stored %+v, %v", stored, err)
	}
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// TestOnlyHealthAndWebhooksAreOpen asks every route of the template without a key.
// The gateway in front checks none, so each function has to.
func TestOnlyHealthAndWebhooksAreOpen(t *testing.T) {
	t.Parallel()
	s := deploy(t)
	open := map[string]int{
		"GET /healthz": http.StatusOK,
		// Its key is the signature; the path names no task.
		"POST /api/webhooks/{provider}": http.StatusNotFound,
	}
	routes := s.Routes()
	if len(routes) < 25 {
		t.Fatalf("the template has %d routes", len(routes))
	}
	for _, route := range routes {
		method, path, _ := strings.Cut(strings.Replace(route, "ANY ", "POST ", 1), " ")
		path = placeholder.ReplaceAllString(strings.ReplaceAll(path, "{proxy+}", "configs"), "x")
		want, isOpen := open[route]
		if !isOpen {
			want = http.StatusUnauthorized
		}
		delete(open, route)
		if a := s.ask(method, path, "", nil); a.status != want {
			t.Errorf("%s was answered %d without a key: %s", route, a.status, a.body)
		}
	}
	for route := range open {
		t.Errorf("the template has no %s", route)
	}
}
