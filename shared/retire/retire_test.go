package retire_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"easel/shared/audit"
	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/retire"
	"easel/shared/secret"
	"easel/shared/settings"
)

func today() time.Time { return time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC) }

// vendor lists models for any key; embedding Provider makes it one.
type vendor struct {
	provider.Provider

	mu     sync.Mutex
	models []provider.Model
	err    error
	calls  []provider.Call
}

func (v *vendor) Models(_ context.Context, c provider.Call) ([]provider.Model, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.calls = append(v.calls, c)
	return v.models, v.err
}

// memory is a store that really works, and the trail.
type memory struct {
	mu      sync.Mutex
	next    time.Time
	report  retire.Report
	entries []audit.Entry
	asked   int
}

func (m *memory) ClaimCheck(_ context.Context, now, until time.Time) (bool, time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	if now.Before(m.next) {
		return false, m.next, nil
	}
	m.next = until
	return true, until, nil
}

func (m *memory) SaveCheck(_ context.Context, r retire.Report, next time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.report, m.next = r, next
	return nil
}

func (m *memory) LastCheck(context.Context) (retire.Report, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.report, nil
}

func (m *memory) Note(_ context.Context, e audit.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries = append(m.entries, e)
	return nil
}

type keys map[string]secret.Value

func (k keys) Get(_ context.Context, name string) (secret.Value, error) {
	if v, ok := k[name]; ok {
		return v, nil
	}
	return secret.Value{}, errors.New("there is no key " + name)
}

type views struct{ view catalog.View }

func (v *views) View(context.Context) (catalog.View, error) { return v.view, nil }

// bundle is one deployment: a vendor that lists, one that does not, and a clock.
type bundle struct {
	vendor *vendor
	memory *memory
	views  *views
	now    time.Time
}

func setup(t *testing.T) *bundle {
	t.Helper()
	models, err := catalog.New([]catalog.Model{
		{Name: "auto", Kind: generation.Image, Auto: true},
		{Name: "painter", Kind: generation.Image, Upstreams: []catalog.Upstream{{Provider: "lists", Model: "paint-1"}}},
		{Name: "sketcher", Kind: generation.Image, Upstreams: []catalog.Upstream{{Provider: "lists", Model: "sketch-1"}, {Provider: "silent", Model: "s"}}},
		{Name: "writer", Kind: generation.Text, Upstreams: []catalog.Upstream{{Provider: "lists", Model: "write-1"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	config := func(id, name string, kind generation.Kind, active bool) settings.Config {
		return settings.Config{ID: id, Provider: name, Kind: kind, Model: "paint-1", Active: active, BaseURL: "https://" + name + ".test", SecretName: "key"}
	}
	return &bundle{
		vendor: &vendor{models: []provider.Model{{Name: "paint-1"}, {Name: "sketch-1"}, {Name: "write-1"}}},
		memory: &memory{}, now: today(),
		views: &views{catalog.View{Models: models, Configs: []settings.Config{
			config("cfg_a", "lists", generation.Image, true), config("cfg_b", "lists", generation.Text, true),
			config("cfg_off", "lists", generation.Image, false), config("cfg_silent", "silent", generation.Image, true),
		}}},
	}
}

// checker is one process.
func (b *bundle) checker() *retire.Checker {
	return retire.New(retire.Parts{
		Store: b.memory, Trail: b.memory, Views: b.views,
		Providers: map[string]provider.Provider{"lists": b.vendor, "silent": struct{ provider.Provider }{}},
		Keys:      keys{"key": secret.New("k")}, Now: func() time.Time { return b.now },
		NewID: func(prefix string) string { return prefix + "1" }, Log: slog.New(slog.DiscardHandler),
	})
}

func (b *bundle) check(t *testing.T) retire.Report {
	t.Helper()
	if err := b.checker().Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b.memory.report
}

func TestModelsThatAreListedAreNoFinding(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.check(t)
	if len(r.Findings) != 0 || len(r.Skipped) != 0 || r.Configs != 2 || !r.CheckedAt.Equal(today()) {
		t.Errorf("report = %+v", r)
	}
	if len(b.vendor.calls) != 1 || b.vendor.calls[0].Key.Reveal() != "k" {
		t.Errorf("the vendor was asked %d times; two configs share one key and address", len(b.vendor.calls))
	}
}

func TestMissingAndEndingModelsAreFindings(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.vendor.models = []provider.Model{
		{Name: "sketch-1", RetiresAt: today().Add(retire.Soon - time.Hour)},
		{Name: "write-1", RetiresAt: today().Add(retire.Soon + time.Hour)},
	}
	findings := b.check(t).Findings
	got := make([]string, 0, len(findings))
	for _, f := range findings {
		got = append(got, f.Model+" "+string(f.Problem)+" "+f.Config)
	}
	if want := "auto missing cfg_a, painter missing cfg_a, sketcher retiring cfg_a"; strings.Join(got, ", ") != want {
		t.Errorf("findings = %v, want %s", got, want)
	}
}

func TestTheCatalogsOwnDaysAreLookedAt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	models := b.views.view.Models.Models()
	models[1].RetiresAt = today().Add(time.Hour)
	b.views.view.Models, _ = catalog.New(models)
	r := b.check(t)
	if len(r.Findings) != 1 || r.Findings[0].Config != "" || !r.Findings[0].RetiresAt.Equal(models[1].RetiresAt) {
		t.Errorf("findings = %+v", r.Findings)
	}
}

func TestAModelThatRetiresEndsOnItsDay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.vendor.models[1].RetiresAt = today().Add(36 * time.Hour)
	r := b.check(t)
	if len(r.Findings) != 1 || r.Findings[0].Problem != retire.Retiring {
		t.Fatalf("findings = %+v", r.Findings)
	}
	view := b.views.view
	later := r.At(today().Add(37*time.Hour), view.Models.Models(), view.Configs)
	if len(later.Findings) != 1 || later.Findings[0].Problem != retire.Ended || !later.Findings[0].Since.Equal(today()) || !later.CheckedAt.Equal(today()) {
		t.Errorf("between two checks: %+v", later)
	}
	b.now = b.now.Add(48 * time.Hour)
	if r := b.check(t); len(r.Findings) != 1 || r.Findings[0].Problem != retire.Ended || len(b.memory.entries) != 2 {
		t.Errorf("after its day: %+v and %d entries", r.Findings, len(b.memory.entries))
	}
	if gone := r.At(today(), view.Models.Models(), nil); len(gone.Findings) != 0 || gone.Findings == nil || gone.Skipped == nil {
		t.Errorf("without configs: %+v", gone)
	}
}

func TestAFindingIsToldOnceAndKeepsItsFirstDay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.vendor.models = b.vendor.models[1:]
	b.check(t)
	if n := len(b.memory.entries); n != 2 || b.memory.entries[0].Action != "model.missing" || b.memory.entries[0].Actor.Type != "system" {
		t.Fatalf("entries = %+v", b.memory.entries)
	}
	b.now = b.now.Add(24 * time.Hour)
	r := b.check(t)
	if len(b.memory.entries) != 2 || !r.Findings[0].Since.Equal(today()) || !r.CheckedAt.Equal(b.now) {
		t.Errorf("%d entries, findings %+v", len(b.memory.entries), r.Findings)
	}
}

func TestAVendorThatFailsIsSkippedAndDeclaresNothingMissing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(b *bundle)
		want  string
	}{
		{"an error", func(b *bundle) { b.vendor.err = &fault.Failure{Class: fault.ClassAuth, Detail: "secret words"} }, fault.ClassAuth.Public()},
		{"an empty list", func(b *bundle) { b.vendor.models = nil }, "the vendor's list of models is empty"},
		{"no key", func(b *bundle) {
			for i := range b.views.view.Configs {
				b.views.view.Configs[i].SecretName = "gone"
			}
		}, "the config's key could not be read, or the call not prepared"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			tt.spoil(b)
			r := b.check(t)
			if len(r.Findings) != 0 || r.Configs != 0 || len(r.Skipped) != 2 || r.Skipped[0].Reason != tt.want {
				t.Errorf("report = %+v", r)
			}
		})
	}
}

func TestOverAllProcessesItIsOnceADay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	processes := make([]*retire.Checker, 5)
	for i := range processes {
		processes[i] = b.checker()
	}
	for range 24 {
		var all sync.WaitGroup
		for _, p := range processes {
			all.Go(func() {
				if err := p.Check(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		b.now = b.now.Add(time.Hour)
	}
	if len(b.vendor.calls) != 1 {
		t.Errorf("the vendor was asked %d times within a day, want once", len(b.vendor.calls))
	}
	// A process that lost the claim asks again when it ends, and then knows.
	if most := 3 * len(processes); b.memory.asked > most {
		t.Errorf("the store was asked %d times, want at most %d", b.memory.asked, most)
	}
	if err := processes[0].Check(t.Context()); err != nil || len(b.vendor.calls) != 2 {
		t.Errorf("after a day the vendor was asked %d times, %v; want twice", len(b.vendor.calls), err)
	}
}
