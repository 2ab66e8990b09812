// Package oidc lets people use the gateway with the tokens of an identity
// provider (OpenID Connect), beside API keys.
//
// A [Verifier] checks tokens with the keys that the issuer publishes, and a
// [Login] trades the code of a browser's login for such a token.
package oidc

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"easel/shared/apikey"
	"easel/shared/fault"
	"easel/shared/httpapi"
)

const (
	// leeway is how far the issuer's clock may be from ours.
	leeway = time.Minute
	// maxToken bounds what is parsed at all.
	maxToken = 16 << 10
	maxName  = 256
	// maxLifetime bounds how far away the end of a token may be believed to be.
	maxLifetime = 7 * 24 * time.Hour
)

// algorithms are the signatures that are accepted. All are of public keys, so that
// nobody can sign with what the issuer publishes.
func algorithms() []string { return []string{"RS256", "ES256"} }

// Options say whose tokens are accepted, and what for. All are required but where
// it says so.
type Options struct {
	// Issuer is the URL that tokens name in iss, and where discovery starts.
	Issuer string
	// ClientID is the application that tokens must be for.
	ClientID string
	// GroupClaim lists a person's groups: a claim's name, or a path through objects
	// with dots between the names, such as "realm_access.roles".
	GroupClaim string
	// AdminGroup and ViewerGroup may use the admin API; an empty one is nobody.
	AdminGroup, ViewerGroup string
	// AuthDomain is the base URL of the login pages of a Cognito pool; "" asks the
	// issuer's discovery document.
	AuthDomain string
	// Client reaches the issuer.
	Client *http.Client
	Now    func() time.Time
}

// Verifier authenticates requests by OIDC tokens. It asks the issuer for nothing
// before it sees the first token. It is safe for concurrent use.
type Verifier struct {
	options Options
	keys    *keySet
	parser  *jwt.Parser
}

// NewVerifier returns a Verifier. It opens no connection. Two that are to share
// their knowledge of the issuer share issuer.
func NewVerifier(o Options, issuer *Issuer) *Verifier {
	return &Verifier{
		options: o,
		keys:    &keySet{issuer: issuer, now: o.Now},
		parser: jwt.NewParser(
			jwt.WithValidMethods(algorithms()), jwt.WithIssuer(o.Issuer), jwt.WithExpirationRequired(),
			jwt.WithLeeway(leeway), jwt.WithTimeFunc(o.Now),
		),
	}
}

var _ httpapi.Authenticator = (*Verifier)(nil)

// Authenticate returns the person that the request's token names, with the scopes
// of the person's groups. Errors: Unauthenticated for a token that is not good,
// Forbidden for a good one of a person in none of the groups, Unavailable when the
// issuer's keys cannot be had.
func (v *Verifier) Authenticate(r *http.Request) (httpapi.Caller, error) {
	token, err := httpapi.Bearer(r)
	if err != nil {
		return httpapi.Caller{}, err
	}
	claims, err := v.Verify(r.Context(), token)
	if err != nil {
		return httpapi.Caller{}, err
	}
	scope, ok := v.scope(claims)
	if !ok {
		return httpapi.Caller{}, fault.New(fault.Forbidden, "your account is in no group that may use this")
	}
	return httpapi.Caller{KeyID: keyID(claims), User: person(claims), Scopes: []apikey.Scope{scope}}, nil
}

// Verify returns the claims of a good token: signed by the issuer, for this
// application, not expired, and of a person.
func (v *Verifier) Verify(ctx context.Context, token string) (jwt.MapClaims, error) {
	if len(token) > maxToken {
		return nil, invalid()
	}
	claims := jwt.MapClaims{}
	_, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) { return v.keys.find(ctx, t) })
	if errors.Is(err, errIssuer) {
		return nil, unavailable(err)
	}
	if err != nil || !v.accepts(claims) {
		return nil, invalid()
	}
	return claims, nil
}

// invalid is the one answer to every token that is not good. It says nothing more,
// and is not logged as a failure, because anybody can send one.
func invalid() error { return fault.New(fault.Unauthenticated, "the token is not valid") }

// accepts looks at what the parser does not: the application, the person, and the
// use and life of the token.
func (v *Verifier) accepts(claims jwt.MapClaims) bool {
	subject, ok := claims["sub"].(string)
	use, hasUse := claims["token_use"]
	ends, err := claims.GetExpirationTime()
	return ok && subject != "" && len(subject) <= maxName && v.forUs(claims) &&
		(!hasUse || use == "id" || use == "access") &&
		err == nil && ends != nil && !ends.After(v.options.Now().Add(maxLifetime))
}

// forUs reports whether the token is for our application: by aud, or, in the access
// tokens of Cognito, which have none, by client_id. A token for several
// applications must have been asked for by ours.
func (v *Verifier) forUs(claims jwt.MapClaims) bool {
	audience, err := claims.GetAudience()
	if err != nil {
		return false
	}
	if len(audience) == 0 {
		return v.options.ClientID != "" && claims["client_id"] == v.options.ClientID
	}
	if azp, ok := claims["azp"]; ok && azp != v.options.ClientID {
		return false
	}
	if _, ok := claims["azp"]; !ok && len(audience) > 1 {
		return false
	}
	return v.options.ClientID != "" && slices.Contains(audience, v.options.ClientID)
}

// scope is what the person's groups may do.
func (v *Verifier) scope(claims jwt.MapClaims) (apikey.Scope, bool) {
	groups := groupsOf(claims, v.options.GroupClaim)
	in := func(group string) bool { return group != "" && slices.Contains(groups, group) }
	switch {
	case in(v.options.AdminGroup):
		return apikey.Admin, true
	case in(v.options.ViewerGroup):
		return apikey.Viewer, true
	default:
		return "", false
	}
}

// groupsOf reads a claim that is a name or a list of names. A claim of exactly the
// name wins over a path, because names may have dots in them.
func groupsOf(claims map[string]any, name string) []string {
	value, ok := claims[name]
	if !ok {
		head, rest, isPath := strings.Cut(name, ".")
		inner, isObject := claims[head].(map[string]any)
		if !isPath || !isObject {
			return nil
		}
		return groupsOf(inner, rest)
	}
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		groups := make([]string, 0, len(value))
		for _, one := range value {
			if group, ok := one.(string); ok {
				groups = append(groups, group)
			}
		}
		return groups
	default:
		return nil
	}
}

// keyID stands where a key's id would.
func keyID(claims jwt.MapClaims) string {
	subject, _ := claims["sub"].(string)
	return "oidc:" + subject
}

// person is how the audit trail names the person: the address where the issuer has
// verified it, else the issuer's own id.
func person(claims jwt.MapClaims) string {
	email, _ := claims["email"].(string)
	if verified, _ := claims["email_verified"].(bool); verified && email != "" && len(email) <= maxName {
		return email
	}
	subject, _ := claims["sub"].(string)
	return subject
}
