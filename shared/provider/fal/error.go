package fal

import (
	"encoding/json"
	"net/http"
	"strings"

	"easel/shared/fault"
	"easel/shared/provider/httpcall"
)

// envelope is the vendor's error. Detail is a sentence or a list of problems.
type envelope struct {
	Detail json.RawMessage `json:"detail"`
}

type problem struct {
	Type string `json:"type"`
	Msg  string `json:"msg"`
}

// parse returns what the body says: own is false when it is not the vendor's.
func parse(response *httpcall.Response) (problems []problem, own bool) {
	var e envelope
	if json.Unmarshal(response.Body, &e) != nil || len(e.Detail) == 0 {
		return nil, false
	}
	if json.Unmarshal(e.Detail, &problems) == nil {
		return problems, len(problems) > 0
	}
	var sentence string
	if json.Unmarshal(e.Detail, &sentence) == nil && sentence != "" {
		return []problem{{Msg: sentence}}, true
	}
	return nil, false
}

// refusal explains an answer that is not 2xx.
func refusal(response *httpcall.Response) *fault.Failure {
	problems, own := parse(response)
	if !own {
		return response.Refusal(httpcall.Verdict{})
	}
	// A 500 to a submit may come after the request was queued.
	return response.Refusal(httpcall.Verdict{Class: classOf(problems, response.Status), Starts: true})
}

// outcome explains the stored answer of a request that ended badly. It is not
// final when it tells only that this look-up failed.
func outcome(response *httpcall.Response) (failure *fault.Failure, final bool) {
	problems, own := parse(response)
	status := response.Status
	waited := response.Header.Get("X-Fal-Request-Timeout-Type") == "user"
	final = status == http.StatusInternalServerError || waited ||
		(own && (status == http.StatusBadRequest || status == http.StatusUnprocessableEntity || status == http.StatusConflict))
	if !final {
		return refusal(response), false
	}
	class := classOf(problems, status)
	switch {
	case waited, hasWord(problems, "cancel"):
		class = fault.ClassCanceled
	case status == http.StatusInternalServerError, class == "", class == fault.ClassUnavailable:
		class = fault.ClassJobFailed
	}
	return response.Rejected(httpcall.Verdict{Class: class}), true
}

// classOf returns "" where the status alone says it.
func classOf(problems []problem, status int) fault.Class {
	for _, p := range problems {
		switch p.Type {
		case "content_policy_violation":
			return fault.ClassModerated
		case "no_media_generated":
			return fault.ClassJobFailed
		}
	}
	switch status {
	case http.StatusForbidden:
		if hasWord(problems, "balance") || hasWord(problems, "locked") {
			return fault.ClassOutOfCredit
		}
		return fault.ClassAuth
	case http.StatusUnauthorized:
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

func hasWord(problems []problem, word string) bool {
	for _, p := range problems {
		if strings.Contains(strings.ToLower(p.Msg), word) {
			return true
		}
	}
	return false
}
