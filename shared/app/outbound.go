package app

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"easel/shared/safehttp"
)

// CheckClient returns the client with which a deployment is checked from another
// machine: it reaches what the functions reach, and follows no redirects.
func CheckClient(timeout time.Duration) *http.Client {
	return safehttp.New(safehttp.Options{AllowLoopback: reachLoopback, AnyPort: true, NoRedirect: true, Timeout: timeout})
}

// IssuerClient returns the client with which functions reach the issuer of people's tokens.
func IssuerClient() *http.Client {
	return safehttp.New(safehttp.Options{AllowLoopback: reachLoopback, AnyPort: true})
}

// AssetOrigin returns scheme and host of the addresses that produced files are
// given, "" where none can be made. It asks nobody.
func (a *App) AssetOrigin(ctx context.Context) string {
	signed, err := a.Assets.Sign(ctx, "out/origin", time.Minute)
	if err != nil {
		return ""
	}
	u, err := url.Parse(signed)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
