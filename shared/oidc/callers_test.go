package oidc_test

import (
	"slices"
	"testing"

	"easel/shared/apikey"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/oidc"
)

func TestCallersByToken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		changes map[string]any
		claim   string
		account string // "" is refused
		code    fault.Code
	}{
		"an account by its claim":          {map[string]any{"groups": []string{"makers"}, "account": "acme"}, "account", "acme", ""},
		"an account below another claim":   {map[string]any{"groups": []string{"makers"}, "easel": map[string]any{"account": "acme"}}, "easel.account", "acme", ""},
		"a claim of Cognito":               {map[string]any{"groups": []string{"makers"}, "custom:account": "acme"}, "custom:account", "acme", ""},
		"the person's own account":         {map[string]any{"groups": []string{"makers"}}, "sub", "person-1", ""},
		"no account":                       {map[string]any{"groups": []string{"makers"}}, "account", "", fault.Forbidden},
		"two accounts":                     {map[string]any{"groups": []string{"makers"}, "account": []string{"a", "b"}}, "account", "", fault.Forbidden},
		"an account that is no name":       {map[string]any{"groups": []string{"makers"}, "account": "a#b"}, "account", "", fault.Forbidden},
		"nobody in the group":              {map[string]any{"groups": []string{"admins"}, "account": "acme"}, "account", "", fault.Forbidden},
		"a token of another application":   {map[string]any{"groups": []string{"makers"}, "account": "acme", "aud": "shop"}, "account", "", fault.Unauthenticated},
		"a token that ended an hour ago":   {map[string]any{"groups": []string{"makers"}, "account": "acme", "exp": 1772362800}, "account", "", fault.Unauthenticated},
		"a token without a person, or app": {map[string]any{"groups": []string{"makers"}, "account": "acme", "sub": nil}, "account", "", fault.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			callers := oidc.NewCallers(p.verifier(), oidc.CallerOptions{Account: test.claim, Group: "makers", RatePerMinute: 30})
			c, err := callers.Authenticate(request(t, p.good(test.changes)))
			if fault.CodeOf(err) != test.code && err != nil || (err == nil) != (test.account != "") {
				t.Fatalf("error = %v, want %q", err, test.code)
			}
			if err != nil {
				return
			}
			if c.Account != test.account || c.User != "person-1" || c.KeyID != "oidc:person-1" || c.RatePerMinute != 30 {
				t.Errorf("caller %+v", c)
			}
			if !slices.Equal(c.Scopes, []apikey.Scope{apikey.Generate}) || c.May(apikey.Viewer) || c.May(apikey.ActAs) {
				t.Errorf("scopes %v", c.Scopes)
			}
		})
	}
}

func TestACallersTokenIsForNoOtherAccount(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	r := request(t, p.good(map[string]any{"account": "acme"}))
	callers := oidc.NewCallers(p.verifier(), oidc.CallerOptions{Account: "account"})
	r.Header.Set(httpapi.AccountHeader, "other")
	if _, err := callers.Authenticate(r); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("another account: %v", err)
	}
	r.Header.Set(httpapi.AccountHeader, "acme")
	if c, err := callers.Authenticate(r); err != nil || c.Account != "acme" {
		t.Errorf("its own: %+v, %v", c, err)
	}
}
