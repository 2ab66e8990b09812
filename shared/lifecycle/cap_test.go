package lifecycle_test

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"testing"
	"time"

	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/failover"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/lifecycle"
	"easel/shared/provider"
	"easel/shared/settings"
	"easel/shared/storetest"
	"easel/shared/task"
)

// failingJobs is a vendor that accepts every job and fails it. It says what the
// failed job cost where cost is not 0.
type failingJobs struct {
	provider.Provider

	cost int64
}

func (failingJobs) Describe() provider.Description {
	return provider.Description{Name: "v", Kinds: []generation.Kind{generation.Image}, Jobs: true, PollEvery: time.Second}
}

func (failingJobs) Submit(_ context.Context, c provider.Call) (provider.Answer, error) {
	return provider.Answer{State: provider.Pending, Job: provider.Job{ID: c.Attempt}}, nil
}

func (f failingJobs) Poll(_ context.Context, _ provider.Call, j provider.Job) (provider.Answer, error) {
	return provider.Answer{
		State: provider.Failed, Job: j, Usage: generation.Usage{CostMicroUSD: f.cost}, Failure: &fault.Failure{Class: fault.ClassJobFailed},
	}, nil
}

// capped is a runner with three configs of providers that cost 40,000 micro-USD
// for a picture.
type capped struct {
	view catalog.View
	now  time.Time
	ids  int
}

func (c *capped) View(context.Context) (catalog.View, error)            { return c.view, nil }
func (*capped) Send(context.Context, task.Message, time.Duration) error { return nil }
func (*capped) Report(context.Context, task.Task) (int, error)          { return 200, nil }
func (*capped) Due(context.Context, time.Time, int) ([]string, error)   { return nil, nil }
func (*capped) Keep(context.Context, string, generation.Kind, provider.File) (generation.Asset, error) {
	return generation.Asset{}, nil
}

// listening is a health that keeps what it was told.
type listening struct {
	lifecycle.Health

	details []string
	classes []fault.Class
}

func (l *listening) Report(config string, f *fault.Failure, now time.Time) {
	if f != nil {
		l.details, l.classes = append(l.details, f.Detail), append(l.classes, f.Class)
	}
	l.Health.Report(config, f, now)
}

func TestHealthHearsOfJobsThatFail(t *testing.T) {
	t.Parallel()
	runner, _ := newCapped(t, 0, 0)
	heard := &listening{Health: runner.Health}
	runner.Health = heard
	one, _, err := runner.Serve(t.Context(), lifecycle.Order{
		Account: account, Request: generation.Request{Kind: generation.Image, Model: "priced"}, Quote: catalog.Quote{Credits: 7},
	}, 0)
	for !one.Status.Terminal() && err == nil {
		one, err = runner.Advance(t.Context(), task.Message{Task: one.ID})
	}
	if want := []fault.Class{fault.ClassJobFailed, fault.ClassJobFailed, fault.ClassJobFailed}; err != nil || !slices.Equal(heard.classes, want) {
		t.Errorf("heard %v, %v; want each job's failure once", heard.classes, err)
	}
}

func newCapped(t *testing.T, priceCap, told int64) (*lifecycle.Runner, *storetest.Memory) {
	t.Helper()
	c := &capped{now: time.Date(2226, 11, 22, 0, 0, 0, 0, time.UTC)}
	upstreams := make([]catalog.Upstream, 0, 3)
	providers := map[string]provider.Provider{}
	for i, name := range []string{"one", "two", "three"} {
		upstreams = append(upstreams, catalog.Upstream{Provider: name, Model: "m", CostMicroUSD: 40_000})
		providers[name] = failingJobs{cost: told}
		c.view.Configs = append(c.view.Configs, settings.Config{
			ID: "cfg_" + name, Kind: generation.Image, Provider: name, Priority: i, Active: true, TimeoutSeconds: 30,
		})
	}
	var err error
	c.view.Models, err = catalog.New([]catalog.Model{
		{Name: "auto", Kind: generation.Image, Auto: true, Price: catalog.Price{Known: true, Credits: 7, Unit: catalog.PerImage}},
		{Name: "priced", Kind: generation.Image, Upstreams: upstreams, Price: catalog.Price{Known: true, Credits: 7, Unit: catalog.PerImage}},
	})
	if err != nil {
		t.Fatal(err)
	}
	store := &storetest.Memory{}
	clock := func() time.Time {
		c.now = c.now.Add(time.Millisecond)
		return c.now
	}
	newID := func(prefix string) string { c.ids++; return prefix + strconv.Itoa(c.ids) }
	must(store.CreateAccount(t.Context(), credits.Account{ID: account}))
	must(store.Post(t.Context(), credits.ForGrant(account, "start", granted, "", "", c.now)))
	return lifecycle.NewRunner(lifecycle.Parts{
		Engine: lifecycle.NewEngine(store, clock, newID), Store: store, Due: c, Views: c, Providers: providers, Keys: noKeys{}, Keeper: c,
		Queue: c, Health: &failover.Memory{}, Reporter: c, Now: clock, NewID: newID, Log: slog.New(slog.DiscardHandler),
		Policy: failover.Policy{PriceCap: priceCap},
	}), store
}

func TestFailoverAfterAcceptanceStaysWithinThePriceCap(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		priceCap, told int64
		images         int
		want           []string
	}{
		"no cap":                                        {0, 0, 1, []string{"cfg_one", "cfg_two", "cfg_three"}},
		"a cap for two, by the price book":              {80_000, 0, 1, []string{"cfg_one", "cfg_two"}},
		"a cap for less than two":                       {79_999, 0, 1, []string{"cfg_one"}},
		"a cap for two pictures each":                   {160_000, 0, 2, []string{"cfg_one", "cfg_two"}},
		"failures that their provider says to be cheap": {80_000, 10_000, 1, []string{"cfg_one", "cfg_two", "cfg_three"}},
		"failures that cost more than they should":      {150_000, 120_000, 1, []string{"cfg_one"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runner, store := newCapped(t, test.priceCap, test.told)
			one, _, err := runner.Serve(t.Context(), lifecycle.Order{
				Account: account, Request: generation.Request{Kind: generation.Image, Model: "priced", N: test.images}, Quote: catalog.Quote{Credits: 7},
			}, 0)
			for !one.Status.Terminal() && err == nil {
				one, err = runner.Advance(t.Context(), task.Message{Task: one.ID})
			}
			if err != nil {
				t.Fatal(err)
			}
			asked := make([]string, 0, len(one.Attempts))
			for _, a := range one.Attempts {
				asked = append(asked, a.Config)
			}
			if !slices.Equal(asked, test.want) || one.Status != task.Failed || one.Error.Code != fault.ProviderFailed {
				t.Errorf("asked %v, %s, %+v; want %v", asked, one.Status, one.Error, test.want)
			}
			if a, err := store.Account(t.Context(), account); err != nil || a.Balance.Available != granted {
				t.Errorf("balance %+v, %v", a.Balance, err)
			}
		})
	}
}

func TestARequestAboveThePriceCapIsRefusedBeforeMoneyMoves(t *testing.T) {
	t.Parallel()
	runner, store := newCapped(t, 39_999, 0)
	_, _, err := runner.Serve(t.Context(), lifecycle.Order{
		Account: account, Request: generation.Request{Kind: generation.Image, Model: "priced"}, Quote: catalog.Quote{Credits: 7},
	}, 0)
	if fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
	if a, err := store.Account(t.Context(), account); err != nil || a.Balance.Available != granted {
		t.Errorf("balance %+v, %v", a.Balance, err)
	}
}
