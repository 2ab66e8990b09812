package app

import (
	"cmp"
	"net/http"
	"time"

	"easel/shared/env"
	"easel/shared/httpapi"
	"easel/shared/oidc"
)

// People returns what accepts the tokens of the issuer that a deployment names,
// and how people get one in a browser. Both are nil where it names none. client
// reaches the issuer, which is asked for nothing yet.
func People(o env.OIDC, client *http.Client, now func() time.Time) (*oidc.Verifier, *oidc.Login) {
	if o.Issuer == "" || o.ClientID == "" {
		return nil, nil
	}
	options := issuerOptions(o, client, now)
	issuer := oidc.NewIssuer(options)
	verifier := oidc.NewVerifier(options, issuer)
	return verifier, oidc.NewLogin(options, issuer, verifier)
}

func issuerOptions(o env.OIDC, client *http.Client, now func() time.Time) oidc.Options {
	return oidc.Options{
		Issuer: o.Issuer, ClientID: o.ClientID, GroupClaim: o.GroupClaim,
		AdminGroup: o.AdminGroup, ViewerGroup: o.ViewerGroup, AuthDomain: o.AuthDomain,
		Client: client, Now: now,
	}
}

// Callers returns what lets callers in: keys, and, where o says which claim names
// the account that pays, the issuer's tokens too. client reaches the issuer.
func (a *App) Callers(o env.OIDC, client *http.Client) httpapi.Authenticator { //nolint:ireturn // chosen by configuration
	o.ClientID = cmp.Or(o.CallerClientID, o.ClientID)
	if o.AccountClaim == "" || o.Issuer == "" || o.ClientID == "" {
		return a.Auth()
	}
	options := issuerOptions(o, client, a.Now)
	return httpapi.Either(a.Auth(), oidc.NewCallers(oidc.NewVerifier(options, oidc.NewIssuer(options)), oidc.CallerOptions{
		Account: o.AccountClaim, Group: o.CallerGroup, RatePerMinute: o.CallerRate,
	}))
}
