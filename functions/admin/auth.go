package main

import (
	"log/slog"

	"easel/functions/admin/adminapi"
	"easel/shared/app"
	"easel/shared/env"
	"easel/shared/httpapi"
)

// access is how operators prove who they are: by key, the first of which comes
// from the deployment's secret, or, where an issuer is configured, by its tokens.
// The login is nil where none is.
//
//nolint:ireturn // keys alone, or keys and tokens
func access(gateway *app.App, d env.Deployment, log *slog.Logger) (httpapi.Authenticator, adminapi.Login) {
	bootstrap := &app.Bootstrap{Keys: gateway.Store, Secrets: gateway.Secrets, Now: gateway.Now}
	keys := httpapi.NewKeyAuth(httpapi.NewKeyCache(bootstrap, gateway.Now), gateway.Now)
	verifier, login := app.People(d.OIDC, app.IssuerClient(), gateway.Now)
	if login == nil {
		return keys, nil
	}
	return httpapi.Either(keys, verifier), adminapi.SSO{Login: login, Log: log}
}
