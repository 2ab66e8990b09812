package openai

import (
	"bytes"
	"encoding/json"
	"net/http"

	"easel/shared/fault"
	"easel/shared/provider/httpcall"
)

// envelope is the vendor's error. Code is a string, a number or null among the
// APIs that imitate it.
type envelope struct {
	Error wireError `json:"error"`
}

type wireError struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Code    any    `json:"code"`
}

// refusal explains an answer that is not 2xx.
func refusal(response *httpcall.Response) *fault.Failure {
	body := bytes.TrimSpace(response.Body)
	// Google's imitation wraps the envelope in an array of one.
	if inner, ok := bytes.CutPrefix(body, []byte("[")); ok {
		body = bytes.TrimSuffix(inner, []byte("]"))
	}
	var e envelope
	if json.Unmarshal(body, &e) != nil {
		return response.Refusal(httpcall.Verdict{})
	}
	return response.Refusal(httpcall.Verdict{Class: e.Error.class(response.Status), Detail: e.Error.Message})
}

// class reads the error; "" when there is none.
func (e wireError) class(status int) fault.Class {
	code, _ := e.Code.(string)
	switch code {
	case "moderation_blocked", "content_policy_violation", "content_filter", "image_content_policy_violation":
		return fault.ClassModerated
	case "insufficient_quota", "billing_hard_limit_reached", "billing_not_active":
		// Reported as 429 beside the ordinary rate limit; only the code tells them apart.
		return fault.ClassOutOfCredit
	case "model_not_found":
		return fault.ClassModelGone
	case "unknown_parameter", "unsupported_parameter", "unsupported_value":
		return fault.ClassUnsupported
	}
	if e.Message == "" && e.Type == "" && code == "" {
		return ""
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
