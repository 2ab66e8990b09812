package replicate

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"easel/shared/fault"
	"easel/shared/provider/httpcall"
)

// problem is the vendor's error. Title and status are not always there.
type problem struct {
	Title  string `json:"title"`
	Detail any    `json:"detail"`
}

// resetsIn finds the wait in the text of a 429 that has no Retry-After.
var resetsIn = regexp.MustCompile(`resets in ~?(\d+(?:\.\d+)?)s`)

// refusal explains an answer that is not 2xx.
func refusal(response *httpcall.Response) *fault.Failure {
	var p problem
	if json.Unmarshal(response.Body, &p) != nil {
		return response.Refusal(httpcall.Verdict{})
	}
	detail, _ := p.Detail.(string)
	if p.Title == "" && p.Detail == nil {
		return response.Refusal(httpcall.Verdict{})
	}
	// A 500 to a create may come after the job was stored.
	verdict := httpcall.Verdict{Class: p.class(response.Status, detail), Starts: true}
	if detail != "" {
		verdict.Detail = strings.TrimPrefix(p.Title+": "+detail, ": ")
	}
	if verdict.Class == fault.ClassRateLimited && httpcall.RetryAfter(response.Header, time.Now()) == 0 {
		if found := resetsIn.FindStringSubmatch(detail); found != nil {
			seconds, _ := strconv.ParseFloat(found[1], 64)
			verdict.RetryAfter = httpcall.Seconds(seconds)
		}
	}
	return response.Refusal(verdict)
}

// class returns "" where the status alone says it, which differs between
// creates and look-ups.
func (p problem) class(status int, detail string) fault.Class {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fault.ClassAuth
	case http.StatusPaymentRequired:
		return fault.ClassOutOfCredit
	case http.StatusTooManyRequests:
		return fault.ClassRateLimited
	case http.StatusNotFound, http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return ""
	case http.StatusUnprocessableEntity:
		if strings.Contains(detail, "version does not exist") || strings.Contains(detail, "Invalid version") {
			return fault.ClassModelGone
		}
	}
	if status >= 500 {
		return fault.ClassUnavailable
	}
	return fault.ClassInvalidInput
}

// classOfJob reads why a prediction failed. Models word their refusals each in
// their own way; what is no refusal is the job's own misfortune.
func classOfJob(text string) fault.Class {
	text = strings.ToLower(text)
	for _, sign := range []string{"nsfw", "flagged as sensitive", "(e005)", "content policy", "content moderation", "request moderated"} {
		if strings.Contains(text, sign) {
			return fault.ClassModerated
		}
	}
	return fault.ClassJobFailed
}
