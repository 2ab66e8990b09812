package stability

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"easel/shared/fault"
	"easel/shared/provider/httpcall"
)

// lockOut is how long the vendor refuses everything after its rate limit was hit;
// it sends no Retry-After.
const lockOut = time.Minute

// envelope is the error of both APIs: v2beta has errors, v1 has a message.
type envelope struct {
	Name    string   `json:"name"`
	Message string   `json:"message"`
	Errors  []string `json:"errors"`
}

// refusal explains an answer that is not 2xx.
func refusal(response *httpcall.Response) *fault.Failure {
	var e envelope
	if json.Unmarshal(response.Body, &e) != nil || e.Name == "" {
		return response.Refusal(httpcall.Verdict{})
	}
	detail := strings.Join(append(e.Errors, e.Message), "; ")
	verdict := httpcall.Verdict{Class: e.class(response.Status, detail), Detail: e.Name + ": " + detail}
	if verdict.Class == fault.ClassRateLimited && httpcall.RetryAfter(response.Header, time.Now()) == 0 {
		verdict.RetryAfter = lockOut
	}
	return response.Refusal(verdict)
}

// class reads the error's name first: 403 is moderation in v2beta and a missing
// permission in v1.
func (e envelope) class(status int, detail string) fault.Class {
	switch e.Name {
	case "content_moderation", "public_figure", "invalid_prompts":
		return fault.ClassModerated
	case "invalid_language":
		return fault.ClassUnsupported // this vendor reads English only
	case "unauthorized":
		return fault.ClassAuth
	case "permission_denied":
		if strings.Contains(strings.ToLower(detail), "balance") {
			return fault.ClassOutOfCredit
		}
		return fault.ClassAuth
	case "not_found":
		return fault.ClassModelGone
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fault.ClassAuth
	case http.StatusPaymentRequired:
		return fault.ClassOutOfCredit
	case http.StatusNotFound:
		return fault.ClassModelGone
	case http.StatusTooManyRequests:
		return fault.ClassRateLimited
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return fault.ClassTimeout
	}
	if status >= 500 {
		return fault.ClassUnavailable
	}
	return fault.ClassInvalidInput
}
