package adminapi

import (
	"context"
	"log/slog"

	"easel/shared/oidc"
)

// SSO is an [oidc.Login] in the form that the admin API asks for.
type SSO struct {
	*oidc.Login

	Log *slog.Logger
}

var _ Login = SSO{}

// Describe says where the browser goes; the endpoint is empty while the issuer
// cannot be asked.
func (s SSO) Describe() LoginForm {
	form, err := s.Form(context.Background())
	if err != nil {
		s.Log.Warn("nobody can log in: the issuer cannot be asked", "error", err)
	}
	return LoginForm{AuthorizationEndpoint: form.AuthorizationEndpoint, ClientID: form.ClientID, Scope: form.Scope}
}
