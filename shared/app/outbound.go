package app

import (
	"net/http"
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
