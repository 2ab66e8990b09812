// Package fault is Easel's vocabulary of things that go wrong.
//
// It knows two families. An [Error] is what a caller of the gateway is told:
// a stable code for machines, a sentence for people, and the fields at fault.
// A [Failure] is what one call to one provider came to: a [Class] that decides
// about retry and failover, and whether the provider may have accepted the work.
package fault

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
)

// Code names a kind of refusal or failure for the caller's program. The
// transport maps each code to one HTTP status; the text of a code never changes.
type Code string

// The codes a caller can meet, with the HTTP status the transport gives each.
const (
	InvalidInput        Code = "invalid_input"        // 400: a field is wrong; see Error.Fields
	Unauthenticated     Code = "unauthenticated"      // 401: no key, or one that is not valid
	InsufficientCredits Code = "insufficient_credits" // 402: the balance is below the price
	Forbidden           Code = "forbidden"            // 403: the key may not do this
	NotFound            Code = "not_found"            // 404: no such thing, or not the caller's
	MethodNotAllowed    Code = "method_not_allowed"   // 405
	Conflict            Code = "conflict"             // 409: the thing is in another state
	IdempotencyMismatch Code = "idempotency_mismatch" // 409: key used before with another body
	StaleVersion        Code = "stale_version"        // 412: If-Match names an older version
	TooLarge            Code = "too_large"            // 413: the body exceeds the limit
	UnsupportedMedia    Code = "unsupported_media"    // 415: the body's content type is not taken
	ContentRejected     Code = "content_rejected"     // 422: a content rule refuses the prompt
	RateLimited         Code = "rate_limited"         // 429: see Error.RetryAfter
	QuotaExceeded       Code = "quota_exceeded"       // 429: a monthly limit is used up; see Error.RetryAfter
	Internal            Code = "internal"             // 500: our fault; the cause is in the log
	ProviderFailed      Code = "provider_failed"      // 502: every provider failed
	Unavailable         Code = "unavailable"          // 503: nothing can serve this now
	DeadlineExceeded    Code = "deadline_exceeded"    // 504: the task's deadline passed
)

// Field is one member of a request that is at fault.
type Field struct {
	// Name is the member's path as the caller wrote it, such as "loras[0].scale".
	Name string `json:"name"`
	// Message says what is wrong and what would be right.
	Message string `json:"message"`
}

// Error is a refusal or failure as a caller may see it. Message and Fields never
// hold a secret, a provider's raw words, or more of the caller's input than a
// field's name; Cause is for the log only. The zero value is not useful: use [New].
type Error struct {
	Code    Code
	Message string
	Fields  []Field
	// RetryAfter, when positive, is how long to wait before the same request can succeed.
	RetryAfter time.Duration
	// Details are further members for the caller, such as "balance" and "price".
	Details map[string]any
	Cause   error
}

// New returns an Error with a formatted message.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid returns an InvalidInput error about one field.
func Invalid(field, format string, args ...any) *Error {
	message := fmt.Sprintf(format, args...)
	return &Error{
		Code:    InvalidInput,
		Message: field + " " + message,
		Fields:  []Field{{Name: field, Message: message}},
	}
}

// Because returns a copy of e that wraps cause.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

// With returns a copy of e with one more detail for the caller.
func (e *Error) With(name string, value any) *Error {
	c := *e
	c.Details = make(map[string]any, len(e.Details)+1)
	maps.Copy(c.Details, e.Details)
	c.Details[name] = value
	return &c
}

// Error returns the code, the message and, for the log, the cause.
func (e *Error) Error() string {
	if e.Cause != nil {
		return string(e.Code) + ": " + e.Message + ": " + e.Cause.Error()
	}
	return string(e.Code) + ": " + e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// CodeOf returns the code of the first Error in err's chain, Internal for any
// other error, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// Fields collects what is wrong with several members of one request, so that a
// caller learns all of it at once. The zero value is ready to use; it is not
// safe for concurrent use.
type Fields struct{ list []Field }

// Add records a problem with the named member.
func (f *Fields) Add(name, format string, args ...any) {
	f.list = append(f.list, Field{Name: name, Message: fmt.Sprintf(format, args...)})
}

// Check records the problem when ok is false.
func (f *Fields) Check(ok bool, name, format string, args ...any) {
	if !ok {
		f.Add(name, format, args...)
	}
}

// Err returns nil when nothing was recorded, else one InvalidInput error that
// names every field.
func (f *Fields) Err() error {
	if len(f.list) == 0 {
		return nil
	}
	parts := make([]string, len(f.list))
	for i, field := range f.list {
		parts[i] = field.Name + " " + field.Message
	}
	return &Error{Code: InvalidInput, Message: strings.Join(parts, "; "), Fields: f.list}
}
