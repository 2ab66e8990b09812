// Package safehttp makes HTTP clients for URLs that somebody else chose: a
// caller's callback, a provider's output, an operator's custom base URL.
//
// Such a URL must never reach the inside of the network: loopback, private,
// link-local and metadata addresses. The check that counts happens when a
// connection is opened, on the address that is really dialled, so a DNS name
// that changes its mind between check and use gains nothing. [CheckURL] repeats
// what can be known from the text alone, to tell a caller early and clearly.
package safehttp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"code.dny.dev/ssrf"
)

// ErrForbidden is wrapped by every refusal of this package: a URL that is not
// acceptable, an address that must not be dialled, a redirect to either. Trying
// again cannot help.
var ErrForbidden = errors.New("address is not allowed")

// ErrTooManyRedirects is wrapped when a server redirects more often than
// [Options.MaxRedirects] allows.
var ErrTooManyRedirects = errors.New("too many redirects")

const (
	defaultMaxRedirects  = 3
	defaultHeaderTimeout = time.Minute
	dialTimeout          = 10 * time.Second
	tlsTimeout           = 10 * time.Second
	keepAlive            = 30 * time.Second
	idleTimeout          = 90 * time.Second
	maxIdle              = 64
	maxIdlePerHost       = 8
	maxHeaderBytes       = 64 << 10
)

// Options says what a client may do. The zero value is the one to use when
// deployed: https only, public addresses only, ports 443 and 8443.
type Options struct {
	// AllowLoopback is for local mode: http, and any port, to localhost and
	// loopback addresses. Other private addresses stay forbidden.
	AllowLoopback bool
	// AllowHTTP permits plain http, on ports 80 and 8080, to public addresses.
	AllowHTTP bool
	// AnyPort lifts the limit on ports. It is for base URLs that an operator
	// entered, not for what a caller sent.
	AnyPort bool
	// NoRedirect hands a 3xx answer to the caller instead of following it, as
	// webhook delivery wants.
	NoRedirect bool
	// MaxRedirects is how many redirects are followed; 0 means 3.
	MaxRedirects int
	// HeaderTimeout is how long to wait for the response header once the request
	// is written; 0 means one minute.
	HeaderTimeout time.Duration
	// Timeout limits the whole exchange with the body; 0 means that only the
	// request's context does.
	Timeout time.Duration
	// Resolver looks names up; nil means the system's.
	Resolver *net.Resolver
	// RootCAs are the trusted certificate authorities; nil means the system's.
	RootCAs *x509.CertPool
}

// New returns a client that keeps to options. It uses no proxy, because a proxy
// would dial in its place, and reads at most 64 KiB of response header; limiting
// the body is up to the caller.
//
// Redirects are followed for GET and HEAD only, and every hop is checked like
// the first request. Once a hop leaves the first scheme, host or port, the
// credentials of the request are dropped for good. Any other method receives the
// 3xx answer itself: following it could repeat a submit that must happen once.
//
// The client is safe for concurrent use. Make one per purpose and keep it.
func New(options Options) *http.Client {
	return &http.Client{
		Transport:     &guard{options: options, base: newTransport(options)},
		CheckRedirect: redirectPolicy(options),
		Timeout:       options.Timeout,
	}
}

func newTransport(options Options) *http.Transport {
	guardian := options.guardian()
	dialer := &net.Dialer{
		Timeout:   dialTimeout,
		KeepAlive: keepAlive,
		Resolver:  options.Resolver,
		Control:   guardian.Safe,
	}
	headerTimeout := options.HeaderTimeout
	if headerTimeout <= 0 {
		headerTimeout = defaultHeaderTimeout
	}
	return &http.Transport{
		Proxy: nil,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if isProhibited(err) {
				return nil, fmt.Errorf("%w: %w", ErrForbidden, err)
			}
			return conn, err
		},
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: options.RootCAs},
		TLSHandshakeTimeout:    tlsTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdlePerHost,
		ForceAttemptHTTP2:      true,
	}
}

// guardian returns the rules for an address that is about to be dialled.
func (o Options) guardian() *ssrf.Guardian {
	rules := []ssrf.Option{ssrf.WithPorts(o.ports()...)}
	if o.AnyPort || o.AllowLoopback {
		rules = append(rules, ssrf.WithAnyPort())
	}
	if o.AllowLoopback {
		rules = append(rules,
			ssrf.WithAllowedV4Prefixes(netip.MustParsePrefix("127.0.0.0/8")),
			ssrf.WithAllowedV6Prefixes(netip.MustParsePrefix("::1/128")),
		)
	}
	return ssrf.New(rules...)
}

func (o Options) ports() []uint16 {
	if o.AllowHTTP {
		return []uint16{443, 8443, 80, 8080}
	}
	return []uint16{443, 8443}
}

func isProhibited(err error) bool {
	return errors.Is(err, ssrf.ErrProhibitedIP) || errors.Is(err, ssrf.ErrProhibitedPort) ||
		errors.Is(err, ssrf.ErrProhibitedNetwork) || errors.Is(err, ssrf.ErrInvalidHostPort)
}

// guard checks the URL of every request, the hops of a redirect included, so
// that a client is safe also where nobody called CheckURL.
type guard struct {
	options Options
	base    *http.Transport
}

func (g *guard) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := checkURL(request.URL, g.options); err != nil {
		if request.Body != nil {
			_ = request.Body.Close() // the contract of RoundTripper
		}
		return nil, err
	}
	return g.base.RoundTrip(request)
}

// CloseIdleConnections serves http.Client.CloseIdleConnections.
func (g *guard) CloseIdleConnections() { g.base.CloseIdleConnections() }

func redirectPolicy(options Options) func(*http.Request, []*http.Request) error {
	limit := options.MaxRedirects
	if limit <= 0 {
		limit = defaultMaxRedirects
	}
	return func(next *http.Request, via []*http.Request) error {
		first := via[0]
		if options.NoRedirect || first.Method != http.MethodGet && first.Method != http.MethodHead {
			return http.ErrUseLastResponse
		}
		if len(via) > limit {
			return fmt.Errorf("%w: more than %d", ErrTooManyRedirects, limit)
		}
		if err := checkURL(next.URL, options); err != nil {
			return fmt.Errorf("redirect: %w", err)
		}
		next.Header.Del("Referer") // it would tell the next host the query of this one
		leaves := func(hop *http.Request) bool { return !sameOrigin(first.URL, hop.URL) }
		if leaves(next) || slices.ContainsFunc(via, leaves) {
			dropCredentials(next.Header)
		}
		return nil
	}
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && a.Host == b.Host
}

// dropCredentials removes what identifies the caller. The standard client keeps
// some of these for another port of the same host and for subdomains.
func dropCredentials(header http.Header) {
	for _, name := range []string{
		"Authorization", "Proxy-Authorization", "Cookie", "Api-Key", "X-Api-Key", "X-Goog-Api-Key",
		"X-Key", "X-Auth-Token", "Cf-Aig-Authorization", "X-Amz-Security-Token",
	} {
		header.Del(name)
	}
}
