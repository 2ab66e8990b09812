package httpcall

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"easel/shared/fault"
	"easel/shared/secret"
)

const (
	maxDetail     = 2 << 10
	maxRetryAfter = 24 * time.Hour
)

// Verdict is what a driver read in an answer that is not a success.
type Verdict struct {
	// Class is what the vendor's own error means; "" when the body is not in the
	// vendor's form, so that only the status speaks.
	Class fault.Class
	// Message replaces the class's public sentence; our own words only.
	Message string
	// Detail is the vendor's words; "" quotes the body.
	Detail string
	// RetryAfter replaces what the headers say, for vendors that say it elsewhere.
	RetryAfter time.Duration
	// Starts is true where a 500 in the vendor's own form may still have started
	// work: at APIs that accept a job and do it later.
	Starts bool
}

// Refusal builds the Failure of an answer with a status other than 2xx.
//
// Whether a submit's outcome is unknown follows from the status and from who
// answered. The vendor said no, and nothing runs: any 4xx but 408, 503, and at
// an API that works while we wait any other 5xx in the vendor's own form. It may
// run: 408, 502 and 504 (someone in between gave up waiting), redirects, and any
// 5xx that is not the vendor's own. Calls that start nothing are never unknown.
func (r *Response) Refusal(v Verdict) *fault.Failure {
	f := r.describe(v)
	if f.Class == "" {
		f.Class = r.classOfStatus()
	}
	if v.Message == "" {
		f.Message = f.Class.Public()
	}
	f.Unknown = r.request.Submits && r.mayHaveStarted(v)
	return f
}

func (r *Response) mayHaveStarted(v Verdict) bool {
	switch {
	case r.Status == http.StatusRequestTimeout, r.Status == http.StatusBadGateway, r.Status == http.StatusGatewayTimeout:
		return true
	case r.Status >= 400 && r.Status <= 499, r.Status == http.StatusServiceUnavailable:
		return false
	case r.Status >= 500:
		return v.Class == "" || v.Starts
	default:
		return true
	}
}

// classOfStatus is used where the body says nothing that we understand.
func (r *Response) classOfStatus() fault.Class {
	switch r.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fault.ClassAuth
	case http.StatusPaymentRequired:
		return fault.ClassOutOfCredit
	case http.StatusNotFound, http.StatusGone:
		if r.request.Submits {
			return fault.ClassModelGone
		}
		return fault.ClassNotFound
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return fault.ClassTimeout
	case http.StatusTooManyRequests:
		return fault.ClassRateLimited
	case http.StatusRequestEntityTooLarge:
		return fault.ClassInvalidInput
	}
	if r.Status >= 500 {
		return fault.ClassUnavailable
	}
	return fault.ClassBadAnswer
}

// Rejected builds the Failure of an answer in which the vendor refuses or gives
// up on the work inside a success status: it is never unknown.
func (r *Response) Rejected(v Verdict) *fault.Failure {
	f := r.describe(v)
	f.RetryAfter = v.RetryAfter
	if v.Message == "" {
		f.Message = f.Class.Public()
	}
	return f
}

// Bad builds the Failure of a success that cannot be read. The vendor did or
// accepted the work, so a submit's outcome is unknown. Message is our own words.
func (r *Response) Bad(message string, cause error) *fault.Failure {
	f := r.request.failure(fault.ClassBadAnswer, r.request.Submits, message, cause)
	f.Status, f.RequestID, f.GatewayID = r.Status, r.RequestID(), r.GatewayID()
	f.Detail = r.request.quote(string(r.head()))
	return f
}

func (r *Response) describe(v Verdict) *fault.Failure {
	detail := v.Detail
	if detail == "" {
		detail = string(r.head())
	}
	f := &fault.Failure{
		Class: v.Class, Message: v.Message, Detail: r.request.quote(detail),
		Status: r.Status, RequestID: r.RequestID(), GatewayID: r.GatewayID(), RetryAfter: v.RetryAfter,
	}
	if f.RetryAfter == 0 && r.Status >= 400 {
		f.RetryAfter = RetryAfter(r.Header, time.Now())
	}
	return f
}

// head is as much of the body as is worth quoting; redaction looks further than
// the cut, so that no half of a secret is left at it.
func (r *Response) head() []byte { return r.Body[:min(len(r.Body), 2*maxDetail)] }

// RequestID is the vendor's id of the call, from the header it uses, or "".
func (r *Response) RequestID() string {
	for _, name := range []string{"X-Request-Id", "X-Fal-Request-Id", "Request-Id", "X-Goog-Request-Id", "Cf-Ray"} {
		if id := r.Header.Get(name); id != "" && len(id) <= 200 {
			return r.request.quote(id)
		}
	}
	return ""
}

// GatewayID is the id that an AI gateway in between gave the call, or "".
func (r *Response) GatewayID() string {
	if id := r.Header.Get("Cf-Aig-Log-Id"); len(id) <= 200 {
		return id
	}
	return ""
}

// RetryAfter reads how long a vendor asks to wait: retry-after-ms, or
// Retry-After in seconds or as a date. Zero when it does not say or says
// nonsense; never more than a day.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil {
		return Seconds(ms / 1000)
	}
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return Seconds(seconds)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// Seconds turns a vendor's number of seconds into a wait of at most a day. What
// is negative or no number is zero.
func Seconds(s float64) time.Duration {
	if !(s > 0) {
		return 0
	}
	return time.Duration(min(s, maxRetryAfter.Seconds()) * float64(time.Second))
}

// quote makes a vendor's words fit for the operator's log.
func (r Request) quote(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ToValidUTF8(secret.NewRedactor(r.Secrets...).String(text), "\uFFFD")
	if len(text) <= maxDetail {
		return text
	}
	cut := maxDetail
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut]
}

// redact wraps an error so that its text holds no secret; errors.Is still works.
func (r Request) redact(err error) error {
	if err == nil {
		return nil
	}
	return redacted{text: r.quote(err.Error()), err: err}
}

type redacted struct {
	text string
	err  error
}

func (e redacted) Error() string { return e.text }
func (e redacted) Unwrap() error { return e.err }
