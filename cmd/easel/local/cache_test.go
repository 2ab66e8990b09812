package local_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/apikey"
	"easel/shared/credits"
	"easel/shared/dynamo"
	"easel/shared/provider/simulator"
)

// asked is an answer with the header that tells of the cache.
type asked struct {
	status int
	cache  string
	header http.Header
	body   []byte
}

func (g *gateway) ask(path string, body any, headers ...string) asked {
	g.t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		g.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.URL+path, bytes.NewReader(content))
	if err != nil {
		g.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+g.APIKey)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Prefer", "wait=300")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode/100 != 2 {
		g.t.Fatalf("%s answered %d: %s, %v", path, response.StatusCode, answer, err)
	}
	return asked{response.StatusCode, response.Header.Get("X-Cache"), response.Header, answer}
}

func picture() map[string]any {
	return map[string]any{"prompt": "a lighthouse", "model": "flux-dev", "seed": 7}
}

// caching is a gateway whose caller's key remembers answers.
func caching(t *testing.T, seconds int) *gateway {
	t.Helper()
	g := start(t)
	g.editKey(func(k *apikey.Key) { k.CacheTTLSeconds = seconds })
	return g
}

func TestTheSameRequestIsAnsweredFromTheCache(t *testing.T) {
	t.Parallel()
	g := caching(t, 600)
	first := g.ask("/api/generate", picture())
	v := g.ended(parse(t, first.body).ID)
	hit := g.ask("/api/generate", map[string]any{"model": "flux-dev", "seed": 7, "prompt": "a lighthouse", "user": "ann", "metadata": map[string]string{"a": "b"}}, "Prefer", "respond-async")
	if first.cache != "MISS" || hit.cache != "HIT" || hit.status != http.StatusOK {
		t.Fatalf("X-Cache %s, then %s with status %d", first.cache, hit.cache, hit.status)
	}
	again := parse(t, hit.body)
	if again.ID == v.ID || again.Status != "succeeded" || again.Credits.Charged != 0 || len(again.Outputs) != 1 || len(again.Attempts) != 0 ||
		statusOf(t, again.Outputs[0].URL) != http.StatusOK || !strings.Contains(string(hit.body), `"cached":true`) {
		t.Errorf("the answer is %s", hit.body)
	}
	if read := g.ended(again.ID); read.Status != "succeeded" || len(read.Outputs) != 1 {
		t.Errorf("read again it is %+v", read)
	}
	if b := g.balance(); b.Spent != 10 || b.Reserved != 0 || g.Simulator.Stats(simulator.Replicate).Submits != 1 {
		t.Errorf("balance %+v after %d submits", b, g.Simulator.Stats(simulator.Replicate).Submits)
	}
	log := g.operate(http.StatusOK, http.MethodGet, "/api/admin/usage/"+again.ID, nil)
	if log["cached"] != true || log["credits"] != 0.0 {
		t.Errorf("the usage log says %v", log)
	}
	other := picture()
	other["seed"] = 8
	if a := g.ask("/api/generate", other); a.cache != "MISS" {
		t.Errorf("another seed is a %s", a.cache)
	}
	unseeded := picture()
	delete(unseeded, "seed")
	for range 2 {
		if a := g.ask("/api/generate", unseeded); a.cache != "BYPASS" {
			t.Errorf("without a seed it is a %s", a.cache)
		}
	}
}

func TestCacheControlIsHeard(t *testing.T) {
	t.Parallel()
	g := caching(t, 600)
	for _, tt := range []struct{ control, want string }{
		{"no-store", "BYPASS"}, {"", "MISS"}, {"", "HIT"}, {"max-age=0, no-cache", "BYPASS"}, {"No-Store", "BYPASS"}, {"", "HIT"},
	} {
		var headers []string
		if tt.control != "" {
			headers = []string{"Cache-Control", tt.control}
		}
		if a := g.ask("/api/prompt", map[string]any{"prompt": "a word"}, headers...); a.cache != tt.want {
			t.Errorf("with %q it is a %s, want %s", tt.control, a.cache, tt.want)
		}
	}
}

func TestARememberedAnswerEndsWithItsTime(t *testing.T) {
	t.Parallel()
	g := caching(t, 1)
	if a := g.ask("/api/prompt", map[string]any{"prompt": "a word"}); a.cache != "MISS" {
		t.Errorf("at first it is a %s", a.cache)
	}
	<-time.After(1100 * time.Millisecond)
	if a := g.ask("/api/prompt", map[string]any{"prompt": "a word"}); a.cache != "MISS" {
		t.Errorf("a second later it is a %s", a.cache)
	}
}

func TestTheCacheIsNotSharedByAccounts(t *testing.T) {
	t.Parallel()
	g := caching(t, 600)
	g.editKey(func(k *apikey.Key) { k.Scopes = append(k.Scopes, apikey.ActAs) })
	if err := g.App.Store.CreateAccount(t.Context(), credits.Account{ID: "other", CreatedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := g.App.Store.Post(t.Context(), credits.ForGrant("other", "start", 100, "", "test", time.Now())); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ account, want string }{{g.Account, "MISS"}, {"other", "MISS"}, {g.Account, "HIT"}, {"other", "HIT"}} {
		if a := g.ask("/api/prompt", map[string]any{"prompt": "a word"}, "X-Easel-Account", tt.account); a.cache != tt.want {
			t.Errorf("for %s it is a %s, want %s", tt.account, a.cache, tt.want)
		}
	}
}

func TestAnAnswerWhoseFileIsGoneIsMadeAnew(t *testing.T) {
	t.Parallel()
	g := caching(t, 600)
	v := g.ended(parse(t, g.ask("/api/generate", picture()).body).ID)
	made, err := g.App.Store.Task(t.Context(), v.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.App.Assets.Delete(t.Context(), made.Outputs[0].Key); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"MISS", "HIT"} {
		a := g.ask("/api/generate", picture())
		if a.cache != want || statusOf(t, g.ended(parse(t, a.body).ID).Outputs[0].URL) != http.StatusOK {
			t.Errorf("it is a %s: %s", a.cache, a.body)
		}
	}
}

func TestOpenAIsRoutesAreAnsweredFromTheCache(t *testing.T) {
	t.Parallel()
	g := caching(t, 600)
	g.editKey(func(k *apikey.Key) { k.CacheUnseeded = true }) // those routes have no seed
	for path, body := range map[string]map[string]any{
		"/v1/images/generations": {"prompt": "a lighthouse"},
		"/v1/chat/completions":   {"messages": []map[string]any{{"role": "user", "content": "hello"}}},
	} {
		first, second := g.ask(path, body), g.ask(path, body)
		if first.cache != "MISS" || second.cache != "HIT" {
			t.Errorf("%s: %s, then %s", path, first.cache, second.cache)
		}
		body["stream"] = path == "/v1/chat/completions"
		if streamed := g.ask(path, body); streamed.cache != "HIT" || body["stream"] == true && !strings.Contains(string(streamed.body), "data: [DONE]") {
			t.Errorf("%s: a stream is a %s: %s", path, streamed.cache, streamed.body)
		}
	}
}

func TestAKeyWithoutACacheHearsNothingOfIt(t *testing.T) {
	t.Parallel()
	g := start(t)
	for range 2 {
		if a := g.ask("/api/prompt", map[string]any{"prompt": "a word"}); a.cache != "" {
			t.Errorf("it is a %q", a.cache)
		}
	}
}

// TestRoundTripsWithACache holds what the cache costs: a read before the provider
// is called and a write after it, or a read and one transaction instead of both.
func TestRoundTripsWithACache(t *testing.T) {
	t.Parallel()
	counter := &dynamo.Counter{}
	g := startWith(t, func(o *local.Options) {
		o.Counter = counter
		o.SweepEvery = time.Hour
	})
	g.editKey(func(k *apikey.Key) { k.CacheTTLSeconds = 600 })
	for what, want := range map[string]map[string]int{
		"no-cache": {"TransactWriteItems": 2, "PutItem": 1},
		"no-store": {"TransactWriteItems": 2},
		"max-age":  {"TransactWriteItems": 1, "GetItem": 1},
	} {
		var got map[string]int
		for try := 0; try < 10 && !maps.Equal(got, want); try++ {
			g.ask("/api/prompt", map[string]any{"prompt": "a word"})
			counter.Reset()
			g.ask("/api/prompt", map[string]any{"prompt": "a word"}, "Cache-Control", what)
			got = counter.Calls()
		}
		if !maps.Equal(got, want) {
			t.Errorf("with %s the database was asked %v, want %v", what, got, want)
		}
	}
}
