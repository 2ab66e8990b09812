package app

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"easel/shared/env"
	"easel/shared/generation"
	"easel/shared/health"
	"easel/shared/lifecycle"
	"easel/shared/provider"
	"easel/shared/retire"
	"easel/shared/settings"
	"easel/shared/task"
)

func TestAMissedWebhookIsOneThatDidNotComeWithinTheGrace(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		provider, reason string
		// another makes the message about another attempt; late has the webhook come
		// after the look-up, so many times.
		another bool
		late    int
		want    map[string]float64
	}{
		"a look-up":                        {"replicate", "poll", false, 0, map[string]float64{"webhook_receipts missed": 1}},
		"a look-up just before the report": {"replicate", "poll", false, 1, map[string]float64{"webhook_receipts received": 1}},
		"a late report that comes twice":   {"replicate", "poll", false, 2, map[string]float64{"webhook_receipts received": 1}},
		"a report":                         {"replicate", "notice", false, 0, nil},
		"a report that comes again":        {"replicate", "notice", false, 1, nil},
		"a report of another":              {"replicate", "notice", true, 0, map[string]float64{"webhook_receipts missed": 1}},
		"a provider without reports":       {"openai", "poll", false, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, ok := newMetered(t, env.Worker), must(t)
			one, id := m.start(m.begin(), "c", test.provider)
			one = ok(m.engine.Accept(t.Context(), one, id, provider.Answer{Job: provider.Job{ID: "j"}}, 0))
			attempt := id
			if test.another {
				attempt = "att_other"
			}
			handle := m.metrics.Message(m.awaited.handle(func(ctx context.Context, _ []byte) error {
				_, err := m.engine.Finish(ctx, one, id, lifecycle.Delivery{Outputs: []generation.Asset{{Key: "k"}}})
				return err
			}))
			messages := []string{`{"task":"` + one.ID + `","attempt":"` + attempt + `","reason":"` + test.reason + `"}`}
			for range test.late {
				messages = append(messages, `{"task":"`+one.ID+`","attempt":"`+id+`","reason":"late"}`)
			}
			for n := 0; n < len(messages); n++ {
				if err := handle(t.Context(), []byte(messages[n])); err != nil {
					t.Fatal(err)
				}
				if n == test.late {
					messages = append(messages, m.sent...) // the grace is over
				}
			}
			got := m.sums()
			maps.DeleteFunc(got, func(name string, _ float64) bool { return !strings.HasPrefix(name, env.MetricWebhookReceipts) })
			if !maps.Equal(got, test.want) {
				t.Errorf("counted %v, want %v", got, test.want)
			}
		})
	}
}

func TestACountThatCannotBeKeptHarmsNoTask(t *testing.T) {
	t.Parallel()
	m, ok := newMetered(t, env.Worker), must(t)
	m.fail = errors.New("throttled")
	one, id := m.start(m.begin(), "c", "replicate")
	one = ok(m.engine.Accept(t.Context(), one, id, provider.Answer{Job: provider.Job{ID: "j"}}, 0))
	if one = ok(m.engine.Finish(t.Context(), one, id, lifecycle.Delivery{Outputs: []generation.Asset{{Key: "k"}}})); one.Status != task.Succeeded {
		t.Errorf("the task is %s", one.Status)
	}
}

func TestALossIsCountedWithItsCost(t *testing.T) {
	t.Parallel()
	m, ok := newMetered(t, env.Worker), must(t)
	one, id := m.start(m.begin(), "c", "fal")
	one = ok(m.engine.Accept(t.Context(), one, id, provider.Answer{Job: provider.Job{ID: "j"}}, 0))
	one = ok(m.engine.Cancel(t.Context(), one))
	m.sums()
	ok(m.engine.Finish(t.Context(), one, id, lifecycle.Delivery{Outputs: []generation.Asset{{Key: "k"}}, Usage: generation.Usage{CostMicroUSD: 40_000}}))
	got := m.sums()
	if got["losses"] != 1 || got["loss_cost"] != 40_000 {
		t.Errorf("a delivery that nobody pays for counts as %v", got)
	}
	two, id := m.start(m.begin(), "c", "openai")
	two = ok(m.engine.Finish(t.Context(), two, id, lifecycle.Delivery{Outputs: []generation.Asset{{Key: "k"}}, Usage: generation.Usage{CostMicroUSD: 40_000}}))
	if got := m.sums(); two.Loss || got["losses"] != 0 {
		t.Errorf("a success counts as %v", got)
	}
}

func TestWhatChecksFindIsPublished(t *testing.T) {
	t.Parallel()
	m := newMetered(t, env.Worker)
	if err := m.metrics.findings(keptReports{}).SaveCheck(t.Context(), retire.Report{Findings: make([]retire.Finding, 3)}, m.now); err != nil {
		t.Fatal(err)
	}
	m.metrics.drifted(7)
	m.metrics.breakerChanged(health.Event{Provider: "fal", Before: health.StatusClosed, After: health.StatusHeld})
	m.metrics.WebhookLag("fal", 3*time.Second)
	want := map[string]float64{"model_findings": 3, "credit_drift": 7, "breaker_changes fal held": 1, "webhook_lag fal": 3000}
	if got := m.sums(); !maps.Equal(got, want) {
		t.Errorf("published %v, want %v", got, want)
	}
	var none *Metrics
	none.drifted(1)
	none.breakerChanged(health.Event{})
	none.WebhookLag("fal", 0)
}

func TestOnlyActiveConfigsCountForTheBreakersState(t *testing.T) {
	t.Parallel()
	configs := []settings.Config{
		{ID: "a", Provider: "fal", Active: true},
		{ID: "b", Provider: "fal", Active: true},
		{ID: "c", Provider: "fal"},
		{ID: "d", Provider: "openai", Active: true},
		{ID: "e", Provider: "gemini"},
	}
	worst, held := breakersOf(configs, []health.ConfigState{
		{Config: "a", Breaker: "half_open"},
		{Config: "a", Model: "m", Breaker: "open", Held: true},
		{Config: "b", Breaker: "half_open"},
		{Config: "c", Breaker: "open", Held: true},
		{Config: "gone", Breaker: "open", Held: true},
	})
	if want := map[string]float64{"fal": 2, "openai": 0}; !maps.Equal(worst, want) || held != 1 {
		t.Errorf("worst %v, held %d; want %v and 1", worst, held, want)
	}
}

// keptReports keeps every report.
type keptReports struct{ retire.Store }

func (keptReports) SaveCheck(context.Context, retire.Report, time.Time) error { return nil }
