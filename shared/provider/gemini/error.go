package gemini

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"easel/shared/fault"
	"easel/shared/provider/httpcall"
)

// dailyPause is how long a config rests when its quota of a day is used up.
const dailyPause = time.Hour

type envelope struct {
	Error wireError `json:"error"`
}

type wireError struct {
	Code    int      `json:"code"`
	Message string   `json:"message"`
	Status  string   `json:"status"`
	Details []detail `json:"details"`
}

// detail is one of the vendor's typed additions, told apart by their members.
type detail struct {
	Reason     string `json:"reason"`     // ErrorInfo
	RetryDelay string `json:"retryDelay"` // RetryInfo
	Violations []struct {
		QuotaID string `json:"quotaId"`
	} `json:"violations"` // QuotaFailure
}

// refusal explains an answer that is not 2xx. Starts is true for a call after
// whose 500 a job may be under way.
func refusal(response *httpcall.Response, starts bool) *fault.Failure {
	body := bytes.TrimSpace(response.Body)
	if inner, ok := bytes.CutPrefix(body, []byte("[")); ok { // as streams without alt=sse answer
		body = bytes.TrimSuffix(inner, []byte("]"))
	}
	var e envelope
	if json.Unmarshal(body, &e) != nil {
		return response.Refusal(httpcall.Verdict{})
	}
	return response.Refusal(httpcall.Verdict{
		Class: e.Error.class(response.Status), Detail: strings.Trim(e.Error.Status+": "+e.Error.Message, ": "), RetryAfter: e.Error.retryAfter(),
		Starts: starts,
	})
}

// class reads the error; "" when there is none.
func (e wireError) class(status int) fault.Class {
	for _, d := range e.Details {
		if d.Reason == "API_KEY_INVALID" { // which comes as a plain 400
			return fault.ClassAuth
		}
	}
	switch e.Status {
	case "":
		return ""
	case "UNAUTHENTICATED", "PERMISSION_DENIED":
		return fault.ClassAuth
	case "FAILED_PRECONDITION": // the account's region or billing
		if strings.Contains(strings.ToLower(e.Message), "billing") {
			return fault.ClassOutOfCredit
		}
		return fault.ClassAuth
	case "NOT_FOUND":
		return "" // a model or a job, as the call tells
	case "RESOURCE_EXHAUSTED":
		return fault.ClassRateLimited
	case "UNAVAILABLE", "INTERNAL":
		return fault.ClassUnavailable
	case "DEADLINE_EXCEEDED":
		return fault.ClassTimeout
	}
	switch {
	case status == http.StatusTooManyRequests:
		return fault.ClassRateLimited
	case status >= 500:
		return fault.ClassUnavailable
	default:
		return fault.ClassInvalidInput
	}
}

// retryAfter is in the details, not in a header.
func (e wireError) retryAfter() time.Duration {
	var wait time.Duration
	for _, d := range e.Details {
		if delay, err := time.ParseDuration(d.RetryDelay); err == nil {
			wait = httpcall.Seconds(delay.Seconds())
		}
	}
	for _, d := range e.Details {
		for _, violation := range d.Violations {
			if strings.Contains(violation.QuotaID, "PerDay") {
				return max(wait, dailyPause)
			}
		}
	}
	return wait
}
