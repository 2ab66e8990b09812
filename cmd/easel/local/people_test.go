package local_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"easel/cmd/easel/local"
	"easel/shared/env"
)

// issuer is an identity provider on this machine.
type issuer struct {
	*httptest.Server
	t   *testing.T
	key *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: key}
	mux := http.NewServeMux()
	answer := func(path string, value func() any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(value()) })
	}
	answer("/.well-known/openid-configuration", func() any { return map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/keys"} })
	encode := base64.RawURLEncoding.EncodeToString
	answer("/keys", func() any {
		return map[string]any{"keys": []map[string]string{{
			"kty": "EC", "kid": "k", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:]),
		}}}
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

// token is one for a person, with further claims.
func (i *issuer) token(application string, more jwt.MapClaims) string {
	i.t.Helper()
	claims := jwt.MapClaims{"iss": i.URL, "aud": application, "sub": "person-1", "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(claims, more)
	token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	token.Header["kid"] = "k"
	text, err := token.SignedString(i.key)
	if err != nil {
		i.t.Fatal(err)
	}
	return text
}

// The console's tokens and the callers' are of two applications, and neither
// opens what the other does.
func TestPeopleUseTheGatewayByTokens(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	g := startWith(t, func(o *local.Options) {
		o.OIDC = env.OIDC{
			Issuer: i.URL, ClientID: "console", GroupClaim: "groups", AdminGroup: "admins",
			AccountClaim: "account", CallerClientID: "app", CallerRate: 2,
		}
	})
	as := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
	operator := as(i.token("console", jwt.MapClaims{"groups": []string{"admins"}}))
	caller := as(i.token("app", jwt.MapClaims{"account": g.Account}))
	for name, test := range map[string]struct {
		path    string
		headers []string
		want    int
	}{
		"an operator in the console":        {"/api/admin/session", operator, http.StatusOK},
		"an operator as a caller":           {"/api/account", operator, http.StatusUnauthorized},
		"a caller":                          {"/api/account", caller, http.StatusOK},
		"a caller of OpenAI's routes":       {"/v1/models", caller, http.StatusOK},
		"a caller in the console":           {"/api/admin/session", caller, http.StatusUnauthorized},
		"a caller whose token has no claim": {"/api/account", as(i.token("app", nil)), http.StatusForbidden},
		"a caller for another account":      {"/api/account", append([]string{"X-Easel-Account", "other"}, caller...), http.StatusForbidden},
	} {
		if status, body := g.call(http.MethodGet, test.path, nil, test.headers...); status != test.want {
			t.Errorf("%s was answered %d: %s", name, status, body)
		}
	}
	statuses := make([]int, 0, 3)
	for range 3 {
		status, _ := g.call(http.MethodPost, "/api/generate", map[string]string{"prompt": "a lighthouse"}, append([]string{"Prefer", "respond-async"}, caller...)...)
		statuses = append(statuses, status)
	}
	if statuses[0] != http.StatusAccepted || statuses[2] != http.StatusTooManyRequests {
		t.Errorf("with a rate of two a minute the requests were answered %v", statuses)
	}
}
