package fault

import (
	"errors"
	"time"
)

// Class is why one call to a provider failed, in the terms that failover decides by.
type Class string

// The classes. Whether a submit that failed may be sent again is not a matter
// of class alone: see [Failure.Unknown].
const (
	// ClassRateLimited: the provider throttles us. Next config at once; this one cools down.
	ClassRateLimited Class = "rate_limited"
	// ClassConnect: no connection, or a timeout before the request was sent. Nothing started.
	ClassConnect Class = "connect"
	// ClassTimeout: a timeout or reset after the request was sent. For a submit always unknown.
	ClassTimeout Class = "timeout"
	// ClassUnavailable: the provider says that it did not start the work (overloaded, 5xx of its own).
	ClassUnavailable Class = "unavailable"
	// ClassAuth: our key is not accepted. Next config; this one waits for the operator.
	ClassAuth Class = "auth"
	// ClassOutOfCredit: our account with the provider is empty. As ClassAuth.
	ClassOutOfCredit Class = "out_of_credit"
	// ClassModelGone: the model or endpoint does not exist any more. As ClassAuth.
	ClassModelGone Class = "model_gone"
	// ClassModerated: the provider refuses the content. Final: never shown to another provider.
	ClassModerated Class = "moderated"
	// ClassInvalidInput: the request is wrong for every provider. Final.
	ClassInvalidInput Class = "invalid_input"
	// ClassUnsupported: only this provider lacks a feature that the request needs. Next config.
	ClassUnsupported Class = "unsupported"
	// ClassJobFailed: a job that the provider had accepted ended without a result, for no fault of the request.
	ClassJobFailed Class = "job_failed"
	// ClassBadAnswer: an answer that cannot be read or that breaks the protocol. For a submit unknown,
	// unless the provider refused it.
	ClassBadAnswer Class = "bad_answer"
	// ClassNotFound: the provider does not know the job that was asked for.
	ClassNotFound Class = "not_found"
	// ClassStorage: the provider delivered, and our own storage did not take the result. Final:
	// another provider would be paid for a result that could not be kept either.
	ClassStorage Class = "storage"
	// ClassCanceled: the job was canceled at the provider, or our own context ended.
	ClassCanceled Class = "canceled"
)

// Failure is what one call to one provider came to when it did not succeed.
type Failure struct {
	Class Class
	// Unknown is true when the provider may have accepted the work, so that
	// sending it again could be paid twice. It is never true for a refusal.
	Unknown bool
	// RetryAfter is how long the provider asks us to wait; zero when it does not say.
	RetryAfter time.Duration
	// Message is safe for callers: our own words, no vendor's name, nothing of the input.
	Message string
	// Detail is the provider's own words for the operator, redacted and at most 2 KiB.
	Detail string
	// Status is the provider's HTTP status, 0 when there was none.
	Status int
	// RequestID is the provider's id of this call, "" when it gave none.
	RequestID string
	// GatewayID is the id that an AI gateway in between gave the call, "" without one.
	GatewayID string
	Cause     error
}

// Error describes the failure for the log.
func (f *Failure) Error() string {
	text := string(f.Class)
	if f.Unknown {
		text += " (outcome unknown)"
	}
	if f.Message != "" {
		text += ": " + f.Message
	}
	if f.Detail != "" {
		text += ": " + f.Detail
	}
	if f.Cause != nil {
		text += ": " + f.Cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// FailureOf returns the Failure in err's chain. Any other error becomes an
// unknown bad answer: what we do not understand is never sent again.
func FailureOf(err error) *Failure {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return &Failure{Class: ClassBadAnswer, Unknown: true, Message: "the provider's answer could not be understood", Cause: err}
}

// Public returns the sentence that callers see for a class. It names no vendor.
func (c Class) Public() string {
	switch c {
	case ClassRateLimited:
		return "the provider is limiting requests"
	case ClassConnect:
		return "the provider could not be reached"
	case ClassTimeout:
		return "the provider did not answer in time"
	case ClassUnavailable:
		return "the provider is unavailable"
	case ClassAuth, ClassOutOfCredit:
		return "the provider does not accept this gateway's account"
	case ClassModelGone:
		return "the provider no longer serves this model"
	case ClassModerated:
		return "the request was refused by a content policy"
	case ClassInvalidInput:
		return "the provider does not accept these parameters"
	case ClassUnsupported:
		return "the provider does not support a feature of this request"
	case ClassJobFailed:
		return "the generation failed at the provider"
	case ClassNotFound:
		return "the provider does not know the job"
	case ClassCanceled:
		return "the generation was canceled"
	case ClassStorage:
		return "the result could not be stored"
	case ClassBadAnswer:
		return "the provider's answer could not be used"
	default:
		return "the provider failed"
	}
}
