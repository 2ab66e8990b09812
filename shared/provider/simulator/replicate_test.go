package simulator_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"easel/shared/provider/simulator"
)

// inbox is a receiver of webhooks.
type inbox struct {
	mu     sync.Mutex
	calls  []reply
	status func(n int) int // the answer to the nth call, from 1
	url    string
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	in := &inbox{status: func(int) int { return http.StatusOK }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		in.mu.Lock()
		in.calls = append(in.calls, reply{0, r.Header, body})
		status := in.status(len(in.calls))
		in.mu.Unlock()
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	in.url = server.URL
	return in
}

func (in *inbox) all() []reply {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]reply(nil), in.calls...)
}

const schnell = "/replicate/v1/models/black-forest-labs/flux-schnell/predictions"

func TestReplicateRunsFromStartingToSucceeded(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	got := b.post(schnell, `{"input":{"prompt":"a village in snow","num_outputs":2,"aspect_ratio":"16:9","output_format":"jpg"}}`)
	created := got.json(t)
	if got.status != http.StatusCreated || created["status"] != "starting" || created["output"] != nil || created["version"] != "hidden" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	done := b.get(created["urls"].(map[string]any)["get"].(string)).json(t)
	urls, ok := done["output"].([]any)
	if done["status"] != "succeeded" || !ok || len(urls) != 2 {
		t.Fatalf("%v", done)
	}
	file := b.get(urls[0].(string), "Authorization", "")
	if file.header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("content type %q", file.header.Get("Content-Type"))
	}
	picture(t, file.body, "jpeg", 1376, 768)

	pro := b.post("/replicate/v1/models/black-forest-labs/flux-1.1-pro/predictions", `{"input":{"prompt":"x"}}`, "Prefer", "wait=5").json(t)
	if single, ok := pro["output"].(string); !ok || !strings.HasSuffix(single, ".webp") {
		t.Errorf("a pro model answers %v", pro["output"])
	}
}

func TestReplicateRefusesWhatTheVendorRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	for name, tc := range map[string]struct {
		path, body string
		status     int
		says       string
	}{
		"unknown model":      {"/replicate/v1/models/acme/x/predictions", `{"input":{}}`, 404, "could not be found"},
		"not official":       {"/replicate/v1/models/christophy/stable-video-diffusion/predictions", `{"input":{"input_image":"https://x/y.png"}}`, 404, "could not be found"},
		"unknown member":     {schnell, `{"input":{"prompt":"x"},"prompt":"x"}`, 422, "prompt"},
		"no input":           {schnell, `{}`, 422, "input: is required"},
		"out of range":       {schnell, `{"input":{"prompt":"x","num_outputs":5}}`, 422, "input.num_outputs"},
		"unknown version":    {"/replicate/v1/predictions", `{"version":"abc","input":{}}`, 422, "version"},
		"plain HTTP webhook": {schnell, `{"input":{"prompt":"x"},"webhook":"http://example.com/"}`, 422, "HTTPS"},
		"unknown event":      {schnell, `{"input":{"prompt":"x"},"webhook_events_filter":["end"]}`, 422, "webhook_events_filter"},
	} {
		got := b.post(tc.path, tc.body)
		if got.status != tc.status || !strings.Contains(string(got.body), tc.says) || got.json(t)["detail"] == nil {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	submits(b, simulator.Replicate, 0)
}

func TestReplicateSignsItsWebhooks(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	in := newInbox(t)
	id := b.post(schnell, `{"input":{"prompt":"x"},"webhook":"`+in.url+`/?task=1","webhook_events_filter":["completed"]}`).json(t)["id"]
	eventually(t, "the webhook", func() bool { return len(in.all()) == 1 })
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	call := in.all()[0]
	if err := verifier.Verify(call.body, call.header); err != nil {
		t.Error(err)
	}
	if v := call.json(t); v["id"] != id || v["status"] != "succeeded" {
		t.Errorf("%s", call.body)
	}
	if key := b.get("/replicate/v1/webhooks/default/secret").json(t)["key"]; key != secret {
		t.Errorf("the API gives the secret %v", key)
	}
}

func TestReplicateRetriesAWebhookWithTheSameID(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	in := newInbox(t)
	in.status = func(n int) int {
		if n < 3 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	}
	b.post(schnell, `{"input":{"prompt":"x"},"webhook":"`+in.url+`","webhook_events_filter":["completed"]}`)
	eventually(t, "delivery", func() bool { return b.sim.Stats(simulator.Replicate).WebhooksDelivered == 1 })
	calls := in.all()
	if len(calls) != 3 || calls[0].header.Get("Webhook-Id") == "" || calls[0].header.Get("Webhook-Id") != calls[2].header.Get("Webhook-Id") {
		t.Errorf("%d calls", len(calls))
	}
}

func TestReplicateWebhookFaults(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	in := newInbox(t)
	body := `{"input":{"prompt":"x"},"webhook":"` + in.url + `","webhook_events_filter":["completed"]}`

	b.fault(simulator.Replicate, simulator.Fault{Fault: simulator.DuplicateWebhook, Times: 1})
	b.post(schnell, body)
	eventually(t, "three copies", func() bool { return len(in.all()) == 3 })
	calls := in.all()
	if calls[0].header.Get("Webhook-Id") != calls[1].header.Get("Webhook-Id") {
		t.Error("copies have different ids")
	}

	b.fault(simulator.Replicate, simulator.Fault{Fault: simulator.LostWebhook, Times: 1})
	b.post(schnell, body)
	eventually(t, "the loss", func() bool { return b.sim.Stats(simulator.Replicate).WebhooksLost == 1 })

	b.fault(simulator.Replicate, simulator.Fault{Fault: simulator.ResetAfterAccept, Times: 1})
	if _, err := b.request(http.MethodPost, schnell, strings.NewReader(body)); err == nil {
		t.Error("the connection was not reset")
	}
	eventually(t, "the webhook of the unanswered create", func() bool { return len(in.all()) == 4 })
	submits(b, simulator.Replicate, 3)
}

func TestReplicateCancelsAndAborts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	clock := &clock{now: now}
	b := setup(t, simulator.Options{Latency: 10 * time.Second, Now: clock.read})
	create := func(header ...string) string {
		return b.post(schnell, `{"input":{"prompt":"x"}}`, header...).json(t)["id"].(string)
	}
	status := func(id string) any { return b.get("/replicate/v1/predictions/" + id).json(t)["status"] }

	queued, running, late := create(), create(), create("Cancel-After", "5s")
	if got := b.post("/replicate/v1/predictions/"+queued+"/cancel", "").json(t)["status"]; got != "aborted" {
		t.Errorf("a queued prediction is %v after cancel", got)
	}
	clock.add(3 * time.Second)
	if got := status(running); got != "processing" {
		t.Errorf("status %v", got)
	}
	if got := b.post("/replicate/v1/predictions/"+running+"/cancel", "").json(t)["status"]; got != "canceled" {
		t.Errorf("a running prediction is %v after cancel", got)
	}
	clock.add(8 * time.Second)
	if got := status(late); got != "canceled" {
		t.Errorf("a prediction past its deadline is %v", got)
	}
}

// clock is a clock that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestReplicateRemovesOutputsAfterAnHour(t *testing.T) {
	t.Parallel()
	clock := &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	b := setup(t, simulator.Options{Now: clock.read})
	done := b.post(schnell, `{"input":{"prompt":"x","megapixels":"0.25"}}`, "Prefer", "wait").json(t)
	url := done["output"].([]any)[0].(string)
	if got := b.get(url); got.status != http.StatusOK {
		t.Fatalf("status %d", got.status)
	}
	clock.add(time.Hour)
	if got := b.get(url); got.status != http.StatusNotFound {
		t.Errorf("the file answers %d after an hour", got.status)
	}
	if got := b.get("/replicate/v1/predictions/" + done["id"].(string)).json(t); got["data_removed"] != true || got["output"] != nil {
		t.Errorf("%v", got)
	}
}

func TestReplicateListsItsPredictions(t *testing.T) {
	t.Parallel()
	clock := &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	b := setup(t, simulator.Options{Now: clock.read})
	for range 103 {
		clock.add(time.Second)
		b.post(schnell, `{"input":{"prompt":"x"}}`)
	}
	page := b.get("/replicate/v1/predictions").json(t)
	if got := len(page["results"].([]any)); got != 100 || page["previous"] != nil {
		t.Fatalf("first page has %d", got)
	}
	next := b.get(page["next"].(string)).json(t)
	if got := len(next["results"].([]any)); got != 3 || next["next"] != nil {
		t.Errorf("second page has %d", got)
	}
	recent := b.get("/replicate/v1/predictions?created_after=2026-11-22T12:01:43Z").json(t)
	if got := len(recent["results"].([]any)); got != 1 {
		t.Errorf("%d predictions after the last second", got)
	}
}

func TestJobsSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := newInbox(t)
	first := setup(t, simulator.Options{Dir: dir, Latency: 300 * time.Millisecond})
	id := first.post(schnell, `{"input":{"prompt":"x"},"webhook":"`+in.url+`","webhook_events_filter":["completed"]}`).json(t)["id"].(string)
	first.sim.Close()
	if len(in.all()) != 0 {
		t.Fatal("the webhook came before the restart")
	}
	second := setup(t, simulator.Options{Dir: dir, Latency: 300 * time.Millisecond})
	eventually(t, "the webhook", func() bool { return len(in.all()) == 1 })
	if got := second.get("/replicate/v1/predictions/" + id).json(t)["status"]; got != "succeeded" {
		t.Errorf("status %v", got)
	}
}
