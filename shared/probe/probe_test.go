package probe_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/health"
	"easel/shared/probe"
	"easel/shared/provider"
	"easel/shared/secret"
	"easel/shared/settings"
)

// vendor is a driver with a list of models; account also has an account.
type vendor struct {
	provider.Provider

	mu    sync.Mutex
	calls int
	err   error
}

func (v *vendor) call() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.calls++
	return v.err
}

func (v *vendor) Models(context.Context, provider.Call) ([]provider.Model, error) {
	return []provider.Model{{Name: "m"}}, v.call()
}

type account struct {
	vendor

	funded bool
}

func (a *account) Check(_ context.Context, c provider.Call) (bool, error) {
	if c.Key.Reveal() != "key of c" {
		return false, errors.New("no key")
	}
	return a.funded, a.call()
}

// world is a config "c" whose breaker is open, two instances, and a vendor.
type world struct {
	at      time.Time
	store   *store
	view    catalog.View
	monitor *health.Monitor
	drivers map[string]provider.Provider
}

func (w *world) View(context.Context) (catalog.View, error) { return w.view, nil }

func (w *world) Get(_ context.Context, name string) (secret.Value, error) {
	if name == "gone" {
		return secret.Value{}, errors.New("no such secret")
	}
	return secret.New("key of " + name), nil
}

func (w *world) now() time.Time { return w.at }

func (w *world) newMonitor() *health.Monitor {
	return health.New(w.store, health.Options{Now: w.now})
}

func (w *world) prober(m *health.Monitor) *probe.Prober {
	return probe.New(probe.Parts{
		Monitor: m, Views: w, Providers: w.drivers, Keys: w, Now: w.now, Log: slog.New(slog.DiscardHandler),
	})
}

// setup opens the breaker of the name for the class and waits until it is due.
func setup(t *testing.T, name string, class fault.Class, driver provider.Provider) *world {
	t.Helper()
	w := &world{
		at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), store: &store{records: map[string]health.Record{}},
		view:    catalog.View{Configs: []settings.Config{{ID: "c", Provider: "v", Active: true, SecretName: "c", Version: 1}}},
		drivers: map[string]provider.Provider{"v": driver},
	}
	w.monitor = w.newMonitor()
	w.down(t, name, class)
	w.at = w.at.Add(time.Hour)
	return w
}

func (w *world) down(t *testing.T, name string, class fault.Class) {
	t.Helper()
	for range 5 {
		w.monitor.Report(name, &fault.Failure{Class: class}, w.at)
	}
	if err := w.monitor.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) run(t *testing.T) {
	t.Helper()
	if err := w.prober(w.monitor).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) state(t *testing.T) health.ConfigState {
	t.Helper()
	states, err := w.monitor.State(t.Context())
	if err != nil || len(states) != 1 {
		t.Fatalf("states %+v, %v", states, err)
	}
	return states[0]
}

func TestAFreeCallThatSucceedsHalfCloses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		name   string
		class  fault.Class
		driver provider.Provider
	}{
		"a key, by the list of models":  {"c", fault.ClassAuth, &vendor{}},
		"a key, by the account":         {"c", fault.ClassAuth, &account{}},
		"a balance, by the account":     {"c", fault.ClassOutOfCredit, &account{funded: true}},
		"an outage":                     {"c", fault.ClassUnavailable, &vendor{}},
		"a model that is listed again":  {"c/m", fault.ClassModelGone, &vendor{}},
		"an address that was not there": {"c", fault.ClassConnect, &vendor{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, test.name, test.class, test.driver)
			w.run(t)
			if s := w.state(t); s.Breaker != "half_open" || s.Held || s.Share <= 0 {
				t.Errorf("%+v", s)
			}
			w.at = w.at.Add(time.Minute)
			if s := w.state(t); s.Breaker != "closed" {
				t.Errorf("after the ramp: %+v", s)
			}
		})
	}
}

func TestAFreeCallThatFailsHoldsOn(t *testing.T) {
	t.Parallel()
	refused := &fault.Failure{Class: fault.ClassAuth, Status: http.StatusUnauthorized}
	for name, test := range map[string]struct {
		name   string
		class  fault.Class
		driver provider.Provider
		want   fault.Class
	}{
		"the key is still refused":                      {"c", fault.ClassAuth, &vendor{err: refused}, fault.ClassAuth},
		"an outage that showed that the key is refused": {"c", fault.ClassTimeout, &vendor{err: refused}, fault.ClassAuth},
		"the vendor cannot be reached now":              {"c", fault.ClassAuth, &vendor{err: &fault.Failure{Class: fault.ClassConnect}}, fault.ClassAuth},
		"the balance is still empty": {
			"c", fault.ClassOutOfCredit, &account{vendor: vendor{err: &fault.Failure{Class: fault.ClassOutOfCredit}}}, fault.ClassOutOfCredit,
		},
		"the model is still not listed": {"c/other", fault.ClassModelGone, &vendor{}, fault.ClassModelGone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, test.name, test.class, test.driver)
			w.run(t)
			if s := w.state(t); s.Breaker != "open" || s.Class != test.want || s.Opens < 1 || !s.ReadyAt.After(w.at) {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestWhereNothingIsFreeTheNextRequestProbes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		name   string
		class  fault.Class
		driver provider.Provider
	}{
		"a balance that a list does not tell": {"c", fault.ClassOutOfCredit, &vendor{}},
		"jobs that fail":                      {"c", fault.ClassJobFailed, &vendor{}},
		"a driver without free calls":         {"c", fault.ClassAuth, nil},
		"a config that was deleted":           {"gone", fault.ClassAuth, &vendor{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, test.name, test.class, test.driver)
			writes := w.store.writes
			w.run(t)
			if v, ok := test.driver.(*vendor); ok && v.calls > 0 || w.store.writes != writes {
				t.Errorf("it was probed, with %d writes", w.store.writes-writes)
			}
			if s := w.state(t); s.Breaker != "open" || !w.monitor.Enter(t.Context(), test.name) {
				t.Errorf("the next request may not probe: %+v", s)
			}
		})
	}
}

// TestAFreeCallThatIsNotThereIsAskedOnce is about keys that may generate and not
// list, and compatible APIs without a list.
func TestAFreeCallThatIsNotThereIsAskedOnce(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*fault.Failure{
		"no permission": {Class: fault.ClassAuth, Status: http.StatusForbidden},
		"no path":       {Class: fault.ClassModelGone, Status: http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := &vendor{err: f}
			w := setup(t, "c", fault.ClassUnavailable, v)
			p := w.prober(w.monitor)
			for range 3 {
				if err := p.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				w.at = w.at.Add(time.Minute)
			}
			if s := w.state(t); v.calls != 1 || s.Class != fault.ClassUnavailable || !s.ReadyAt.IsZero() {
				t.Errorf("%d calls, %+v", v.calls, s)
			}
			w.view.Configs[0].Version++
			if err := p.Run(t.Context()); err != nil || v.calls != 2 {
				t.Errorf("a config that was changed is not asked again: %d calls, %v", v.calls, err)
			}
		})
	}
}

func TestOneOfManyInstancesProbes(t *testing.T) {
	t.Parallel()
	v := &vendor{}
	w := setup(t, "c", fault.ClassAuth, v)
	var group sync.WaitGroup
	for range 16 {
		p := w.prober(w.newMonitor())
		group.Go(func() {
			if err := p.Run(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if v.calls != 1 {
		t.Errorf("%d calls, want 1", v.calls)
	}
}

func TestAnInstanceThatIsLateDoesNotProbeAgain(t *testing.T) {
	t.Parallel()
	v := &vendor{}
	w := setup(t, "c", fault.ClassAuth, v)
	late := health.New(w.store, health.Options{Now: w.now, Chance: func() float64 { return 0 }})
	if err := late.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.run(t)
	if err := w.prober(late).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v.calls != 1 {
		t.Errorf("%d calls, want that of the first instance", v.calls)
	}
}

func TestATickProbesAFew(t *testing.T) {
	t.Parallel()
	v := &vendor{}
	w := setup(t, "c", fault.ClassAuth, v)
	for i := range 20 {
		id := "c" + strconv.Itoa(i)
		w.view.Configs = append(w.view.Configs, settings.Config{ID: id, Provider: "v", Active: true})
		w.down(t, id, fault.ClassAuth)
	}
	w.at = w.at.Add(time.Hour)
	p := w.prober(w.monitor)
	calls := make([]int, 0, 4)
	for range 4 {
		if err := p.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		calls = append(calls, v.calls)
	}
	if !slices.Equal(calls, []int{8, 16, 21, 21}) {
		t.Errorf("after each tick %v calls, want 8, 16, 21 and no more", calls)
	}
}

func TestWithNothingDueAQueryIsAll(t *testing.T) {
	t.Parallel()
	v := &vendor{}
	w := setup(t, "c", fault.ClassAuth, v)
	w.at = w.at.Add(-time.Hour + 30*time.Second)
	writes := w.store.writes
	w.run(t)
	if v.calls != 0 || w.store.writes != writes {
		t.Errorf("%d calls and %d writes before it was due", v.calls, w.store.writes-writes)
	}
}

func TestAKeyThatCannotBeReadSaysNothing(t *testing.T) {
	t.Parallel()
	v := &vendor{}
	w := setup(t, "c", fault.ClassUnavailable, v)
	w.view.Configs[0].SecretName = "gone"
	w.run(t)
	if s := w.state(t); v.calls != 0 || s.Breaker != "open" || s.Class != fault.ClassUnavailable || !w.monitor.Enter(t.Context(), "c") {
		t.Errorf("%d calls, %+v", v.calls, s)
	}
}
