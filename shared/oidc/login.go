package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"easel/shared/fault"
)

// scopes is what the console asks the issuer for.
const scopes = "openid email"

// Form is what a browser needs to begin a login: authorization code with PKCE.
type Form struct {
	AuthorizationEndpoint, ClientID, Scope string
}

// Login is how people get a token that a [Verifier] accepts. It is safe for
// concurrent use.
type Login struct {
	options  Options
	issuer   *Issuer
	verifier *Verifier
}

// NewLogin returns a Login whose tokens verifier accepts. It opens no connection.
func NewLogin(o Options, issuer *Issuer, verifier *Verifier) *Login {
	return &Login{options: o, issuer: issuer, verifier: verifier}
}

// endpoints returns where people log in and where codes are traded.
func (l *Login) endpoints(ctx context.Context) (authorization, token string, err error) {
	if base := strings.TrimSuffix(l.options.AuthDomain, "/"); base != "" {
		return base + "/oauth2/authorize", base + "/oauth2/token", nil
	}
	d, err := l.issuer.discover(ctx)
	if err == nil && (d.Authorization == "" || d.Token == "") {
		err = fmt.Errorf("%w: it names no endpoints for logins", errIssuer)
	}
	return d.Authorization, d.Token, err
}

// Form says where the browser goes. It is an error when the issuer cannot be asked.
func (l *Login) Form(ctx context.Context) (Form, error) {
	authorization, _, err := l.endpoints(ctx)
	return Form{AuthorizationEndpoint: authorization, ClientID: l.options.ClientID, Scope: scopes}, err
}

// Exchange trades the code of a login for the person's id token, and says when it
// expires. Errors: Unauthenticated for a code or a token that is not good,
// Unavailable when the issuer cannot be asked.
func (l *Login) Exchange(ctx context.Context, code, verifier, redirectURI string) (string, time.Time, error) {
	_, endpoint, err := l.endpoints(ctx)
	if err != nil {
		return "", time.Time{}, unavailable(err)
	}
	token, err := l.trade(ctx, endpoint, url.Values{
		"grant_type": {"authorization_code"}, "client_id": {l.options.ClientID},
		"code": {code}, "code_verifier": {verifier}, "redirect_uri": {redirectURI},
	})
	if err != nil {
		return "", time.Time{}, err
	}
	claims, err := l.verifier.Verify(ctx, token)
	if err != nil {
		return "", time.Time{}, err
	}
	ends, err := claims.GetExpirationTime()
	if err != nil {
		return "", time.Time{}, invalid()
	}
	return token, ends.UTC(), nil
}

// trade sends the code once: it is good for one use.
func (l *Login) trade(ctx context.Context, endpoint string, form url.Values) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", unavailable(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	response, err := l.options.Client.Do(request)
	if err != nil {
		return "", unavailable(errors.New("oidc: the token endpoint does not answer"))
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusInternalServerError || response.StatusCode == http.StatusTooManyRequests {
		return "", unavailable(fmt.Errorf("oidc: the token endpoint answered %d", response.StatusCode))
	}
	if response.StatusCode != http.StatusOK {
		return "", fault.New(fault.Unauthenticated, "the identity provider does not accept the login; begin again")
	}
	var answer struct {
		IDToken string `json:"id_token"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxDocument)).Decode(&answer); err != nil || answer.IDToken == "" {
		return "", unavailable(errors.New("oidc: the token endpoint answered without an id token"))
	}
	return answer.IDToken, nil
}

func unavailable(cause error) error {
	e := fault.New(fault.Unavailable, "the identity provider cannot be reached")
	e.RetryAfter = retryAfter
	return e.Because(cause)
}
