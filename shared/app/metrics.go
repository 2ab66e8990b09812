package app

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"easel/shared/emf"
	"easel/shared/env"
	"easel/shared/health"
	"easel/shared/httpapi"
	"easel/shared/lambdahttp"
	"easel/shared/lifecycle"
	"easel/shared/settings"
	"easel/shared/task"
)

// Metrics publishes what happens in a deployed function. What concerns tasks,
// attempts and credits it takes from committed writes alone, so that nothing is
// counted which did not happen. A nil Metrics publishes nothing.
type Metrics struct {
	meter    *emf.Meter
	function string
	now      func() time.Time
	log      *slog.Logger
}

// NewMetrics returns what publishes through meter for the function with the name.
// now is the clock; log hears what a number alone cannot say.
func NewMetrics(meter *emf.Meter, function string, now func() time.Time, log *slog.Logger) *Metrics {
	return &Metrics{meter: meter, function: cmp.Or(function, "unknown"), now: now, log: log}
}

func (m *Metrics) count(name string, dimensions emf.Dimensions) { m.meter.Add(name, 1, dimensions) }

// Handler returns next with its requests counted and timed.
func (m *Metrics) Handler(next http.Handler) http.Handler {
	if m == nil {
		return next
	}
	return httpapi.Observe(next, m.observed)
}

func (m *Metrics) observed(o httpapi.Observation) {
	defer m.meter.Flush()
	m.count(env.MetricRequests, emf.Dimensions{env.DimensionFunction: m.function, env.DimensionOutcome: requestOutcome(o)})
	if operation := operationOf(o); operation != "" {
		m.meter.Add(env.MetricLatency, milliseconds(o.Took), emf.Dimensions{env.DimensionOperation: operation})
	}
	if m.function == env.Webhook {
		m.reported(o)
	}
}

// requestOutcome does not blame us for a caller who went away.
func requestOutcome(o httpapi.Observation) string {
	switch {
	case o.Status < http.StatusBadRequest:
		return env.OutcomeOK
	case o.Status < http.StatusInternalServerError || o.GaveUp:
		return env.OutcomeClientError
	default:
		return env.OutcomeServerError
	}
}

// operationOf is what kind of promise about time a request falls under, "" for none.
func operationOf(o httpapi.Observation) string {
	r := o.Request
	switch path := r.URL.Path; {
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return env.OperationRead
	case r.Method != http.MethodPost:
		return ""
	case path == "/api/prompt" || path == "/v1/chat/completions":
		return env.OperationText
	case path == "/v1/videos":
		return env.OperationSubmit
	case path == "/api/generate" && httpapi.Prefer(r, time.Hour).Wait == 0:
		return env.OperationSubmit
	case strings.HasPrefix(path, "/api/generate") || strings.HasPrefix(path, "/v1/images/"):
		return env.OperationWait
	default:
		return ""
	}
}

// reported counts a provider's report by how the webhook function answered it.
func (m *Metrics) reported(o httpapi.Observation) {
	outcome := ""
	switch o.Status {
	case http.StatusAccepted:
		outcome = env.OutcomeReceived
	case http.StatusOK:
		outcome = env.OutcomeDuplicate
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusRequestEntityTooLarge:
		outcome = env.OutcomeRejected
	}
	if outcome != "" && strings.HasPrefix(o.Request.URL.Path, "/api/webhooks/") {
		m.count(env.MetricWebhookReceipts, emf.Dimensions{env.DimensionOutcome: outcome})
	}
}

// WebhookLag publishes how long after its job's end a provider's webhook came.
func (m *Metrics) WebhookLag(provider string, lag time.Duration) {
	if m != nil {
		m.meter.Add(env.MetricWebhookLag, milliseconds(lag), emf.Dimensions{env.DimensionProvider: provider})
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// about is what a context's work is about.
type about struct {
	task, attempt string
	// notice is true when a provider's report of the attempt led to the work.
	notice bool
}

type aboutKey struct{}

// aboutOf returns what lines of the log shall say of the context's work.
func aboutOf(ctx context.Context) []slog.Attr {
	var attrs []slog.Attr
	a, _ := ctx.Value(aboutKey{}).(about)
	if a.task != "" {
		attrs = append(attrs, slog.String("task", a.task))
	}
	if a.attempt != "" {
		attrs = append(attrs, slog.String("attempt", a.attempt))
	}
	return attrs
}

// Message returns next for messages of the worker's queue, with their waiting
// counted and their ids in the context.
func (m *Metrics) Message(next func(ctx context.Context, body []byte) error) func(ctx context.Context, body []byte) error {
	return func(ctx context.Context, body []byte) error {
		var message task.Message
		if err := json.Unmarshal(body, &message); err == nil {
			ctx = context.WithValue(ctx, aboutKey{}, aboutMessage(message))
		}
		if m == nil {
			return next(ctx, body)
		}
		defer m.meter.Flush()
		if sent, ok := lambdahttp.SentAt(ctx); ok && sentAtOnce(message.Reason) {
			m.meter.Add(env.MetricQueueAge, milliseconds(max(m.now().Sub(sent), 0)), nil)
		}
		return next(ctx, body)
	}
}

// aboutMessage is what a message leads to work on; one about several tasks names
// none of them.
func aboutMessage(m task.Message) about {
	if len(m.Tasks) > 0 {
		return about{}
	}
	return about{m.Task, m.Attempt, m.Reason == "notice"}
}

// sentAtOnce reports whether messages with the reason are sent without a delay, so
// that the time since then is waiting.
func sentAtOnce(reason string) bool {
	return slices.Contains([]string{"created", "notice", task.ReasonSweep, task.ReasonGather, "handover", "canceled"}, reason)
}

// Tick returns run for the worker's schedule, with its finished runs counted and
// the breakers' states published.
func (a *App) Tick(run func(ctx context.Context) error) func(ctx context.Context, due time.Time) error {
	return func(ctx context.Context, _ time.Time) error {
		if a.Metrics == nil {
			return run(ctx)
		}
		defer a.Metrics.meter.Flush()
		if err := run(ctx); err != nil {
			return err
		}
		a.Metrics.count(env.MetricTicks, nil)
		a.publishBreakers(ctx)
		return nil
	}
}

// publishBreakers publishes, for each provider with an active config, how the worst
// of its configs is.
func (a *App) publishBreakers(ctx context.Context) {
	view, err := a.Views.View(ctx)
	if err != nil {
		a.Log.WarnContext(ctx, "the breakers' states were not published", "error", err)
		return
	}
	if err := a.Monitor.Refresh(ctx); err != nil { // the tick's probes have read it just now
		a.Log.WarnContext(ctx, "the breakers' states were not published", "error", err)
		return
	}
	worst, held := breakersOf(view.Configs, a.Monitor.Known())
	a.Metrics.meter.Add(env.MetricBreakersHeld, float64(held), nil)
	for provider, value := range worst {
		a.Metrics.meter.Add(env.MetricBreakerState, value, emf.Dimensions{env.DimensionProvider: provider})
	}
}

// breakersOf returns the worst breaker of each provider with an active config, and
// how many active configs wait to be mended. What is about one model counts for
// its config.
func breakersOf(configs []settings.Config, states []health.ConfigState) (worst map[string]float64, held int) {
	of, holds := map[string]float64{}, map[string]bool{}
	for _, s := range states {
		of[s.Config] = max(of[s.Config], breakerValue(s.Breaker))
		holds[s.Config] = holds[s.Config] || s.Held
	}
	worst = map[string]float64{}
	for _, c := range configs {
		if !c.Active {
			continue
		}
		worst[c.Provider] = max(worst[c.Provider], of[c.ID])
		if holds[c.ID] {
			held++
		}
	}
	return worst, held
}

func breakerValue(state string) float64 {
	switch state {
	case "open":
		return 2
	case "half_open":
		return 1
	default:
		return 0
	}
}

const (
	// overdueAfter is how long after its deadline an open task is overdue: a tick
	// that finds one earlier is what ends it.
	overdueAfter = 2 * time.Minute
	// overdueLook bounds how many due tasks one tick reads to find those.
	overdueLook = 20
)

// due counts what is long past its deadline among what a tick finds due.
func (m *Metrics) due(next lifecycle.Due, tasks httpapi.TaskReader) lifecycle.Due { //nolint:ireturn // a decorator
	if m == nil {
		return next
	}
	return countedDue{next, tasks, m}
}

type countedDue struct {
	next    lifecycle.Due
	tasks   httpapi.TaskReader
	metrics *Metrics
}

// Due returns what next does. Of that, the tasks that are due the longest are
// looked at: one that nobody can end stays at the front.
func (d countedDue) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	ids, err := d.next.Due(ctx, now, limit)
	if err != nil {
		return ids, err
	}
	overdue := 0
	for _, id := range ids[:min(len(ids), overdueLook)] {
		t, err := d.tasks.Task(ctx, id)
		if err == nil && !t.Status.Terminal() && now.Sub(t.ExpiresAt) > overdueAfter {
			overdue++
			d.metrics.log.WarnContext(ctx, "a task is open past its deadline", "task", id, "deadline", t.ExpiresAt)
		}
	}
	d.metrics.meter.Add(env.MetricOverdue, float64(overdue), nil)
	return ids, nil
}
