package chaos_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/provider/simulator"
	"easel/shared/webhook"
)

// caller is a caller's endpoint: it notes when each task's report first came.
type caller struct {
	*httptest.Server
	mu    sync.Mutex
	first map[string]time.Time
	// messages are the ids of the messages about a task: a report that comes twice
	// has the same one, so that an endpoint can drop it.
	messages map[string]map[string]bool
}

func newCaller(t *testing.T) *caller {
	t.Helper()
	c := &caller{first: map[string]time.Time{}, messages: map[string]map[string]bool{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		at := time.Now()
		var event struct{ Data view }
		body, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(body, &event) != nil {
			t.Errorf("a report could not be read: %v %s", err, body)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.messages[event.Data.ID] == nil {
			c.first[event.Data.ID], c.messages[event.Data.ID] = at, map[string]bool{}
		}
		c.messages[event.Data.ID][r.Header.Get(webhook.HeaderID)] = true
	}))
	t.Cleanup(c.Close)
	return c
}

// told returns how many different messages about a task's end came, and when the first did.
func (c *caller) told(id string) (messages int, first time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.messages[id]), c.first[id]
}

// wait returns when a task's end was reported.
func (c *caller) wait(t *testing.T, id string) time.Time {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-time.After(10 * time.Millisecond) {
		if n, at := c.told(id); n > 0 {
			return at
		}
	}
	t.Fatalf("the caller was not told of task %s in time", id)
	return time.Time{}
}

// completed is when the simulated Replicate finished the task's job.
func (g *gateway) completed(id string) time.Time {
	g.t.Helper()
	now, err := g.App.Store.Task(g.t.Context(), id)
	if err != nil {
		g.t.Fatal(err)
	}
	var p struct {
		CompletedAt time.Time `json:"completed_at"`
	}
	_, answer := g.call("any", http.MethodGet, "/simulated/replicate/v1/predictions/"+now.Attempts[0].Job, nil)
	if err := json.Unmarshal(answer, &p); err != nil || p.CompletedAt.IsZero() {
		g.t.Fatalf("%v in %s", err, answer)
	}
	return p.CompletedAt
}

// TestChaosNotificationLatency measures how long after the provider has finished
// the caller's endpoint knows: the provider's webhook, the worker's look-up, the
// copy into the bucket, the settlement and the report lie between. It measures
// time, so it runs before the tests that run together.
//
//nolint:paralleltest // see above
func TestChaosNotificationLatency(t *testing.T) {
	const atOnce, price = 4, 10
	tasks := 60
	if raced {
		tasks = atOnce
	}
	c := newCaller(t)
	g := start(t, func(o *local.Options) {
		latency := 300 * time.Millisecond
		o.SimulatorLatency = &latency
	})
	took := make([]time.Duration, 0, tasks)
	for len(took) < tasks {
		ids := make([]string, 0, atOnce)
		for n := range atOnce {
			ids = append(ids, g.ask(map[string]any{"prompt": fmt.Sprint("picture ", n), "model": "flux-dev", "callback_url": c.URL}).ID)
		}
		for _, id := range ids {
			took = append(took, c.wait(t, id).Sub(g.completed(id)))
		}
	}
	slices.Sort(took)
	t.Logf("from the provider's completion to the caller's notification, %d tasks: p50 %v, p95 %v, max %v",
		tasks, took[tasks/2].Round(time.Millisecond), took[tasks*95/100].Round(time.Millisecond), took[tasks-1].Round(time.Millisecond))
	// The number is for people: how long it takes says something about this machine
	// too, so no bound on it can fail the test.
	if p95 := took[tasks*95/100]; p95 <= 0 {
		t.Errorf("p95 = %v, which is no time", p95)
	}
	if b := g.balance(); b.Reserved != 0 || b.Spent != int64(tasks*price) {
		t.Errorf("balance = %+v, want %d spent", b, tasks*price)
	}
}

// TestChaosWebhookFaults lets providers send their webhooks thrice, not at all and
// late: each task is made once, paid once and reported by one message.
func TestChaosWebhookFaults(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	g := start(t, func(*local.Options) {})
	faults := []simulator.Fault{
		{Fault: simulator.DuplicateWebhook}, {Fault: simulator.LateSuccess, DelayMS: 400}, {Fault: simulator.LostWebhook},
	}
	models := g.pictures()
	prompts := map[string]string{} // by task
	for name, model := range models {
		for i, f := range faults {
			g.fault(name, f)
			prompt := fmt.Sprint(name, " task ", i)
			v := g.ask(map[string]any{"prompt": prompt, "model": model, "callback_url": c.URL})
			prompts[v.ID] = prompt
			g.until(v.ID, func(v view) bool { return len(v.Attempts) > 0 && v.Attempts[0].Outcome != "started" })
		}
	}
	var spent int64
	for id, prompt := range prompts {
		c.wait(t, id)
		v := g.task(id)
		spent += v.Credits.Charged
		if v.Status != "succeeded" || v.Credits.Charged <= 0 || v.Credits.Reserved != 0 || len(v.Attempts) != 1 || len(v.Outputs) != 1 {
			t.Errorf("%s: task = %+v", prompt, v)
		}
		submits := 0
		for name := range models {
			for _, s := range g.Simulator.Stats(name).Recent {
				if s.Prompt == prompt {
					submits++
				}
			}
		}
		if n, _ := c.told(id); submits != 1 || n != 1 {
			t.Errorf("%s: %d submits and %d different reports, want one of each", prompt, submits, n)
		}
	}
	if b := g.balance(); b.Reserved != 0 || b.Spent != spent {
		t.Errorf("balance = %+v, want %d spent", b, spent)
	}
}
