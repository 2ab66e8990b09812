package main

import (
	"context"
	"log/slog"

	"easel/functions/admin/adminapi"
	"easel/shared/app"
	"easel/shared/env"
	"easel/shared/httpapi"
	"easel/shared/oidc"
	"easel/shared/safehttp"
)

// access is how operators prove who they are: by key, the first of which comes
// from the deployment's secret, or, where an issuer is configured, by its tokens.
// The login is nil where none is.
func access(gateway *app.App, d env.Deployment, log *slog.Logger) (httpapi.Authenticator, adminapi.Login) { //nolint:ireturn // chosen by configuration
	bootstrap := &app.Bootstrap{Keys: gateway.Store, Secrets: gateway.Secrets, Now: gateway.Now}
	keys := httpapi.NewKeyAuth(httpapi.NewKeyCache(bootstrap, gateway.Now), gateway.Now)
	if d.OIDC.Issuer == "" || d.OIDC.ClientID == "" {
		return keys, nil
	}
	options := oidc.Options{
		Issuer: d.OIDC.Issuer, ClientID: d.OIDC.ClientID, GroupClaim: d.OIDC.GroupClaim,
		AdminGroup: d.OIDC.AdminGroup, ViewerGroup: d.OIDC.ViewerGroup, AuthDomain: d.OIDC.AuthDomain,
		Client: safehttp.New(safehttp.Options{AnyPort: true}), Now: gateway.Now,
	}
	issuer := oidc.NewIssuer(options)
	verifier := oidc.NewVerifier(options, issuer)
	return httpapi.Either(keys, verifier), login{oidc.NewLogin(options, issuer, verifier), log}
}

// login is an oidc.Login in the form that the admin API asks for.
type login struct {
	*oidc.Login

	log *slog.Logger
}

// Describe says where the browser goes; the endpoint is empty while the issuer
// cannot be asked.
func (l login) Describe() adminapi.LoginForm {
	form, err := l.Form(context.Background())
	if err != nil {
		l.log.Warn("nobody can log in: the issuer cannot be asked", "error", err)
	}
	return adminapi.LoginForm{AuthorizationEndpoint: form.AuthorizationEndpoint, ClientID: form.ClientID, Scope: form.Scope}
}
