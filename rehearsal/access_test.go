package rehearsal_test

import (
	"net/http"
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
