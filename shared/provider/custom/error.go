package custom

import (
	"net/http"
	"slices"
	"strings"

	"easel/shared/fault"
	"easel/shared/provider/httpcall"
)

// refusal explains an answer that is not 2xx.
func (d definition) refusal(response *httpcall.Response, tree tree) error {
	class, detail := d.classify(response.Status, tree)
	if class == "" && detail != "" {
		class = usualClass(response.Status)
	}
	return response.Refusal(httpcall.Verdict{Class: class, Detail: detail, Starts: d.Mode == async})
}

// classify finds the class by the description's rules, "" when none fits, and
// what the API said.
func (d definition) classify(status int, tree tree) (fault.Class, string) {
	message := tree.text(d.Answer.ErrorMessage)
	codes := slices.DeleteFunc([]string{tree.text(d.Answer.ErrorCode), tree.text(d.OK.Code)}, func(code string) bool { return code == "" })
	detail := strings.Trim(strings.Join(slices.Compact(codes), " ")+": "+message, ": ")
	for _, r := range d.Errors {
		if r.fits(status, codes, message) {
			return fault.Class(r.Class), detail
		}
	}
	return "", detail
}

func (r rule) fits(status int, codes []string, message string) bool {
	if len(r.HTTP) > 0 && !slices.Contains(r.HTTP, status) {
		return false
	}
	if len(r.Codes) > 0 && !slices.ContainsFunc(codes, func(code string) bool { return slices.Contains(r.Codes, code) }) {
		return false
	}
	message = strings.ToLower(message)
	return len(r.Contains) == 0 || slices.ContainsFunc(r.Contains, func(word string) bool {
		return strings.Contains(message, strings.ToLower(word))
	})
}

// usualClass is what a status means at an API that words its errors; "" where it
// differs between submits and look-ups.
func usualClass(status int) fault.Class {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fault.ClassAuth
	case http.StatusPaymentRequired:
		return fault.ClassOutOfCredit
	case http.StatusTooManyRequests:
		return fault.ClassRateLimited
	case http.StatusNotFound, http.StatusGone, http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return ""
	}
	if status >= 500 {
		return fault.ClassUnavailable
	}
	return fault.ClassInvalidInput
}

// classes are the ones that a rule may name.
func classes() []string {
	return []string{
		string(fault.ClassRateLimited), string(fault.ClassUnavailable), string(fault.ClassAuth), string(fault.ClassOutOfCredit),
		string(fault.ClassModelGone), string(fault.ClassModerated), string(fault.ClassInvalidInput), string(fault.ClassUnsupported),
		string(fault.ClassJobFailed), string(fault.ClassNotFound), string(fault.ClassCanceled),
	}
}
