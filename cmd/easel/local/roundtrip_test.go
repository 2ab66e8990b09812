package local_test

import (
	"maps"
	"net/http"
	"testing"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/dynamo"
)

// TestRoundTrips holds how often a request goes to the database once the short
// caches are warm: they are what a caller waits for and what an operator pays.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	counter := &dynamo.Counter{}
	g := startWith(t, func(o *local.Options) {
		o.Counter = counter
		o.SweepEvery = time.Hour
	})
	v := g.create(map[string]any{"prompt": "warm the caches"})
	for _, tt := range []struct {
		what, method, path string
		body               any
		want               map[string]int
	}{
		// One transaction before the provider is called, with the reservation and the
		// attempt; one after it, with the result and the charge.
		{"a picture made in its request", http.MethodPost, "/api/generate", map[string]any{"prompt": "served in the request"}, map[string]int{"TransactWriteItems": 2}},
		{"a text", http.MethodPost, "/api/prompt", map[string]any{"prompt": "a word"}, map[string]int{"TransactWriteItems": 2}},
		{"a poll", http.MethodGet, "/api/task/" + v.ID, nil, map[string]int{"GetItem": 1}},
	} {
		// The caches look for changes every few seconds, so a slow machine may see a
		// read more now and then; it cannot see one each time.
		var got map[string]int
		for try := 0; try < 10 && !maps.Equal(got, tt.want); try++ {
			counter.Reset()
			if status, answer := g.call(tt.method, tt.path, tt.body, "Prefer", "wait=300"); status != http.StatusOK {
				t.Fatalf("%s answered %d: %s", tt.what, status, answer)
			}
			got = counter.Calls()
		}
		if !maps.Equal(got, tt.want) {
			t.Errorf("%s asked the database %v, want %v", tt.what, got, tt.want)
		}
	}
}
