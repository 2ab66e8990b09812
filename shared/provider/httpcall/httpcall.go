// Package httpcall is what the drivers share: one HTTP call to a vendor, made
// once, with the knowledge of whether the vendor may have received it.
//
// That knowledge decides about money. A call that ends without an answer is
// either harmless (the request never left) or dangerous (the vendor may be at
// work and will bill for it), and the difference is Failure.Unknown.
package httpcall

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"easel/shared/fault"
	"easel/shared/secret"
)

const (
	// DefaultMaxBytes is what an answer may weigh when a call does not say.
	DefaultMaxBytes = 64 << 20
	maxErrorBody    = 1 << 20
	userAgent       = "easel"
)

// Client makes calls. Create one with [New]. It is safe for concurrent use.
type Client struct{ http http.Client }

// New returns a Client that sends with the given client's transport and
// timeout; nil is http.DefaultClient. It follows no redirects, since none of the
// APIs uses them and a key must not travel to another host, and keeps no cookies.
func New(client *http.Client) *Client {
	if client == nil {
		client = http.DefaultClient
	}
	own := *client
	own.Jar = nil
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{http: own}
}

// Request is one call to a vendor.
type Request struct {
	// Method is GET when empty.
	Method string
	URL    string
	// Header is what the protocol itself needs, such as Authorization.
	Header map[string]string
	// Extra are further headers; they never replace one of Header.
	Extra map[string]string
	// Body is sent once; nil sends none.
	Body *Body
	// Submits is true for a call that starts paid work, so that an outcome that
	// is not known is reported as such. All other calls may be repeated.
	Submits bool
	// MaxBytes bounds the answer's body; 0 is [DefaultMaxBytes].
	MaxBytes int64
	// Secrets are removed from whatever a Failure quotes.
	Secrets []secret.Value
}

// Response is an answer, whatever its status, read completely.
type Response struct {
	Status int
	Header http.Header
	Body   []byte

	request Request
}

// Do makes one call and reads the answer. A status other than 2xx is not an
// error here: only the driver can read the vendor's envelope, and turns it into
// one with [Response.Refusal]. Every error is a *fault.Failure.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	answer, sent, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	response := &Response{Status: answer.StatusCode, Header: answer.Header, request: r}
	if !response.OK() {
		// The status is known, and with it the outcome: a broken error body only
		// costs the operator some detail.
		response.Body, _ = io.ReadAll(io.LimitReader(answer.Body, maxErrorBody))
		return response, nil
	}
	limit := r.maxBytes()
	if response.Body, err = io.ReadAll(io.LimitReader(answer.Body, limit+1)); err != nil {
		return nil, r.broken(ctx, sent, err)
	}
	if int64(len(response.Body)) > limit {
		return nil, response.Bad("the answer is larger than allowed", nil)
	}
	return response, nil
}

// OK reports whether the status is 2xx.
func (r *Response) OK() bool { return r.Status >= 200 && r.Status <= 299 }

// send makes the call and leaves the body to be read and closed by the caller.
func (c *Client) send(ctx context.Context, r Request) (*http.Response, *atomic.Bool, error) {
	sent := new(atomic.Bool)
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// From here on bytes may be on the wire, though perhaps not all of them.
		WroteHeaders: func() { sent.Store(true) },
		WroteRequest: func(httptrace.WroteRequestInfo) { sent.Store(true) },
	})
	request, err := r.build(traced)
	if err != nil {
		return nil, nil, r.failure(fault.ClassConnect, false, "the request could not be built", err)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, nil, r.broken(ctx, sent, err)
	}
	return answer, sent, nil
}

func (r Request) build(ctx context.Context) (*http.Request, error) {
	var body io.Reader
	if r.Body != nil {
		body = bytes.NewReader(r.Body.data)
	}
	request, err := http.NewRequestWithContext(ctx, r.method(), r.URL, body)
	if err != nil {
		return nil, err
	}
	if (request.URL.Scheme != "https" && request.URL.Scheme != "http") || request.URL.Host == "" {
		return nil, errors.New("the URL is not absolute")
	}
	// net/http sends a POST again on a fresh connection only when the kept one died
	// before a byte of it was written, and only when the body can be rewound. So
	// GetBody stays: without it, a connection that died while a frozen function
	// slept would leave a submit in doubt that was never sent. A POST that was
	// written it repeats only under a header Idempotency-Key, which therefore only a
	// driver may set whose vendor honours it; see extraAllowed.
	for name, value := range r.Extra {
		if extraAllowed(name) {
			request.Header.Set(name, value)
		}
	}
	for name, value := range r.Header {
		request.Header.Set(name, value)
	}
	if r.Body != nil {
		request.Header.Set("Content-Type", r.Body.contentType)
	}
	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", userAgent)
	}
	return request, nil
}

// extraAllowed keeps a config's headers from changing how the request is framed.
func extraAllowed(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Idempotency-Key", "X-Idempotency-Key":
		return false
	case "", "Host", "Content-Type", "Content-Length", "Content-Encoding", "Transfer-Encoding",
		"Connection", "Upgrade", "Te", "Trailer", "Expect", "Accept-Encoding", "Cookie":
		return false
	default:
		return true
	}
}

// broken explains a call that ended without a whole answer.
func (r Request) broken(ctx context.Context, sent *atomic.Bool, err error) error {
	if own, ok := errors.AsType[*fault.Failure](err); ok {
		// A transport that knows better, such as a guard or a proxy; but not whether
		// the call starts work.
		known := *own
		known.Unknown = own.Unknown && r.Submits
		return &known
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // without the URL, whose query may hold a secret
	}
	unknown := r.Submits && sent.Load()
	timeout, _ := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(ctx.Err(), context.Canceled):
		return r.failure(fault.ClassCanceled, unknown, "the call was canceled", err)
	case !sent.Load():
		return r.failure(fault.ClassConnect, false, "", err)
	case errors.Is(err, io.ErrUnexpectedEOF) && ctx.Err() == nil:
		return r.failure(fault.ClassBadAnswer, unknown, "the provider's answer was cut off", err)
	case timeout != nil && timeout.Timeout(), ctx.Err() != nil:
		return r.failure(fault.ClassTimeout, unknown, "", err)
	default:
		return r.failure(fault.ClassTimeout, unknown, "the connection to the provider broke", err)
	}
}

func (r Request) failure(class fault.Class, unknown bool, message string, cause error) *fault.Failure {
	if message == "" {
		message = class.Public()
	}
	return &fault.Failure{Class: class, Unknown: unknown, Message: message, Cause: r.redact(cause)}
}

func (r Request) method() string {
	if r.Method == "" {
		return http.MethodGet
	}
	return r.Method
}

func (r Request) maxBytes() int64 {
	if r.MaxBytes <= 0 {
		return DefaultMaxBytes
	}
	return r.MaxBytes
}

// Join returns base and path with exactly one slash between them.
func Join(base, path string) string {
	return strings.TrimRight(base, "/") + "/" + strings.TrimLeft(path, "/")
}

// SameHost reports whether raw is an absolute URL with the scheme, host and port
// of base. A key is only ever sent to such a URL: what a vendor's answer names
// is data, not an instruction.
func SameHost(base, raw string) bool {
	a, errA := url.Parse(base)
	b, errB := url.Parse(raw)
	if errA != nil || errB != nil || a.Host == "" || b.User != nil {
		return false
	}
	return a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host)
}
