package local_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/apikey"
	"easel/shared/provider/simulator"
)

// change edits a config as an operator would, and waits until the gateway has noticed.
func (g *gateway) change(id string, edit map[string]any) {
	g.t.Helper()
	c, err := g.App.Store.Config(g.t.Context(), id)
	if err != nil {
		g.t.Fatal(err)
	}
	if n, ok := edit["rate_per_minute"].(int); ok {
		c.RatePerMinute = n
	}
	if n, ok := edit["concurrency"].(int); ok {
		c.Concurrency = n
	}
	if err := g.App.Store.PutConfig(g.t.Context(), c, c.Version); err != nil {
		g.t.Fatal(err)
	}
	g.App.Views.Forget()
}

func TestAConfigAtItsRateIsSkippedNotFailed(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.change("cfg_openai", map[string]any{"rate_per_minute": 3})
	const callers = 9
	var all sync.WaitGroup
	results := make(chan taskView, callers)
	for range callers {
		all.Go(func() { results <- g.create(map[string]any{"prompt": "a lighthouse"}) })
	}
	all.Wait()
	close(results)
	for v := range results {
		if v.Status != "succeeded" || len(v.Attempts) != 1 {
			t.Errorf("task ended as %s with the attempts %s", v.Status, v.outcomes())
		}
	}
	// A minute may have turned in between, which allows three more.
	if n := g.Simulator.Stats(simulator.OpenAI).Submits; n < 3 || n > 6 {
		t.Errorf("the limited config was asked %d times, want 3", n)
	}
	if b := g.balance(); b.Spent != 10*callers || b.Reserved != 0 {
		t.Errorf("balance = %+v", b)
	}
}

func TestAConfigServesNoMoreAtOnceThanItsConcurrency(t *testing.T) {
	t.Parallel()
	g := startWith(t, func(o *local.Options) {
		slow := 300 * time.Millisecond
		o.SimulatorLatency = &slow
	})
	g.change("cfg_replicate", map[string]any{"concurrency": 1})
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if v := g.create(map[string]any{"prompt": "one at a time", "model": "flux-pro"}); v.Status != "succeeded" {
				t.Errorf("task ended as %s (%s)", v.Status, v.outcomes())
			}
		})
	}
	all.Wait()
	if b := g.balance(); b.Spent != 60 || b.Reserved != 0 {
		t.Errorf("balance = %+v", b)
	}
}

// TestABreakerOpensForEveryProcess makes a config fail and looks at the health
// that a second process would see.
func TestABadKeyTakesAConfigOutUntilAProbeSucceeds(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.fault(simulator.OpenAI, simulator.Fault{Fault: simulator.Auth})
	if v := g.create(map[string]any{"prompt": "first"}); v.outcomes() != "openai rejected auth, stability succeeded" {
		t.Fatalf("attempts = %s", v.outcomes())
	}
	if v := g.create(map[string]any{"prompt": "second"}); v.outcomes() != "stability succeeded" {
		t.Fatalf("attempts = %s, want the config with the bad key left out", v.outcomes())
	}
	states, err := g.App.Monitor.State(t.Context())
	if err != nil || len(states) != 1 || states[0].Config != "cfg_openai" || states[0].Breaker != "open" || !states[0].Held {
		t.Fatalf("health = %+v, %v", states, err)
	}
	g.Simulator.ClearFault(simulator.OpenAI)
	if err := g.App.Monitor.Reset(t.Context(), "cfg_openai"); err != nil {
		t.Fatal(err)
	}
	if v := g.create(map[string]any{"prompt": "third"}); v.outcomes() != "openai succeeded" {
		t.Fatalf("attempts = %s after an operator's reset", v.outcomes())
	}
}

func TestHealthz(t *testing.T) {
	t.Parallel()
	g := start(t)
	if status, body := g.call(http.MethodGet, "/healthz", nil); status != http.StatusOK {
		t.Errorf("healthz answered %d: %s", status, body)
	}
}

// limitKey gives the caller's key limits, and waits until the gateway has noticed.
func (g *gateway) limitKey(perMinute, concurrency int) {
	g.t.Helper()
	g.editKey(func(k *apikey.Key) { k.RatePerMinute, k.Concurrency = perMinute, concurrency })
}

func TestAKeyIsHeldToItsRate(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.limitKey(2, 0)
	limited := 0
	for range 7 { // at most four of them pass when the minute turns in between
		status, answer := g.call(http.MethodPost, "/api/generate", map[string]any{"prompt": "a cat", "model": "flux-schnell"})
		switch status {
		case http.StatusAccepted:
		case http.StatusTooManyRequests:
			limited++
		default:
			t.Fatalf("answered %d: %s", status, answer)
		}
	}
	if limited < 3 {
		t.Errorf("%d of 7 requests were refused, want 5", limited)
	}
	// What makes nothing is not limited.
	if status, _ := g.call(http.MethodGet, "/api/account", nil); status != http.StatusOK {
		t.Errorf("reading the account answered %d", status)
	}
}

func TestAKeyIsHeldToItsOpenTasks(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.limitKey(0, 2)
	g.fault(simulator.Replicate, simulator.Fault{Fault: simulator.LateSuccess, DelayMS: 600_000})
	body := map[string]any{"prompt": "a cat", "model": "flux-schnell"}
	ids := make([]string, 0, 2)
	for range 2 {
		status, answer := g.call(http.MethodPost, "/api/generate", body)
		if status != http.StatusAccepted {
			t.Fatalf("answered %d: %s", status, answer)
		}
		ids = append(ids, parse(t, answer).ID)
	}
	if status, answer := g.call(http.MethodPost, "/api/generate", body); status != http.StatusTooManyRequests {
		t.Fatalf("a third open task answered %d: %s", status, answer)
	}
	if status, answer := g.call(http.MethodPost, "/api/task/"+ids[0]+"/cancel", nil); status != http.StatusOK {
		t.Fatalf("cancel answered %d: %s", status, answer)
	}
	if status, answer := g.call(http.MethodPost, "/api/generate", body); status != http.StatusAccepted {
		t.Errorf("after a cancel the next task answered %d: %s", status, answer)
	}
}
