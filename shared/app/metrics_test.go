package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/emf"
	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/lambdahttp"
	"easel/shared/lifecycle"
	"easel/shared/provider"
	"easel/shared/storetest"
	"easel/shared/task"
)

// metered is an engine over a store in memory whose writes are counted.
type metered struct {
	t       *testing.T
	out     *bytes.Buffer
	metrics *Metrics
	engine  *lifecycle.Engine
	store   *storetest.Memory
	awaited *awaited
	now     time.Time
	// notes are the attempts whose webhooks are awaited, and sent what the worker
	// gets later.
	notes map[string]bool
	sent  []string
	fail  error
}

func (m *metered) Await(_ context.Context, attempt string, _ time.Time) error {
	m.notes[attempt] = true
	return m.fail
}

func (m *metered) Awaited(_ context.Context, attempt string) (bool, error) {
	there := m.notes[attempt]
	delete(m.notes, attempt)
	return there, m.fail
}

func (m *metered) Send(_ context.Context, body []byte, delay time.Duration) error {
	if delay != webhookGrace {
		m.t.Errorf("a reminder comes after %s", delay)
	}
	m.sent = append(m.sent, string(body))
	return m.fail
}

func newMetered(t *testing.T, function string) *metered {
	t.Helper()
	m := &metered{t: t, out: &bytes.Buffer{}, store: &storetest.Memory{}, notes: map[string]bool{}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time {
		m.now = m.now.Add(time.Millisecond) // no two writes at one moment
		return m.now
	}
	log := slog.New(slog.DiscardHandler)
	m.metrics = NewMetrics(emf.New(emf.Options{Out: m.out, Stage: "dev", Now: clock, Log: slog.New(failing{t})}), function, clock, log)
	m.awaited = &awaited{
		store: m, queue: m, metrics: m.metrics, promised: func(name string) bool { return name == "replicate" }, now: clock, log: log,
	}
	m.engine = lifecycle.NewEngine(m.metrics.store(m.store, m.awaited, func(context.Context, task.Task, task.Attempt) int64 { return 70 }), clock, NewID)
	if err := m.store.CreateAccount(t.Context(), credits.Account{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	if err := m.store.Post(t.Context(), credits.ForGrant("a", "g", 100, "", "", m.now)); err != nil {
		t.Fatal(err)
	}
	return m
}

// failing fails the test when the meter complains.
type failing struct{ t *testing.T }

func (failing) Enabled(context.Context, slog.Level) bool { return true }
func (f failing) Handle(_ context.Context, r slog.Record) error {
	f.t.Error(r.Message)
	return nil
}
func (f failing) WithAttrs([]slog.Attr) slog.Handler { return f }
func (f failing) WithGroup(string) slog.Handler      { return f }

// dimensionsOf returns the values of a metric's longest set of dimensions.
func dimensionsOf(metric env.Metric, members map[string]any) string {
	set := metric.Dimensions[len(metric.Dimensions)-1]
	values := make([]string, len(set))
	for i, name := range set {
		values[i], _ = members[name].(string)
	}
	return strings.Join(values, " ")
}

// sums returns what was published since the last time, by metric and the values of
// its longest set of dimensions.
func (m *metered) sums() map[string]float64 {
	m.t.Helper()
	m.metrics.meter.Flush()
	sums := map[string]float64{}
	for line := range strings.Lines(m.out.String()) {
		var members map[string]any
		if err := json.Unmarshal([]byte(line), &members); err != nil {
			m.t.Fatal(err)
		}
		for _, metric := range env.Metrics() {
			value, ok := members[metric.Name]
			if !ok {
				continue
			}
			name := strings.TrimSpace(metric.Name + " " + dimensionsOf(metric, members))
			values, many := value.([]any)
			if !many {
				values = []any{value}
			}
			for _, v := range values {
				n, _ := v.(float64)
				sums[name] += n
			}
		}
	}
	m.out.Reset()
	return sums
}

// counts is sums without what is timed.
func (m *metered) counts() map[string]float64 {
	m.t.Helper()
	sums := m.sums()
	maps.DeleteFunc(sums, func(name string, _ float64) bool { return strings.HasPrefix(name, env.MetricTaskDuration) })
	return sums
}

func (m *metered) begin() task.Task {
	m.t.Helper()
	t, _, err := m.engine.Begin(m.t.Context(), lifecycle.Order{
		Account: "a", Request: generation.Request{Kind: generation.Image, Model: "flux-dev"}, Quote: catalog.Quote{Credits: 10},
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return t
}

func (m *metered) start(t task.Task, config, providerName string) (task.Task, string) {
	m.t.Helper()
	next, err := m.engine.Start(m.t.Context(), t, lifecycle.Start{Owner: "o", Timeout: time.Minute, Config: config, Provider: providerName})
	if err != nil {
		m.t.Fatal(err)
	}
	return next, next.Attempts[len(next.Attempts)-1].ID
}

func must(t *testing.T) func(task.Task, error) task.Task {
	t.Helper()
	return func(next task.Task, err error) task.Task {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
}

func wantCounts(t *testing.T, got, want map[string]float64) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("published %v\nwant %v", got, want)
	}
}

func TestAFailoverIsCountedOnceAndPaidOnce(t *testing.T) {
	t.Parallel()
	m, ok := newMetered(t, env.Worker), must(t)
	one, id := m.start(m.begin(), "cfg_1", "openai")
	one = ok(m.engine.Refused(t.Context(), one, id, &fault.Failure{Class: fault.ClassAuth}, generation.Usage{}))
	one, id = m.start(one, "cfg_2", "fal")
	one = ok(m.engine.Accept(t.Context(), one, id, provider.Answer{Job: provider.Job{ID: "j"}}, time.Second))
	one = ok(m.engine.Looked(t.Context(), one, id, 0.5, time.Second))
	one = ok(m.engine.Finish(t.Context(), one, id, lifecycle.Delivery{
		Outputs: []generation.Asset{{Key: "k"}}, Usage: generation.Usage{CostMicroUSD: 250},
	}))
	got := m.sums()
	if duration := got["task_duration image"]; duration != float64(one.FinishedAt.Sub(one.CreatedAt).Milliseconds()) {
		t.Errorf("the task took %v ms", duration)
	}
	delete(got, "task_duration image")
	wantCounts(t, got, map[string]float64{
		"attempts openai auth": 1, "provider_faults": 1, "config_faults": 1, "failovers": 1,
		"attempts fal none": 1, "provider_cost fal": 250, "tasks succeeded": 1, "credits image": 10,
	})
}

func TestARetryAtTheSameConfigIsNoFailover(t *testing.T) {
	t.Parallel()
	m, ok := newMetered(t, env.Worker), must(t)
	one, id := m.start(m.begin(), "cfg_1", "openai")
	one = ok(m.engine.Refused(t.Context(), one, id, &fault.Failure{Class: fault.ClassConnect}, generation.Usage{}))
	m.start(one, "cfg_1", "openai")
	wantCounts(t, m.counts(), map[string]float64{"attempts openai connect": 1, "provider_faults": 1})
}

func TestHowTasksEnd(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end  func(m *metered, t task.Task) (task.Task, error)
		want map[string]float64
	}{
		"refused content is nobody's fault": {func(m *metered, one task.Task) (task.Task, error) {
			one, id := m.start(one, "c", "openai")
			one = must(m.t)(m.engine.Refused(m.t.Context(), one, id, &fault.Failure{Class: fault.ClassModerated}, generation.Usage{}))
			return m.engine.Fail(m.t.Context(), one, task.Error{Code: fault.ContentRejected})
		}, map[string]float64{"attempts openai moderated": 1, "tasks refused": 1}},
		"a failure": {func(m *metered, one task.Task) (task.Task, error) {
			return m.engine.Fail(m.t.Context(), one, task.Error{Code: fault.ProviderFailed})
		}, map[string]float64{"tasks failed": 1}},
		"a cancellation": {func(m *metered, one task.Task) (task.Task, error) {
			return m.engine.Cancel(m.t.Context(), one)
		}, map[string]float64{"tasks canceled": 1}},
		"a deadline": {func(m *metered, one task.Task) (task.Task, error) {
			m.now = m.now.Add(time.Hour)
			return m.engine.Expire(m.t.Context(), one)
		}, map[string]float64{"tasks expired": 1}},
		"a job that never ends": {func(m *metered, one task.Task) (task.Task, error) {
			one, id := m.start(one, "c", "fal")
			one = must(m.t)(m.engine.Accept(m.t.Context(), one, id, provider.Answer{Job: provider.Job{ID: "j"}}, 0))
			m.now = m.now.Add(time.Hour)
			one = must(m.t)(m.engine.Expire(m.t.Context(), one))
			return m.engine.Abandon(m.t.Context(), one, id)
		}, map[string]float64{"tasks expired": 1, "attempts fal timeout": 1, "provider_faults": 1, "losses": 1, "loss_cost": 70}},
		"a late success": {func(m *metered, one task.Task) (task.Task, error) {
			one, id := m.start(one, "c", "fal")
			one = must(m.t)(m.engine.Accept(m.t.Context(), one, id, provider.Answer{Job: provider.Job{ID: "j"}}, 0))
			m.now = m.now.Add(time.Hour)
			one = must(m.t)(m.engine.Expire(m.t.Context(), one))
			return m.engine.Finish(m.t.Context(), one, id, lifecycle.Delivery{Outputs: []generation.Asset{{Key: "k"}}})
		}, map[string]float64{"tasks expired": 1, "tasks succeeded": 1, "attempts fal none": 1, "credits image": 10}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMetered(t, env.Worker)
			must(t)(test.end(m, m.begin()))
			wantCounts(t, m.counts(), test.want)
		})
	}
}

func TestWhatWasNotWrittenIsNotCounted(t *testing.T) {
	t.Parallel()
	m := newMetered(t, env.Worker)
	one := m.begin()
	m.sums()
	m.store.Fail = func(string) error { return errors.New("throttled") }
	if _, err := m.engine.Cancel(t.Context(), one); err == nil {
		t.Fatal("no error")
	}
	wantCounts(t, m.counts(), map[string]float64{})
}

func TestAMessageThatWaitedIsTimed(t *testing.T) {
	t.Parallel()
	m := newMetered(t, env.Worker)
	handle := lambdahttp.SQSHandler(m.metrics.Message(func(context.Context, []byte) error { return nil }), lambdahttp.Options{})
	sent := map[string]string{"SentTimestamp": "1772366395000"} // five seconds before
	_, err := handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{
		{MessageId: "1", Body: `{"task":"task_1","reason":"created"}`, Attributes: sent},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if age := m.sums()["queue_age"]; age < 5000 || age > 5100 {
		t.Errorf("waited %v ms", age)
	}
	_, err = handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{
		{MessageId: "1", Body: `{"task":"task_1","reason":"poll"}`, Attributes: sent},
		{MessageId: "2", Body: `not JSON`, Attributes: sent},
	}})
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, m.counts(), map[string]float64{})
}

func TestRequestsByFunctionOutcomeAndOperation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		function, method, path, prefer string
		status                         int
		want                           []string
	}{
		"a submit":      {env.Generate, "POST", "/api/generate", "", 202, []string{"requests generate ok", "latency submit"}},
		"a wait":        {env.Generate, "POST", "/api/generate", "wait=20", 200, []string{"requests generate ok", "latency wait"}},
		"the seed form": {env.Generate, "POST", "/api/generate/image", "", 200, []string{"requests generate ok", "latency wait"}},
		"an OpenAI image that failed": {env.Generate, "POST", "/v1/images/generations", "", 502, []string{
			"requests generate server_error", "latency wait",
		}},
		"a text":             {env.Prompt, "POST", "/v1/chat/completions", "", 200, []string{"requests prompt ok", "latency text"}},
		"a read":             {env.Task, "GET", "/api/task/task_1", "", 404, []string{"requests task client_error", "latency read"}},
		"a change":           {env.Admin, "PUT", "/api/admin/configs/c", "", 200, []string{"requests admin ok"}},
		"a cancellation":     {env.Task, "POST", "/api/task/t/cancel", "", 200, []string{"requests task ok"}},
		"a report":           {env.Webhook, "POST", "/api/webhooks/fal", "", 202, []string{"requests webhook ok", "webhook_receipts received"}},
		"a report again":     {env.Webhook, "POST", "/api/webhooks/fal", "", 200, []string{"requests webhook ok", "webhook_receipts duplicate"}},
		"a forged report":    {env.Webhook, "POST", "/api/webhooks/fal", "", 401, []string{"requests webhook client_error", "webhook_receipts rejected"}},
		"a report too early": {env.Webhook, "POST", "/api/webhooks/fal", "", 503, []string{"requests webhook server_error"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMetered(t, test.function)
			h := m.metrics.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(test.status) }))
			r := httptest.NewRequestWithContext(t.Context(), test.method, test.path, nil)
			r.Header.Set("Prefer", test.prefer)
			h.ServeHTTP(httptest.NewRecorder(), r)
			if m.out.Len() == 0 {
				t.Error("nothing was flushed when the request ended")
			}
			got := m.sums()
			for _, name := range test.want {
				if _, ok := got[name]; !ok {
					t.Errorf("published %v, want %q", got, name)
				}
			}
			if len(got) != len(test.want) {
				t.Errorf("published %v, want only %q", got, test.want)
			}
		})
	}
}

type dueList []string

func (d dueList) Due(context.Context, time.Time, int) ([]string, error) { return d, nil }

func TestATickFindsTasksThatNobodyCouldEnd(t *testing.T) {
	t.Parallel()
	m := newMetered(t, env.Worker)
	old, fresh := m.begin(), m.begin()
	ended := must(t)(m.engine.Cancel(t.Context(), m.begin()))
	m.sums()
	due := m.metrics.due(dueList{old.ID, ended.ID, "task_gone", fresh.ID}, m.store)
	for late, want := range map[time.Duration]float64{time.Minute: 0, time.Hour: 2} {
		ids, err := due.Due(t.Context(), old.ExpiresAt.Add(late), 100)
		if err != nil || len(ids) != 4 {
			t.Fatalf("%v, %v", ids, err)
		}
		got, published := m.sums()["overdue_tasks"]
		if got != want || !published {
			t.Errorf("%s late: %v overdue (published: %v), want %v", late, got, published, want)
		}
	}
}

func TestWithoutMetricsNothingIsWrapped(t *testing.T) {
	t.Parallel()
	var none *Metrics
	store := &storetest.Memory{}
	if none.store(store, nil, nil) != lifecycle.Store(store) || none.Handler(http.NotFoundHandler()) == nil {
		t.Error("wrapped")
	}
	called := false
	err := none.Message(func(context.Context, []byte) error { called = true; return nil })(t.Context(), []byte(`{}`))
	if err != nil || !called {
		t.Error("not called")
	}
}
