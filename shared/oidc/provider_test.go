package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"easel/shared/oidc"
)

// provider is an identity provider on this machine.
type provider struct {
	t       *testing.T
	server  *httptest.Server
	rsa     *rsa.PrivateKey
	ecdsa   *ecdsa.PrivateKey
	now     atomic.Pointer[time.Time]
	fetches atomic.Int64 // of keys
	down    atomic.Bool
	mu      sync.Mutex
	keys    []map[string]any
	// issued is what the token endpoint answers.
	status int
	issued string
	form   map[string][]string
	other  string // overrides the issuer in the discovery document
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t, status: http.StatusOK}
	var err error
	if p.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if p.ecdsa, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	p.at(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	p.keys = []map[string]any{rsaKey("r1", &p.rsa.PublicKey), ecKey("e1", &p.ecdsa.PublicKey)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.published)
	mux.HandleFunc("POST /token", p.token)
	p.server = httptest.NewServer(mux)
	t.Cleanup(p.server.Close)
	return p
}

func (p *provider) at(now time.Time) { p.now.Store(&now) }
func (p *provider) clock() time.Time { return *p.now.Load() }
func (p *provider) pass(d time.Duration) {
	p.at(p.clock().Add(d))
}

func (p *provider) answer(w http.ResponseWriter, v any) {
	if p.down.Load() {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if err := json.NewEncoder(w).Encode(v); err != nil {
		p.t.Error(err)
	}
}

func (p *provider) discovery(w http.ResponseWriter, _ *http.Request) {
	issuer := p.server.URL
	if p.other != "" {
		issuer = p.other
	}
	p.answer(w, map[string]string{
		"issuer": issuer, "jwks_uri": p.server.URL + "/keys",
		"authorization_endpoint": p.server.URL + "/authorize", "token_endpoint": p.server.URL + "/token",
	})
}

func (p *provider) published(w http.ResponseWriter, _ *http.Request) {
	p.fetches.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer(w, map[string]any{"keys": p.keys})
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.t.Error(err)
	}
	p.form = r.PostForm
	w.WriteHeader(p.status)
	_, _ = fmt.Fprintf(w, `{"id_token":%q,"access_token":"x"}`, p.issued)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func rsaKey(id string, k *rsa.PublicKey) map[string]any {
	return map[string]any{
		"kty": "RSA", "kid": id, "use": "sig", "alg": "RS256", "n": encode(k.N.Bytes()), "e": encode(big.NewInt(int64(k.E)).Bytes()),
	}
}

func ecKey(id string, k *ecdsa.PublicKey) map[string]any {
	point, err := k.Bytes() // 4, x, y
	if err != nil {
		panic(err)
	}
	return map[string]any{"kty": "EC", "kid": id, "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])}
}

func (p *provider) options() oidc.Options {
	return oidc.Options{
		Issuer: p.server.URL, ClientID: "console", GroupClaim: "groups", AdminGroup: "admins", ViewerGroup: "viewers",
		Client: p.server.Client(), Now: p.clock,
	}
}

func (p *provider) verifier() *oidc.Verifier {
	o := p.options()
	return oidc.NewVerifier(o, oidc.NewIssuer(o))
}

// claims are those of a good token, with changes; a nil value removes one.
func (p *provider) claims(changes map[string]any) jwt.MapClaims {
	c := jwt.MapClaims{
		"iss": p.server.URL, "aud": "console", "sub": "person-1", "exp": p.clock().Add(time.Hour).Unix(),
		"iat": p.clock().Unix(), "groups": []string{"admins"},
	}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func (p *provider) sign(method jwt.SigningMethod, id string, key any, c jwt.MapClaims) string {
	p.t.Helper()
	token := jwt.NewWithClaims(method, c)
	if id != "" {
		token.Header["kid"] = id
	}
	text, err := token.SignedString(key)
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

func (p *provider) good(changes map[string]any) string {
	p.t.Helper()
	return p.sign(jwt.SigningMethodRS256, "r1", p.rsa, p.claims(changes))
}

func request(t *testing.T, token string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/admin/session", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}
