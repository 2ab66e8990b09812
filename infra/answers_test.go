package main

import (
	"encoding/json"
	"strconv"
	"testing"
)

// TestTheGatewaysOwnErrorsHaveOurForm looks at what callers get where no function
// is asked; the rehearsal compares the codes with those of the functions.
func TestTheGatewaysOwnErrorsHaveOurForm(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, _ string, tmpl template) {
		t.Helper()
		made := tmpl.of("AWS::ApiGateway::GatewayResponse")
		if len(made) != 8 {
			t.Errorf("%d answers, want 8", len(made))
		}
		for kind, status := range map[string]string{
			"MISSING_AUTHENTICATION_TOKEN": "404", "REQUEST_TOO_LARGE": "413", "THROTTLED": "429", "WAF_FILTERED": "403",
			"INTEGRATION_TIMEOUT": "504", "INTEGRATION_FAILURE": "502", "DEFAULT_4XX": "", "DEFAULT_5XX": "",
		} {
			p := tmpl.one(t, "AWS::ApiGateway::GatewayResponse", "ResponseType", kind).Properties
			if got := render(orEmpty(p["StatusCode"])); got != status {
				t.Errorf("%s answers %q, want %q", kind, got, status)
			}
			checkAnswer(t, kind, status, p)
		}
	})
}

func orEmpty(value any) any {
	if value == nil {
		return ""
	}
	return value
}

func checkAnswer(t *testing.T, kind, status string, p map[string]any) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Type": "'application/problem+json'", "X-Request-Id": "context.requestId",
		"X-Content-Type-Options": "'nosniff'", "Cache-Control": "'no-store'",
	} {
		if got := at(p, "ResponseParameters", "gatewayresponse.header."+name); got != want {
			t.Errorf("%s: %s is %v", kind, name, got)
		}
	}
	var body struct {
		Type, Title, Detail, Code string
		Status                    int
		RequestID                 string `json:"request_id"`
		Error                     struct{ Message, Type, Code string }
	}
	if err := json.Unmarshal([]byte(render(at(p, "ResponseTemplates", "application/json"))), &body); err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	if status != "" && strconv.Itoa(body.Status) != status {
		t.Errorf("%s: the body says %d", kind, body.Status)
	}
	if body.Type != "urn:easel:problem:"+body.Code || body.Title == "" || body.Detail == "" || body.RequestID != "$context.requestId" {
		t.Errorf("%s: the problem is %+v", kind, body)
	}
	if body.Error.Message != body.Detail || body.Error.Type == "" || body.Error.Code != body.Code {
		t.Errorf("%s: OpenAI's clients get %+v", kind, body.Error)
	}
	if refused := at(p, "ResponseParameters", "gatewayresponse.header.X-Should-Retry") == "'false'"; refused != (body.Error.Type == "server_error") {
		t.Errorf("%s: repeats are refused: %v", kind, refused)
	}
}
