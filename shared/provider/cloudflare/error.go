package cloudflare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"easel/shared/fault"
	"easel/shared/provider/httpcall"
	"easel/shared/secret"
)

// ErrGateway is in the chain of every failure that the gateway itself caused:
// it says nothing about the vendor's health.
var ErrGateway = errors.New("the AI gateway itself failed")

// The gateway's own codes that mean something of their own.
const (
	codeNoProvider      = 2008
	codeCredentials     = 2009
	codePromptBlocked   = 2016
	codeResponseBlocked = 2017
	codeNoCredit        = 2021
)

// maxOwnError bounds the body of an error of the gateway's own.
const maxOwnError = 64 << 10

// Transport passes calls on and turns the gateway's own errors into Failures
// with [ErrGateway] in their chain. It touches only calls that went through
// [Gateway.Through]. It is as safe for concurrent use as Next.
type Transport struct {
	// Next sends the calls; nil is http.DefaultTransport.
	Next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	next := t.Next
	if next == nil {
		next = http.DefaultTransport
	}
	response, err := next.RoundTrip(r)
	if err != nil || response.StatusCode < 400 || r.Header.Get(headerMaxAttempts) == "" {
		return response, err
	}
	head, err := io.ReadAll(io.LimitReader(response.Body, maxOwnError))
	own, ok := parse(head)
	if !ok && (response.StatusCode < 500 || response.Header.Get(headerLogID) != "") {
		// The vendor's error, passed on: hand back what was read of it.
		response.Body = rejoined{Reader: io.MultiReader(bytes.NewReader(head), failing{err}, response.Body), Closer: response.Body}
		return response, nil
	}
	_ = response.Body.Close()
	return nil, failure(r, response, own, head)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach Next.
func (t Transport) CloseIdleConnections() {
	if closer, ok := t.Next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

type rejoined struct {
	io.Reader
	io.Closer
}

// failing reads as its error, or as nothing when there is none.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// ownError is one error of the gateway's own.
type ownError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// parse reads the gateway's own envelope: success is there and false, beside a
// list of errors, which is called by either name.
func parse(body []byte) (ownError, bool) {
	var e struct {
		Success *bool      `json:"success"`
		Error   []ownError `json:"error"`
		Errors  []ownError `json:"errors"`
	}
	if json.Unmarshal(body, &e) != nil || e.Success == nil || *e.Success {
		return ownError{}, false
	}
	all := append(e.Error, e.Errors...)
	if len(all) == 0 || all[0].Code == 0 {
		return ownError{}, false
	}
	return all[0], true
}

func failure(r *http.Request, response *http.Response, own ownError, head []byte) *fault.Failure {
	class := classOf(own.Code, response.StatusCode)
	token := strings.TrimPrefix(r.Header.Get(headerAuthorization), "Bearer ")
	detail := fmt.Sprintf("AI gateway: %d %s", own.Code, own.Message)
	if own.Code == 0 {
		detail = "AI gateway: " + string(head)
	}
	detail = secret.NewRedactor(secret.New(token)).String(detail)
	return &fault.Failure{
		Class: class, Message: class.Public(), Cause: ErrGateway, Status: response.StatusCode,
		Detail: strings.ToValidUTF8(detail[:min(len(detail), 2<<10)], ""), RequestID: response.Header.Get("Cf-Ray"),
		RetryAfter: httpcall.RetryAfter(response.Header, time.Now()),
		// Past the gateway's own refusals the vendor may have been asked.
		Unknown: response.StatusCode >= 500 && response.StatusCode != http.StatusServiceUnavailable,
	}
}

func classOf(code, status int) fault.Class {
	switch code {
	case codePromptBlocked, codeResponseBlocked:
		return fault.ClassModerated
	case codeCredentials:
		return fault.ClassAuth
	case codeNoCredit:
		return fault.ClassOutOfCredit
	case codeNoProvider:
		return fault.ClassUnsupported
	}
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fault.ClassAuth
	case status == http.StatusPaymentRequired:
		return fault.ClassOutOfCredit
	case status == http.StatusTooManyRequests:
		return fault.ClassRateLimited
	case status == http.StatusNotFound:
		return fault.ClassModelGone
	case status >= 500:
		return fault.ClassUnavailable
	default:
		return fault.ClassUnsupported
	}
}
