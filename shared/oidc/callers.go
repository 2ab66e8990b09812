package oidc

import (
	"net/http"
	"slices"

	"easel/shared/apikey"
	"easel/shared/fault"
	"easel/shared/httpapi"
)

// CallerOptions say what a token may do on the callers' routes.
type CallerOptions struct {
	// Account is the claim that names the account which pays: a claim's name, or a
	// path, as [Options.GroupClaim]. Required.
	Account string
	// Group may call; "" is everybody whose token names an account.
	Group string
	// RatePerMinute limits each person, as a key's rate does; 0 is no limit.
	RatePerMinute int
}

// Callers authenticates callers by OIDC tokens: an application's users, who spend
// the credits of the account that their token names. It is safe for concurrent use.
type Callers struct {
	verifier *Verifier
	options  CallerOptions
}

// NewCallers returns a Callers over tokens that the verifier accepts.
func NewCallers(v *Verifier, o CallerOptions) *Callers { return &Callers{verifier: v, options: o} }

var _ httpapi.Authenticator = (*Callers)(nil)

// Authenticate returns the person that the request's token names, with the scope
// generate. Errors: Unauthenticated for a token that is not good, Forbidden for a
// good one that names no account or is of nobody in the group, Unavailable when the
// issuer's keys cannot be had.
func (c *Callers) Authenticate(r *http.Request) (httpapi.Caller, error) {
	token, err := httpapi.Bearer(r)
	if err != nil {
		return httpapi.Caller{}, err
	}
	claims, err := c.verifier.Verify(r.Context(), token)
	if err != nil {
		return httpapi.Caller{}, err
	}
	if c.options.Group != "" && !slices.Contains(groupsOf(claims, c.verifier.options.GroupClaim), c.options.Group) {
		return httpapi.Caller{}, fault.New(fault.Forbidden, "your account is in no group that may use this")
	}
	accounts := groupsOf(claims, c.options.Account)
	if len(accounts) != 1 || !httpapi.AccountName(accounts[0]) {
		return httpapi.Caller{}, fault.New(fault.Forbidden, "the token does not name one account that pays")
	}
	return httpapi.ActAs(r, httpapi.Caller{
		KeyID: keyID(claims), Account: accounts[0], User: person(claims),
		Scopes: []apikey.Scope{apikey.Generate}, RatePerMinute: c.options.RatePerMinute,
	})
}
