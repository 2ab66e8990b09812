package health_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"easel/shared/failover"
	"easel/shared/fault"
	"easel/shared/health"
)

var _ failover.Readiness = (*health.Monitor)(nil)

// memory is a store in memory.
type memory struct {
	mu            sync.Mutex
	records       map[string]health.Record
	reads, writes int
	fail          error
	told          []health.Event
}

func (m *memory) HealthRecords(context.Context) ([]health.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	all := make([]health.Record, 0, len(m.records))
	for _, r := range m.records {
		all = append(all, r)
	}
	return all, m.fail
}

func (m *memory) SaveHealth(_ context.Context, r health.Record, e *health.Event) (health.Record, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	old := m.records[r.Name]
	if m.fail != nil || old.Version != r.Version {
		return old, false, m.fail
	}
	if r.Window != 0 {
		r.Counts = old.Counts
	}
	r.Version++
	m.records[r.Name] = r
	if e != nil {
		m.told = append(m.told, *e)
	}
	return r, true, nil
}

func (m *memory) CountHealth(_ context.Context, d health.Delta) (health.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	if m.fail != nil {
		return health.Record{}, m.fail
	}
	r := m.records[d.Name]
	r.Name = d.Name
	switch {
	case r.Window >= d.Window:
		r.Good, r.Bad = r.Good+d.Good, r.Bad+d.Bad
	case r.Window == d.Window-1:
		r.PastGood, r.PastBad, r.Good, r.Bad, r.Window = r.Good, r.Bad, d.Good, d.Bad, d.Window
	default:
		r.Counts = health.Counts{Window: d.Window, Good: d.Good, Bad: d.Bad, First: d.At}
	}
	if d.Last != nil {
		r.Last = d.Last
	}
	m.records[d.Name] = r
	return r, nil
}

type bundle struct {
	store  *memory
	at     time.Time
	chance float64
	events []health.Event
}

func setup(t *testing.T) *bundle {
	t.Helper()
	return &bundle{store: &memory{records: map[string]health.Record{}}, at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
}

func (b *bundle) monitor() *health.Monitor {
	return health.New(b.store, health.Options{
		Now: func() time.Time { return b.at }, Chance: func() float64 { return b.chance },
		OnChange: func(_ context.Context, e health.Event) { b.events = append(b.events, e) },
	})
}

// call makes one request at the monitor that comes to f, as the engine would.
func (b *bundle) call(t *testing.T, m *health.Monitor, f *fault.Failure) bool {
	t.Helper()
	must(t, m.Refresh(t.Context()))
	if !m.ReadyAt("c", b.at).IsZero() || !m.Enter(t.Context(), "c", "c/m") {
		return false
	}
	m.Report("c", f, b.at)
	must(t, m.Flush(t.Context()))
	return true
}

func (b *bundle) phases() []health.Phase {
	phases := make([]health.Phase, 0, len(b.events))
	for _, e := range b.events {
		phases = append(phases, e.To)
	}
	return phases
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func failure(c fault.Class) *fault.Failure { return &fault.Failure{Class: c} }

func TestHealthyTrafficWritesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	m := b.monitor()
	for range 1000 {
		if !b.call(t, m, nil) {
			t.Fatal("refused")
		}
		b.at = b.at.Add(10 * time.Millisecond)
	}
	if b.store.writes != 0 || b.store.reads > 5 {
		t.Errorf("10 seconds of healthy traffic took %d writes and %d reads, want 0 and one per 2.5 s", b.store.writes, b.store.reads)
	}
}

func TestBreakerOpensProbesRampsAndCloses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	m := b.monitor()
	calls := 0
	for b.call(t, m, failure(fault.ClassUnavailable)) {
		calls++
	}
	if calls != 5 {
		t.Errorf("opened after %d failures in a row, want 5", calls)
	}
	if got := m.ReadyAt("c", b.at); !got.Equal(b.at.Add(10 * time.Second)) {
		t.Errorf("ready at %v", got)
	}
	b.at = b.at.Add(10 * time.Second)
	if !b.call(t, m, failure(fault.ClassConnect)) {
		t.Fatal("no probe when it was due")
	}
	b.at = b.at.Add(20 * time.Second)
	if !b.call(t, m, nil) {
		t.Fatal("no second probe")
	}
	b.chance = 0.5 // above a tenth
	if b.call(t, m, nil) {
		t.Error("half of the requests passed at once")
	}
	if got := m.ReadyAt("c", b.at); !got.Equal(b.at.Add(time.Second)) {
		t.Errorf("who was not let in is told to come back at %v", got)
	}
	b.at = b.at.Add(10 * time.Second)
	if !b.call(t, m, nil) {
		t.Error("the ramp does not grow")
	}
	b.at, b.chance = b.at.Add(10*time.Second), 0.999
	writes := b.store.writes
	for range 50 {
		if !b.call(t, m, nil) {
			t.Fatal("not closed after the ramp")
		}
	}
	if b.store.writes != writes {
		t.Errorf("closing took %d writes, want none", b.store.writes-writes)
	}
	want := []health.Phase{health.Open, health.Probing, health.Open, health.Probing, health.Ramping}
	if got := b.phases(); len(got) != len(want) || got[0] != want[0] || got[2] != want[2] || got[4] != want[4] {
		t.Errorf("got the changes %v, want %v", got, want)
	}
}

func TestWrongKeyHoldsUntilReset(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := b.monitor(), b.monitor()
	b.call(t, second, nil)
	b.call(t, first, failure(fault.ClassAuth))
	if !second.ReadyAt("c", b.at).IsZero() {
		t.Error("the other instance cannot know yet")
	}
	b.at = b.at.Add(3 * time.Second)
	must(t, second.Refresh(t.Context()))
	if second.ReadyAt("c", b.at).IsZero() {
		t.Error("the other instance did not learn it within 3 s")
	}
	states, err := second.State(t.Context())
	must(t, err)
	if len(states) != 1 || states[0].Breaker != "open" || !states[0].Held || states[0].Class != fault.ClassAuth || states[0].LastError == nil {
		t.Errorf("got the states %+v", states)
	}
	must(t, second.Reset(t.Context(), "c"))
	b.at = b.at.Add(3 * time.Second)
	for _, m := range []*health.Monitor{first, second} {
		if !b.call(t, m, nil) {
			t.Error("not closed after the reset")
		}
	}
	last := b.events[len(b.events)-1]
	if len(b.events) != 2 || last.To != health.Closed || !last.Reset {
		t.Errorf("got the events %+v", b.events)
	}
	must(t, second.Reset(t.Context(), "unknown"))
}

func TestCoolDownIsSharedAndWrittenOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := b.monitor(), b.monitor()
	limit := &fault.Failure{Class: fault.ClassRateLimited, RetryAfter: 30 * time.Second}
	must(t, second.Refresh(t.Context()))
	for range 10 {
		first.Report("c", limit, b.at)
		second.Report("c", limit, b.at)
	}
	must(t, first.Flush(t.Context()))
	must(t, second.Flush(t.Context()))
	if b.store.writes > 2 { // the second is told that the first was quicker
		t.Errorf("20 refusals took %d writes", b.store.writes)
	}
	third := b.monitor()
	must(t, third.Refresh(t.Context()))
	if got := third.ReadyAt("c", b.at); !got.Equal(b.at.Add(30 * time.Second)) {
		t.Errorf("ready at %v, want after 30 s", got)
	}
	if got := third.ReadyAt("c", b.at.Add(30*time.Second)); !got.IsZero() {
		t.Errorf("still not ready after it: %v", got)
	}
	if len(b.events) != 0 {
		t.Errorf("a cool-down is no change of phase: %+v", b.events)
	}
}

func TestModelThatIsGoneConcernsThatModelOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	m := b.monitor()
	m.Report("c/m", failure(fault.ClassModelGone), b.at)
	must(t, m.Flush(t.Context()))
	if !m.ReadyAt("c", b.at).IsZero() || m.ReadyAt("c/m", b.at).IsZero() || !m.Enter(t.Context(), "c", "c/other") {
		t.Error("the wrong name is open")
	}
	b.at = b.at.Add(time.Minute)
	if !m.Enter(t.Context(), "c", "c/m") {
		t.Fatal("no probe of the model")
	}
	m.Report("c", failure(fault.ClassUnavailable), b.at) // says nothing about the model
	must(t, m.Flush(t.Context()))
	if !m.Enter(t.Context(), "c", "c/m") {
		t.Fatal("no second probe of the model")
	}
	m.Report("c", nil, b.at)
	must(t, m.Flush(t.Context()))
	if states, err := m.State(t.Context()); err != nil || states[1].Model != "m" || states[1].Breaker != "half_open" {
		t.Errorf("got %+v, %v", states, err)
	}
}

// TestRareFailuresOpenNothing has 40 instances of which each sees only a few
// requests, a twentieth of which fail.
func TestRareFailuresOpenNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	monitors := make([]*health.Monitor, 40)
	for i := range monitors {
		monitors[i] = b.monitor()
	}
	for n := range 4000 {
		var f *fault.Failure
		if n%20 == 0 {
			f = failure(fault.ClassUnavailable)
		}
		if !b.call(t, monitors[(n*7+n/40)%len(monitors)], f) {
			t.Fatalf("opened after %d requests", n)
		}
		b.at = b.at.Add(25 * time.Millisecond)
	}
	seconds := 100
	if most := len(monitors) * seconds / 3; b.store.writes > most+len(monitors) {
		t.Errorf("%d writes in %d s, want at most one per instance every 3 s", b.store.writes, seconds)
	}
}

// TestSuccessesOfOthersCount has 600 instances with a request in 15 seconds each,
// of which one in eleven fails: those who fail have no success to tell of.
func TestSuccessesOfOthersCount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	monitors := make([]*health.Monitor, 600)
	for i := range monitors {
		monitors[i] = b.monitor()
	}
	for n := range 10 * len(monitors) {
		var f *fault.Failure
		if n%11 == 0 {
			f = failure(fault.ClassUnavailable)
		}
		if !b.call(t, monitors[n%len(monitors)], f) {
			t.Fatalf("opened after %d requests", n)
		}
		b.at = b.at.Add(25 * time.Millisecond)
	}
}

// TestFailuresOfManyOpenTogether has 40 instances, none of which sees a streak.
func TestFailuresOfManyOpenTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	monitors := make([]*health.Monitor, 40)
	for i := range monitors {
		monitors[i] = b.monitor()
	}
	began := b.at
	for n := 0; b.call(t, monitors[n%len(monitors)], failure(fault.ClassUnavailable)); n++ {
		b.at = b.at.Add(100 * time.Millisecond)
		if b.at.Sub(began) > 15*time.Second {
			t.Fatal("not open after 15 s")
		}
	}
	if len(b.events) != 1 {
		t.Errorf("got the events %+v, want one opening", b.events)
	}
}

func TestStoreFailureRefusesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.fail = errors.New("down")
	m := b.monitor()
	if m.Refresh(t.Context()) == nil {
		t.Error("no error for the log")
	}
	if !m.Enter(t.Context(), "c") || !m.ReadyAt("c", b.at).IsZero() {
		t.Error("refused while nothing is known")
	}
	m.Report("c", failure(fault.ClassAuth), b.at)
	if m.Flush(t.Context()) == nil {
		t.Error("no error for the log")
	}
	if m.ReadyAt("c", b.at).IsZero() {
		t.Error("what the instance knows by itself was lost")
	}
	b.store.fail = nil
	must(t, m.Flush(t.Context()))
	if b.store.records["c"].Phase != health.Open {
		t.Error("it was not written after the store came back")
	}
	b.at = b.at.Add(time.Minute)
	must(t, m.Refresh(t.Context()))
	b.store.fail = errors.New("down")
	if due := m.Due(b.at); len(due) != 1 || !m.Enter(t.Context(), "c") {
		t.Errorf("no probe while the store is down; due: %v", due)
	}
}

func TestOneOfManyCallersProbes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	m := b.monitor()
	m.Report("c", failure(fault.ClassOutOfCredit), b.at)
	must(t, m.Flush(t.Context()))
	b.at = b.at.Add(time.Minute)
	entered := make(chan bool, 50)
	var group sync.WaitGroup
	for range cap(entered) {
		group.Go(func() { entered <- m.Enter(t.Context(), "c", "c/m") })
	}
	group.Wait()
	close(entered)
	n := 0
	for ok := range entered {
		if ok {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d callers probe, want 1", n)
	}
	if at := m.ReadyAt("c", b.at); !at.Equal(b.at.Add(5 * time.Second)) {
		t.Errorf("others are told to wait until %v", at)
	}
	b.at = b.at.Add(2 * time.Minute)
	if !m.Enter(t.Context(), "c") {
		t.Error("a probe whose process died blocks the next one")
	}
}
