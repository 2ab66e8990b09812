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

// meter is a named that also counts.
type meter struct {
	named
	httpapi.Meter
}

func TestWhoComesWithATokenIsHeldToTheSameRates(t *testing.T) {
	t.Parallel()
	if _, ok := httpapi.Either(meter{named: "keys"}, named("tokens")).(httpapi.Meter); !ok {
		t.Error("beside tokens the keys' rates are forgotten")
	}
	if _, ok := httpapi.Either(named("keys"), named("tokens")).(httpapi.Meter); ok {
		t.Error("rates come from nowhere")
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer eyJhbGciOi.x.y")
	if caller, err := httpapi.Either(meter{named: "keys"}, named("tokens")).Authenticate(r); err != nil || caller.KeyID != "tokens" {
		t.Errorf("the token went to %s, %v", caller.KeyID, err)
	}
}
