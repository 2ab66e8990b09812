package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"easel/shared/httpapi"
)

// named authenticates everybody as itself.
type named string

func (n named) Authenticate(*http.Request) (httpapi.Caller, error) {
	return httpapi.Caller{KeyID: string(n)}, nil
}

func TestATokenIsTakenToWhomItIsFor(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"Bearer esl_abcdefghijkl_0123": "keys", "Bearer eyJhbGciOi.x.y": "tokens", "Bearer hello": "tokens", "": "keys", "Basic eyJh": "keys",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Authorization", header)
		caller, err := httpapi.Either(named("keys"), named("tokens")).Authenticate(r)
		if err != nil || caller.KeyID != want {
			t.Errorf("%q went to %s, %v", header, caller.KeyID, err)
		}
		caller, err = httpapi.Either(named("keys"), nil).Authenticate(r)
		if err != nil || caller.KeyID != "keys" {
			t.Errorf("%q went to %s without an issuer", header, caller.KeyID)
		}
	}
}
