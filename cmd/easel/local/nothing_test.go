package local_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"easel/cmd/easel/local"
)

// TestWhatIsNoRouteIsRefusedInItsForm: behind the console's page, which answers
// every path that a person might open, the API's paths stay the API's.
func TestWhatIsNoRouteIsRefusedInItsForm(t *testing.T) {
	t.Parallel()
	g := startWith(t, func(o *local.Options) {
		o.Console = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<!doctype html>") })
	})
	for _, test := range []struct {
		method, path string
		status       int
		openAI       bool
	}{
		{http.MethodGet, "/api/nothing", http.StatusNotFound, false},
		{http.MethodPost, "/api/generate/nothing", http.StatusNotFound, false},
		{http.MethodDelete, "/api/generate", http.StatusMethodNotAllowed, false},
		{http.MethodGet, "/v1/nothing", http.StatusNotFound, true},
		{http.MethodDelete, "/v1/models", http.StatusMethodNotAllowed, true},
	} {
		status, body := g.call(test.method, test.path, nil)
		var answer struct {
			Type  string
			Error *struct{ Message, Type string }
		}
		if err := json.Unmarshal(body, &answer); err != nil || status != test.status || (answer.Error != nil) != test.openAI || (answer.Type == "") != test.openAI {
			t.Errorf("%s %s: %d %s", test.method, test.path, status, body)
		}
	}
	if status, body := g.call(http.MethodGet, "/tasks", nil); status != http.StatusOK || string(body) != "<!doctype html>" {
		t.Errorf("a page of the console: %d %s", status, body)
	}
}
