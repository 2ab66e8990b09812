package providertest

import (
	"net/http"
	"strings"
	"testing"
)

func TestAContractNoticesWhatIsNotDocumented(t *testing.T) {
	t.Parallel()
	top := 4.0
	c := Contract{
		Method: "POST", Path: "/models/{}:generate", Body: "json",
		Headers: map[string]string{"Authorization": "Bearer {{key}}"}, OptionalHeaders: []string{"X-Trace"},
		Query: map[string]string{"alt": "sse"}, OptionalQuery: []string{"page"},
		Fields: map[string]Field{
			"prompt": {Type: "string", Required: true, MaxLength: 5}, "n": {Type: "integer", Max: &top},
			"parts": {Type: "array"}, "parts[]": {Type: "object"}, "parts[].text": {Type: "string", Enum: []any{"a", "b"}},
		},
	}
	for _, tt := range []struct {
		name, path, query, header, body, want string
	}{
		{"what is documented", "/models/m:generate", "page", "X-Trace", `{"prompt":"a","n":4,"parts":[{"text":"b"}]}`, ""},
		{"another path", "/models/m:other", "", "", `{"prompt":"a"}`, "sent POST /models/m:other"},
		{"a path without its part", "/models/:generate", "", "", `{"prompt":"a"}`, "sent POST"},
		{"a header", "/models/m:generate", "", "X-Other", `{"prompt":"a"}`, "header X-Other is not documented"},
		{"a query parameter", "/models/m:generate", "key", "", `{"prompt":"a"}`, "query parameter key is not documented"},
		{"a field", "/models/m:generate", "", "", `{"prompt":"a","user":"x"}`, "field user is not documented"},
		{"a field deep inside", "/models/m:generate", "", "", `{"prompt":"a","parts":[{"text":"a","x":1}]}`, "field parts[].x is not documented"},
		{"a missing field", "/models/m:generate", "", "", `{}`, "field prompt is missing"},
		{"a wrong type", "/models/m:generate", "", "", `{"prompt":7}`, "is a number, documented is string"},
		{"a long text", "/models/m:generate", "", "", `{"prompt":"abcdef"}`, "is too long"},
		{"a value out of range", "/models/m:generate", "", "", `{"prompt":"a","n":5}`, "is out of range"},
		{"an unknown word", "/models/m:generate", "", "", `{"prompt":"a","parts":[{"text":"c"}]}`, "is none of"},
	} {
		sent := Recorded{Method: "POST", Path: tt.path, Query: map[string][]string{}, Header: http.Header{"Accept": {"*/*"}}, Body: []byte(tt.body)}
		if tt.query != "" {
			sent.Query[tt.query] = []string{"1"}
		}
		if tt.header != "" {
			sent.Header.Set(tt.header, "1")
		}
		got := strings.Join(c.problems(t, sent), "; ")
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
