package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"easel/shared/apikey"
	"easel/shared/fault"
	"easel/shared/oidc"
)

func TestGoodTokens(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		changes map[string]any
		claim   string
		scope   apikey.Scope
		user    string
	}{
		"an admin":                   {nil, "", apikey.Admin, "person-1"},
		"a viewer":                   {map[string]any{"groups": []string{"staff", "viewers"}}, "", apikey.Viewer, "person-1"},
		"one of both is an admin":    {map[string]any{"groups": []string{"viewers", "admins"}}, "", apikey.Admin, "person-1"},
		"a single group as text":     {map[string]any{"groups": "viewers"}, "", apikey.Viewer, "person-1"},
		"a verified address":         {map[string]any{"email": "a@example.com", "email_verified": true}, "", apikey.Admin, "a@example.com"},
		"an address of anybody":      {map[string]any{"email": "a@example.com"}, "", apikey.Admin, "person-1"},
		"Cognito's access token":     {map[string]any{"aud": nil, "client_id": "console", "token_use": "access"}, "", apikey.Admin, "person-1"},
		"several applications":       {map[string]any{"aud": []string{"console", "other"}, "azp": "console"}, "", apikey.Admin, "person-1"},
		"groups below another claim": {map[string]any{"groups": nil, "realm": map[string]any{"roles": []string{"admins"}}}, "realm.roles", apikey.Admin, "person-1"},
		"a claim with dots":          {map[string]any{"groups": nil, "https://x.y/roles": []string{"viewers"}}, "https://x.y/roles", apikey.Viewer, "person-1"},
		"a clock a little behind":    {map[string]any{"nbf": float64(1772366400 + 30)}, "", apikey.Admin, "person-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			o := p.options()
			if test.claim != "" {
				o.GroupClaim = test.claim
			}
			caller, err := oidc.NewVerifier(o, oidc.NewIssuer(o)).Authenticate(request(t, p.good(test.changes)))
			if err != nil {
				t.Fatal(err)
			}
			if len(caller.Scopes) != 1 || caller.Scopes[0] != test.scope || caller.User != test.user || caller.Account != "" {
				t.Errorf("caller %+v", caller)
			}
		})
	}
}

func TestATokenSignedWithAnEllipticCurve(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	if _, err := p.verifier().Authenticate(request(t, p.sign(jwt.SigningMethodES256, "e1", p.ecdsa, p.claims(nil)))); err != nil {
		t.Error(err)
	}
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]func(p *provider) string{
		"no signature": func(p *provider) string {
			return p.sign(jwt.SigningMethodNone, "r1", jwt.UnsafeAllowNoneSignatureType, p.claims(nil))
		},
		"the public key as a secret": func(p *provider) string {
			der, err := x509.MarshalPKIXPublicKey(&p.rsa.PublicKey)
			if err != nil {
				p.t.Fatal(err)
			}
			return p.sign(jwt.SigningMethodHS256, "r1", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), p.claims(nil))
		},
		"the modulus as a secret": func(p *provider) string {
			return p.sign(jwt.SigningMethodHS256, "r1", p.rsa.N.Bytes(), p.claims(nil))
		},
		"another algorithm of the same key": func(p *provider) string {
			return p.sign(jwt.SigningMethodRS512, "r1", p.rsa, p.claims(nil))
		},
		"a key of another kind":   func(p *provider) string { return p.sign(jwt.SigningMethodES256, "r1", p.ecdsa, p.claims(nil)) },
		"a stranger's key":        func(p *provider) string { return p.sign(jwt.SigningMethodRS256, "r1", stranger, p.claims(nil)) },
		"an unknown key":          func(p *provider) string { return p.sign(jwt.SigningMethodRS256, "r9", stranger, p.claims(nil)) },
		"no key named":            func(p *provider) string { return p.sign(jwt.SigningMethodRS256, "", p.rsa, p.claims(nil)) },
		"another issuer":          func(p *provider) string { return p.good(map[string]any{"iss": "https://evil.example"}) },
		"no issuer":               func(p *provider) string { return p.good(map[string]any{"iss": nil}) },
		"another application":     func(p *provider) string { return p.good(map[string]any{"aud": "shop"}) },
		"no application":          func(p *provider) string { return p.good(map[string]any{"aud": nil}) },
		"another client":          func(p *provider) string { return p.good(map[string]any{"aud": nil, "client_id": "shop"}) },
		"asked for by another":    func(p *provider) string { return p.good(map[string]any{"azp": "shop"}) },
		"shared with another":     func(p *provider) string { return p.good(map[string]any{"aud": []string{"console", "shop"}}) },
		"aud wins over client_id": func(p *provider) string { return p.good(map[string]any{"aud": "shop", "client_id": "console"}) },
		"expired": func(p *provider) string {
			return p.good(map[string]any{"exp": p.clock().Add(-61 * time.Second).Unix()})
		},
		"no end":                    func(p *provider) string { return p.good(map[string]any{"exp": nil}) },
		"an end that is no number":  func(p *provider) string { return p.good(map[string]any{"exp": "never"}) },
		"an end in a hundred years": func(p *provider) string { return p.good(map[string]any{"exp": p.clock().AddDate(100, 0, 0).Unix()}) },
		"not valid yet":             func(p *provider) string { return p.good(map[string]any{"nbf": p.clock().Add(2 * time.Minute).Unix()}) },
		"nobody":                    func(p *provider) string { return p.good(map[string]any{"sub": ""}) },
		"a refresh token":           func(p *provider) string { return p.good(map[string]any{"token_use": "refresh"}) },
		"a changed payload":         func(p *provider) string { return tampered(p.good(map[string]any{"groups": nil})) },
		"two parts":                 func(p *provider) string { return strings.Join(strings.Split(p.good(nil), ".")[:2], ".") },
		"a huge token":              func(p *provider) string { return p.good(map[string]any{"pad": strings.Repeat("a", 20<<10)}) },
		"not a token":               func(*provider) string { return "hello" },
		"the fields of another key": func(p *provider) string { return withHeader(p, "jwk", rsaKey("r1", &stranger.PublicKey), stranger) },
		"an address for the keys":   func(p *provider) string { return withHeader(p, "jku", "https://evil.example/keys", stranger) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			caller, err := p.verifier().Authenticate(request(t, token(p)))
			if fault.CodeOf(err) != fault.Unauthenticated {
				t.Errorf("got %+v, %v", caller, err)
			}
		})
	}
}

// tampered replaces the payload and keeps the signature.
func tampered(token string) string {
	parts := strings.Split(token, ".")
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	parts[1] = encode([]byte(strings.Replace(string(payload), `{`, `{"groups":["admins"],`, 1)))
	return strings.Join(parts, ".")
}

func withHeader(p *provider, name string, value any, key *rsa.PrivateKey) string {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, p.claims(nil))
	token.Header["kid"], token.Header[name] = "r1", value
	text, err := token.SignedString(key)
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

func TestAPersonInNoGroupIsForbidden(t *testing.T) {
	t.Parallel()
	for _, groups := range []any{nil, []string{"staff"}, []string{""}, "admins,viewers", 7, map[string]any{"admins": true}} {
		p := newProvider(t)
		_, err := p.verifier().Authenticate(request(t, p.good(map[string]any{"groups": groups})))
		if fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("%v: %v", groups, err)
		}
	}
}

func TestAFloodOfUnknownKeysAsksTheIssuerOnceAMinute(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	v := p.verifier()
	if p.fetches.Load() != 0 {
		t.Error("keys were read before the first token")
	}
	flood := func() {
		var requests sync.WaitGroup
		for i := range 100 {
			token := p.sign(jwt.SigningMethodRS256, fmt.Sprintf("made-up-%d", i), p.rsa, p.claims(nil))
			requests.Go(func() {
				if _, err := v.Authenticate(request(t, token)); fault.CodeOf(err) != fault.Unauthenticated {
					t.Error(err)
				}
			})
		}
		requests.Wait()
	}
	flood()
	if n := p.fetches.Load(); n != 1 {
		t.Errorf("%d reads", n)
	}
	p.pass(61 * time.Second)
	flood()
	if n := p.fetches.Load(); n != 2 {
		t.Errorf("%d reads in two minutes", n)
	}
	if _, err := v.Authenticate(request(t, p.good(nil))); err != nil {
		t.Errorf("the flood keeps people out: %v", err)
	}
}

func TestARotatedKeyIsFoundAndAWithdrawnOneForgotten(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	v := p.verifier()
	old := p.good(nil)
	if _, err := v.Authenticate(request(t, old)); err != nil {
		t.Fatal(err)
	}
	next, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.keys = []map[string]any{rsaKey("r2", &next.PublicKey)}
	p.mu.Unlock()
	p.pass(61 * time.Second)
	if _, err := v.Authenticate(request(t, p.sign(jwt.SigningMethodRS256, "r2", next, p.claims(nil)))); err != nil {
		t.Errorf("the new key: %v", err)
	}
	if _, err := v.Authenticate(request(t, old)); fault.CodeOf(err) != fault.Unauthenticated {
		t.Errorf("the withdrawn key: %v", err)
	}
}

func TestAnIssuerThatIsDown(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	v := p.verifier()
	p.down.Store(true)
	if _, err := v.Authenticate(request(t, p.good(nil))); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("before any key is known: %v", err)
	}
	p.down.Store(false)
	p.pass(6 * time.Second)
	if _, err := v.Authenticate(request(t, p.good(nil))); err != nil {
		t.Fatalf("it did not come back: %v", err)
	}
	p.down.Store(true)
	p.pass(16 * time.Minute)
	if _, err := v.Authenticate(request(t, p.good(nil))); err != nil {
		t.Errorf("known keys were forgotten at once: %v", err)
	}
	p.pass(30 * time.Minute)
	if _, err := v.Authenticate(request(t, p.good(nil))); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("old keys are believed for ever: %v", err)
	}
}

func TestKeysThatAreNotUsed(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this build of Go makes no weak keys:", err)
	}
	p := newProvider(t)
	encryption := rsaKey("enc", &p.rsa.PublicKey)
	encryption["use"] = "enc"
	p.keys = append(p.keys, rsaKey("weak", &weak.PublicKey), encryption, map[string]any{"kty": "oct", "kid": "secret", "k": encode([]byte("s"))})
	v := p.verifier()
	for id, token := range map[string]string{
		"weak":   p.sign(jwt.SigningMethodRS256, "weak", weak, p.claims(nil)),
		"enc":    p.sign(jwt.SigningMethodRS256, "enc", p.rsa, p.claims(nil)),
		"secret": p.sign(jwt.SigningMethodHS256, "secret", []byte("s"), p.claims(nil)),
	} {
		if _, err := v.Authenticate(request(t, token)); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestADiscoveryDocumentOfAnotherIssuerIsNotBelieved(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.other = "https://evil.example"
	if _, err := p.verifier().Authenticate(request(t, p.good(nil))); fault.CodeOf(err) != fault.Unavailable {
		t.Error(err)
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	o := p.options()
	issuer := oidc.NewIssuer(o)
	login := oidc.NewLogin(o, issuer, oidc.NewVerifier(o, issuer))
	form, err := login.Form(t.Context())
	if err != nil || form.AuthorizationEndpoint != p.server.URL+"/authorize" || form.ClientID != "console" || !strings.Contains(form.Scope, "openid") {
		t.Fatalf("%+v, %v", form, err)
	}
	p.issued = p.good(nil)
	token, ends, err := login.Exchange(t.Context(), "code-1", "verifier-1", "https://console.example/")
	if err != nil || token != p.issued || !ends.Equal(p.clock().Add(time.Hour)) {
		t.Errorf("token until %v, %v", ends, err)
	}
	for name, want := range map[string]string{
		"grant_type": "authorization_code", "code": "code-1", "code_verifier": "verifier-1",
		"redirect_uri": "https://console.example/", "client_id": "console",
	} {
		if got := p.form[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s = %q", name, got)
		}
	}
	for name, test := range map[string]struct {
		status int
		issued string
		want   fault.Code
	}{
		"a code that was used":      {http.StatusBadRequest, "", fault.Unauthenticated},
		"a token of somebody else":  {http.StatusOK, p.good(map[string]any{"aud": "shop"}), fault.Unauthenticated},
		"no token":                  {http.StatusOK, "", fault.Unavailable},
		"an issuer that is down":    {http.StatusBadGateway, "", fault.Unavailable},
		"an issuer that is flooded": {http.StatusTooManyRequests, "", fault.Unavailable},
	} {
		p.status, p.issued = test.status, test.issued
		if _, _, err := login.Exchange(t.Context(), "c", "v", "r"); fault.CodeOf(err) != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheLoginPagesOfAPool(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	o := p.options()
	o.AuthDomain = "https://login.example/"
	p.down.Store(true)
	form, err := oidc.NewLogin(o, oidc.NewIssuer(o), nil).Form(t.Context())
	if err != nil || form.AuthorizationEndpoint != "https://login.example/oauth2/authorize" {
		t.Errorf("%+v, %v", form, err)
	}
}
