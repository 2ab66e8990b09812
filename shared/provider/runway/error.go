package runway

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"easel/shared/fault"
	"easel/shared/provider/httpcall"
)

// dailyLimit is how long a config rests after a 429, which means that the limit
// of the last 24 hours is used up. The vendor does not say when that ends.
const dailyLimit = 15 * time.Minute

// envelope is the vendor's error.
type envelope struct {
	Error  string  `json:"error"`
	Issues []issue `json:"issues"`
}

type issue struct {
	Path []any `json:"path"`
}

// parse returns the zero envelope for a body in another form.
func parse(response *httpcall.Response) envelope {
	var e envelope
	if json.Unmarshal(response.Body, &e) != nil {
		return envelope{}
	}
	return e
}

// refusal explains an answer that is not 2xx.
func refusal(response *httpcall.Response) *fault.Failure {
	e := parse(response)
	if e.Error == "" {
		return response.Refusal(httpcall.Verdict{})
	}
	// A 500 to a create may come after the task was stored. The issues are in the
	// body, which the failure quotes.
	verdict := httpcall.Verdict{Class: e.class(response.Status), Starts: true}
	if verdict.Class == fault.ClassRateLimited && httpcall.RetryAfter(response.Header, time.Now()) == 0 {
		verdict.RetryAfter = dailyLimit
	}
	return response.Refusal(verdict)
}

// class returns "" where the status alone says it.
func (e envelope) class(status int) fault.Class {
	switch status {
	case http.StatusBadRequest:
		return e.classOfBadRequest()
	case http.StatusUnauthorized, http.StatusForbidden:
		return fault.ClassAuth
	case http.StatusPaymentRequired:
		return fault.ClassOutOfCredit
	case http.StatusTooManyRequests:
		return fault.ClassRateLimited
	case http.StatusNotFound, http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return ""
	}
	if status >= 500 {
		return fault.ClassUnavailable
	}
	return fault.ClassInvalidInput
}

func (e envelope) classOfBadRequest() fault.Class {
	text := strings.ToLower(e.Error)
	switch {
	case strings.Contains(text, "credit"):
		return fault.ClassOutOfCredit // an empty balance has no status of its own
	case strings.Contains(text, "moderation"), strings.Contains(text, "safety"):
		return fault.ClassModerated
	}
	for _, i := range e.Issues {
		if len(i.Path) > 0 && i.Path[len(i.Path)-1] == "model" {
			return fault.ClassModelGone
		}
	}
	return fault.ClassInvalidInput
}

// classOfCode reads why a task failed. Refusals are billed like successes, and
// repeating them risks the account.
func classOfCode(code string) fault.Class {
	switch {
	case strings.Contains(code, "SAFETY"):
		return fault.ClassModerated
	case strings.HasPrefix(code, "ASSET."):
		return fault.ClassInvalidInput
	default:
		return fault.ClassJobFailed
	}
}
