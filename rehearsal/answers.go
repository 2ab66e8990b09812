package rehearsal

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The kinds of answers that API Gateway gives itself, by its own names.
const (
	answerMissing   = "MISSING_AUTHENTICATION_TOKEN"
	answerTooLarge  = "REQUEST_TOO_LARGE"
	answerTimeout   = "INTEGRATION_TIMEOUT"
	answerFailure   = "INTEGRATION_FAILURE"
	answerForbidden = "DEFAULT_4XX"
)

// statuses are API Gateway's own, which a template may change.
var statuses = map[string]int{ //nolint:gochecknoglobals // a constant table
	answerMissing: http.StatusForbidden, answerTooLarge: http.StatusRequestEntityTooLarge,
	answerTimeout: http.StatusGatewayTimeout, answerFailure: http.StatusGatewayTimeout, answerForbidden: http.StatusForbidden,
}

// gatewayAnswer is an answer that the template gives a form.
type gatewayAnswer struct {
	status  string
	headers map[string]string
	body    string
}

// answers returns the template's gateway responses by their kinds.
func (t *Template) answers() map[string]gatewayAnswer {
	found := map[string]gatewayAnswer{}
	for _, id := range t.ids(typeAnswer) {
		properties := t.resources[id].Properties
		a := gatewayAnswer{
			status: t.text(properties["StatusCode"]), headers: map[string]string{},
			body: t.text(at(properties["ResponseTemplates"], "application/json")),
		}
		parameters, _ := properties["ResponseParameters"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(parameters)) {
			if header, ok := strings.CutPrefix(name, "gatewayresponse.header."); ok {
				a.headers[header] = t.text(parameters[name])
			}
		}
		found[t.text(properties["ResponseType"])] = a
	}
	return found
}

// refuse answers instead of a function.
func (f *Front) refuse(w http.ResponseWriter, kind, requestID string) {
	a, ok := f.answers[kind]
	status, err := strconv.Atoi(a.status)
	if err != nil {
		status = statuses[kind]
	}
	if !ok {
		a = gatewayAnswer{headers: map[string]string{"Content-Type": "'application/json'"}, body: `{"message":null}`}
	}
	for name, value := range a.headers {
		if value == "context.requestId" {
			w.Header().Set(name, requestID)
			continue
		}
		w.Header().Set(name, strings.Trim(value, "'"))
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(strings.ReplaceAll(a.body, "$context.requestId", requestID))) // a caller that left needs no answer
}
