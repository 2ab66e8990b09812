package health_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/health"
)

// trail is what operators were told, in short form.
func (m *memory) trail() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]string, 0, len(m.told))
	for _, e := range m.told {
		list = append(list, strings.TrimSuffix(fmt.Sprintf("%s > %s %s", e.Before, e.After, e.Class), " "))
	}
	return list
}

func TestOperatorsAreToldOfEachStatusOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := b.monitor(), b.monitor()
	for b.call(t, first, failure(fault.ClassUnavailable)) {
	}
	b.at = b.at.Add(10 * time.Second)
	b.call(t, second, failure(fault.ClassConnect)) // a probe that fails changes nothing that they see
	b.at = b.at.Add(20 * time.Second)
	b.call(t, first, failure(fault.ClassAuth)) // what it waits for is another thing now
	b.at = b.at.Add(5 * time.Minute)
	b.call(t, second, nil)
	b.at = b.at.Add(10 * time.Second)
	must(t, first.Settle(t.Context())) // it ramps still
	b.at = b.at.Add(10 * time.Second)
	for _, m := range []*health.Monitor{first, second} {
		must(t, m.Refresh(t.Context()))
		must(t, m.Settle(t.Context()))
		must(t, m.Settle(t.Context()))
	}
	want := []string{"closed > open unavailable", "open > held auth", "held > half_open", "half_open > closed"}
	if got := b.store.trail(); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	ids := map[string]bool{}
	for _, e := range b.store.told {
		ids[e.ID] = true
	}
	if len(ids) != len(want) || ids[""] {
		t.Errorf("the ids %v do not tell the events apart", ids)
	}
	if b.call(t, first, failure(fault.ClassOutOfCredit)); !slices.Contains(b.store.trail(), "closed > held out_of_credit") {
		t.Errorf("told %q after it closed", b.store.trail())
	}
}

func TestAResetIsToldAsOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	m := b.monitor()
	b.call(t, m, failure(fault.ClassAuth))
	must(t, m.Reset(t.Context(), "c"))
	must(t, m.Reset(t.Context(), "c"))
	if got := b.store.trail(); !slices.Equal(got, []string{"closed > held auth", "held > closed"}) || !b.store.told[1].Reset {
		t.Errorf("told %+v", b.store.told)
	}
}

func TestAnEventIsDescribedBeforeItIsStored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	m := health.New(b.store, health.Options{
		Now: func() time.Time { return b.at },
		Describe: func(_ context.Context, e *health.Event) {
			e.Label, e.Provider, e.Notify = "Main", "openai", true
		},
	})
	m.Report("c/m", failure(fault.ClassModelGone), b.at)
	must(t, m.Flush(t.Context()))
	if len(b.store.told) != 1 || !b.store.told[0].Notify {
		t.Fatalf("told %+v", b.store.told)
	}
	e := b.store.told[0]
	want := `{"config_id":"c","name":"Main","provider":"openai","model":"m","before":"closed","breaker":"held","class":"model_gone","ready_at":"2026-11-22T12:01:00Z"}`
	if got := string(e.Data()); got != want {
		t.Errorf("data %s, want %s", got, want)
	}
	entry := e.Entry()
	if entry.ID != e.ID || entry.Action != "breaker.held" || entry.Actor.Type != "system" || entry.Object.ID != "c" || entry.Object.Name != "Main" {
		t.Errorf("entry %+v", entry)
	}
	if got := string(entry.Before) + string(entry.After); got != `{"model":"m","breaker":"closed"}{"model":"m","breaker":"held","class":"model_gone","ready_at":"2026-11-22T12:01:00Z"}` {
		t.Errorf("entry tells %s", got)
	}
}

// TestAChangeThatWasNotWrittenIsNotTold has two instances of which one is late.
func TestAChangeThatWasNotWrittenIsNotTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := b.monitor(), b.monitor()
	for _, m := range []*health.Monitor{first, second} {
		m.Report("c", failure(fault.ClassAuth), b.at)
	}
	must(t, first.Flush(t.Context()))
	must(t, second.Flush(t.Context()))
	if got := b.store.trail(); len(got) != 1 || len(b.events) != 1 {
		t.Errorf("told %q and announced %d changes, want one", got, len(b.events))
	}
}
