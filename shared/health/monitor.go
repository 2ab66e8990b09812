package health

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"easel/shared/fault"
)

// Options are what a monitor can be told. The zero value is ready to use.
type Options struct {
	Policy Policy
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Describe, if set, completes an event that is about to be stored: its Label,
	// Provider and Notify. It must not call the monitor.
	Describe func(ctx context.Context, e *Event)
	// OnChange, if set, hears of changes that were stored. It must not call the monitor.
	OnChange func(ctx context.Context, e Event)
	// Chance draws from [0, 1), for the ramp; nil is random.
	Chance func() float64
}

// Monitor is one instance's view of the health of all configs. It decides from
// memory: [Monitor.ReadyAt] and [Monitor.Report] never wait for the store. The
// others connect it to the store, and are to be called while a request is being
// served, because a frozen process can do nothing: [Monitor.Refresh] when it
// begins, [Monitor.Enter] before a config is called, [Monitor.Flush] after.
//
// While the store fails every name is as this instance knows it: nothing is
// refused for want of an answer. A Monitor is safe for concurrent use.
type Monitor struct {
	store   Store
	options Options
	policy  Policy
	id      string

	mu      sync.Mutex
	shared  map[string]Record // as last seen in the store
	tallies map[string]*tally
	readAt  time.Time
	reading bool
}

// tally is what this instance has not told the others yet.
type tally struct {
	window    int64
	good, bad int
	last      *Error
	streak    int
	flushedAt time.Time
	writing   bool
	queue     []outcome // those that change the record
	// away is until when this instance does not ask, for a ramp or another's probe.
	away time.Time
}

// maxQueue bounds the outcomes that wait while the store fails.
const maxQueue = 8

// New returns a monitor over the store, which it does not ask yet.
func New(store Store, options Options) *Monitor {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Chance == nil {
		options.Chance = mathrand.Float64
	}
	return &Monitor{
		store: store, options: options, policy: options.Policy.withDefaults(), id: rand.Text(),
		shared: map[string]Record{}, tallies: map[string]*tally{},
	}
}

// view is the record with what this instance knows beyond it; mu is held.
func (m *Monitor) view(name string) Record {
	r, ok := m.shared[name]
	if !ok {
		r.Name = name
	}
	if t := m.tallies[name]; t != nil {
		for _, o := range t.queue {
			if next, changed := r.after(o, m.policy); changed {
				r = next
			}
		}
	}
	return r
}

func (m *Monitor) tally(name string) *tally {
	t := m.tallies[name]
	if t == nil {
		t = &tally{}
		m.tallies[name] = t
	}
	return t
}

// ReadyAt returns when the name may be asked again; zero is now. A breaker that
// is due for a probe is ready: Enter decides whose the probe is. While somebody
// probes, the answer is a moment at which more may be known.
func (m *Monitor) ReadyAt(config string, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.view(config)
	until := time.Time{}
	switch r.at(now, m.policy) {
	case Probing: // it ends any moment; ask again soon
		until = now.Add(min(r.ProbeUntil.Sub(now), 2*m.policy.Refresh))
	case Open:
		if !r.due(now, m.policy) {
			until = r.Until
		}
	case Closed, Ramping:
		until = r.Until
	}
	if t := m.tallies[config]; t != nil && t.away.After(until) {
		until = t.away
	}
	if !until.After(now) {
		return time.Time{}
	}
	return until
}

// Report tells how a call ended; nil is success. What it says about a config is
// also an answer to a probe of one of the config's models by this instance.
func (m *Monitor) Report(config string, f *fault.Failure, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := outcome{verdict: judge(f), at: now, by: m.id}
	if f != nil {
		o.class, o.wait = f.Class, defaultCool
		if f.RetryAfter > 0 {
			o.wait = min(f.RetryAfter, maxCool)
		}
	}
	m.note(config, o, f)
	for name, r := range m.shared {
		if name != config && related(name, config) && r.Phase == Probing && r.Probe == m.id {
			m.note(name, relatedOutcome(name, config, o), nil)
		}
	}
}

// related reports whether one of the names is the other's config.
func related(a, b string) bool {
	return strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}

// relatedOutcome is what an outcome of the name heard says about the name.
func relatedOutcome(name, heard string, o outcome) outcome {
	switch {
	case strings.HasPrefix(heard, name+"/"):
		o.verdict = alive // one model is gone; its config answers
	case o.verdict != good:
		o.verdict = nothing // the config failed; nothing is known about the model
	}
	return o
}

// note counts an outcome; mu is held.
func (m *Monitor) note(name string, o outcome, f *fault.Failure) {
	t, r := m.tally(name), m.view(name)
	serving := r.at(o.at, m.policy) == Closed || r.at(o.at, m.policy) == Ramping
	if w := m.policy.window(o.at); w != t.window {
		if t.bad == 0 || w-t.window > 1 {
			t.good, t.bad = 0, 0
		}
		t.window = w
	}
	switch o.verdict {
	case good, alive:
		t.streak = 0
		t.good++
	case bad:
		t.streak++
		if serving {
			t.bad++
		}
		o.trips = t.streak >= m.policy.Streak || (t.streak >= rampStreak && r.at(o.at, m.policy) == Ramping)
	case nothing, limited, held:
	}
	if f != nil && o.verdict >= bad {
		t.last = newError(f, o.at)
	}
	if next, changed := r.after(o, m.policy); changed && len(t.queue) < maxQueue {
		t.queue = append(t.queue, o)
		if next.Phase != r.Phase {
			t.streak = 0
		}
	}
}

// Refresh reads what the other instances wrote, if it was last read longer than
// Policy.Refresh ago; otherwise, and while another caller reads, it does nothing.
// After an error the view stays as it was; the error is for the log.
//
// Cost: one Query of the records of all names that ever failed, at most one every
// Policy.Refresh for each instance that serves something.
func (m *Monitor) Refresh(ctx context.Context) error {
	now := m.options.Now()
	m.mu.Lock()
	fresh := m.reading || (!m.readAt.IsZero() && now.Sub(m.readAt) < m.policy.Refresh && !now.Before(m.readAt))
	m.reading = m.reading || !fresh
	m.mu.Unlock()
	if fresh {
		return nil
	}
	return m.read(ctx, now)
}

func (m *Monitor) read(ctx context.Context, now time.Time) error {
	before := m.versions()
	records, err := m.store.HealthRecords(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reading, m.readAt = false, now
	if err != nil {
		return fmt.Errorf("read health: %w", err)
	}
	seen := make(map[string]Record, len(records))
	for _, r := range records {
		seen[r.Name] = r
	}
	for name, r := range m.shared { // what was written meanwhile is newer than what was read
		if r.Version > before[name] && r.Version > seen[name].Version {
			seen[name] = r
		}
	}
	m.shared = seen
	return nil
}

func (m *Monitor) versions() map[string]int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	versions := make(map[string]int64, len(m.shared))
	for name, r := range m.shared {
		versions[name] = r.Version
	}
	return versions
}

// names returns every name that something is known about, in order.
func (m *Monitor) names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string]bool, len(m.shared)+len(m.tallies))
	for name := range m.shared {
		all[name] = true
	}
	for name := range m.tallies {
		all[name] = true
	}
	return slices.Sorted(maps.Keys(all))
}
