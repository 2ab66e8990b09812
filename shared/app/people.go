package app

import (
	"net/http"
	"time"

	"easel/shared/env"
	"easel/shared/oidc"
)

// People returns what accepts the tokens of the issuer that a deployment names,
// and how people get one in a browser. Both are nil where it names none. client
// reaches the issuer, which is asked for nothing yet.
func People(o env.OIDC, client *http.Client, now func() time.Time) (*oidc.Verifier, *oidc.Login) {
	if o.Issuer == "" || o.ClientID == "" {
		return nil, nil
	}
	options := oidc.Options{
		Issuer: o.Issuer, ClientID: o.ClientID, GroupClaim: o.GroupClaim,
		AdminGroup: o.AdminGroup, ViewerGroup: o.ViewerGroup, AuthDomain: o.AuthDomain,
		Client: client, Now: now,
	}
	issuer := oidc.NewIssuer(options)
	verifier := oidc.NewVerifier(options, issuer)
	return verifier, oidc.NewLogin(options, issuer, verifier)
}
