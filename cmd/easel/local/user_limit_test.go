package local_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/apikey"
	"easel/shared/dynamo"
	"easel/shared/provider/simulator"
)

// editKey changes the caller's key, before its first use or for a gateway that
// has forgotten it again.
func (g *gateway) editKey(edit func(k *apikey.Key)) {
	g.t.Helper()
	id, _, _ := apikey.Parse(g.APIKey)
	k, err := g.App.Store.Key(g.t.Context(), id)
	if err != nil {
		g.t.Fatal(err)
	}
	edit(&k)
	if err := g.App.Store.PutKey(g.t.Context(), k, k.Version); err != nil {
		g.t.Fatal(err)
	}
}

// rateProblem is a 429.
type rateProblem struct {
	Code      string `json:"code"`
	LimitedBy string `json:"limited_by"`
	Limit     int    `json:"limit"`
}

func problemOf(t *testing.T, body []byte) (p rateProblem) {
	t.Helper()
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return p
}

func TestAUserIsHeldToItsRateAndNobodyElse(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.editKey(func(k *apikey.Key) { k.RatePerMinute, k.UserRatePerMinute = 1000, 3 })
	const callers = 20
	statuses := make(chan int, callers)
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			status, body := g.call(http.MethodPost, "/api/generate", map[string]any{"prompt": "a cat", "model": "flux-schnell", "user": "ann"})
			if p := (rateProblem{}); status == http.StatusTooManyRequests {
				if p = problemOf(t, body); p.Code != "rate_limited" || p.LimitedBy != "user_rate_per_minute" || p.Limit != 3 {
					t.Errorf("problem = %s", body)
				}
			}
			statuses <- status
		})
	}
	all.Wait()
	close(statuses)
	counts := map[int]int{}
	for s := range statuses {
		counts[s]++
	}
	// Three more pass when the minute turns in between.
	if n := counts[http.StatusAccepted]; n < 3 || n > 6 || n+counts[http.StatusTooManyRequests] != callers {
		t.Errorf("answers = %v, want 3 accepted and the rest refused", counts)
	}
	for _, body := range []map[string]any{
		{"prompt": "a cat", "model": "flux-schnell", "user": "bob"},
		{"prompt": "a cat", "model": "flux-schnell"},
	} {
		if status, answer := g.call(http.MethodPost, "/api/generate", body); status != http.StatusAccepted {
			t.Errorf("another user is answered %d: %s", status, answer)
		}
	}
}

// TestAUserOverItsRateCostsTheKeyNothing lets one user hammer a key with a small
// rate of its own, many times at once: the other users must find that rate untouched.
func TestAUserOverItsRateCostsTheKeyNothing(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.editKey(func(k *apikey.Key) { k.RatePerMinute, k.UserRatePerMinute = 6, 1 })
	body := map[string]any{"model": "gemini-flash", "messages": []map[string]any{{"role": "user", "content": "hello"}}, "user": "ann"}
	const callers = 30
	statuses := make(chan int, callers)
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			status, _ := g.call(http.MethodPost, "/v1/chat/completions", body)
			statuses <- status
		})
	}
	all.Wait()
	close(statuses)
	refused := 0
	for status := range statuses {
		if status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < callers-2 {
		t.Errorf("%d of %d requests were refused, want all but one", refused, callers)
	}
	for _, user := range []string{"bob", "cid", "dan"} {
		body["user"] = user
		if status, answer := g.call(http.MethodPost, "/v1/chat/completions", body); status != http.StatusOK {
			t.Errorf("%s is answered %d: %s", user, status, answer)
		}
	}
}

func TestAUserIsHeldToItsOpenTasks(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.editKey(func(k *apikey.Key) { k.UserConcurrency = 2 })
	g.fault(simulator.Replicate, simulator.Fault{Fault: simulator.LateSuccess, DelayMS: 600_000})
	open := func(user string) (int, []byte) {
		return g.call(http.MethodPost, "/api/generate", map[string]any{"prompt": "a cat", "model": "flux-schnell", "user": user})
	}
	const callers = 8
	ids := make(chan string, callers)
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			switch status, body := open("ann"); status {
			case http.StatusAccepted:
				ids <- parse(t, body).ID
			case http.StatusTooManyRequests:
				if p := problemOf(t, body); p.LimitedBy != "user_concurrency" || p.Limit != 2 {
					t.Errorf("problem = %s", body)
				}
			default:
				t.Errorf("answered %d: %s", status, body)
			}
		})
	}
	all.Wait()
	close(ids)
	if len(ids) != 2 {
		t.Fatalf("%d tasks were begun, want 2", len(ids))
	}
	if status, body := open("bob"); status != http.StatusAccepted {
		t.Errorf("another user is answered %d: %s", status, body)
	}
	if status, body := g.call(http.MethodPost, "/api/task/"+<-ids+"/cancel", nil); status != http.StatusOK {
		t.Fatalf("cancel answered %d: %s", status, body)
	}
	if status, body := open("ann"); status != http.StatusAccepted {
		t.Errorf("after a cancel the next task answered %d: %s", status, body)
	}
}

// TestRoundTripsWithUserLimits holds what a user's limits cost: a conditional
// write for the rate, and one each to take a place and to give it back.
func TestRoundTripsWithUserLimits(t *testing.T) {
	t.Parallel()
	counter := &dynamo.Counter{}
	g := startWith(t, func(o *local.Options) {
		o.Counter = counter
		o.SweepEvery = time.Hour
	})
	g.editKey(func(k *apikey.Key) { k.UserRatePerMinute, k.UserConcurrency = 30, 5 })
	want := map[string]int{"TransactWriteItems": 2, "UpdateItem": 3}
	var got map[string]int
	for try := 0; try < 10 && !maps.Equal(got, want); try++ {
		counter.Reset()
		if status, answer := g.call(http.MethodPost, "/api/prompt", map[string]any{"prompt": "a word", "user": "ann"}); status != http.StatusOK {
			t.Fatalf("answered %d: %s", status, answer)
		}
		got = counter.Calls()
	}
	if !maps.Equal(got, want) {
		t.Errorf("a text under both limits of a user asked the database %v, want %v", got, want)
	}
}
