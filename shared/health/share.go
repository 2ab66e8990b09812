package health

import (
	"context"
	"errors"
	"fmt"
	"time"

	"easel/shared/fault"
)

// rounds bounds how often a write is tried that another instance's write got
// ahead of.
const rounds = 4

// Flush tells the others what they must know: changes of a phase at once, counts
// at most every Policy.Flush, and counts of successes only while there are recent
// failures. It costs nothing when there is nothing to tell. What could not be
// written is kept for the next call; the error is for the log.
func (m *Monitor) Flush(ctx context.Context) error {
	var failed error
	for _, name := range m.names() {
		if err := m.flush(ctx, name); err != nil {
			failed = errors.Join(failed, fmt.Errorf("share the health of %s: %w", name, err))
		}
	}
	return failed
}

func (m *Monitor) flush(ctx context.Context, name string) error {
	if !m.begin(name) {
		return nil
	}
	defer m.end(name)
	if err := m.commit(ctx, name); err != nil {
		return err
	}
	if err := m.count(ctx, name); err != nil {
		return err
	}
	if m.trip(name) {
		return m.commit(ctx, name)
	}
	return nil
}

// begin makes this caller the only one of the instance that writes the name.
func (m *Monitor) begin(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tally(name)
	if t.writing {
		return false
	}
	t.writing = true
	return true
}

func (m *Monitor) end(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tally(name).writing = false
}

// commit writes the outcomes that change the record.
func (m *Monitor) commit(ctx context.Context, name string) error {
	for range rounds {
		m.mu.Lock()
		base, next, n := m.shared[name], m.view(name), len(m.tally(name).queue)
		next.Last = lastOf(m.tally(name), next.Last)
		m.mu.Unlock()
		if n == 0 {
			return nil
		}
		if same(base, next) { // others have written it already
			m.settled(name, base, n)
			return nil
		}
		stored, ok, err := m.save(ctx, base, next, func(stored Record) { m.settled(name, stored, n) })
		if err != nil || ok {
			return err
		}
		m.learn(stored)
	}
	return nil // it changes faster than we can write: the next flush looks again
}

func lastOf(t *tally, stored *Error) *Error {
	if t.last != nil {
		return t.last
	}
	return stored
}

// same reports whether the next record is the base but for what counting changes.
func same(base, next Record) bool {
	return base.Phase == next.Phase && base.Since.Equal(next.Since) && base.Until.Equal(next.Until) && base.Class == next.Class
}

// settled takes what was written for known, and the first n outcomes for told.
func (m *Monitor) settled(name string, stored Record, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	stored.Name = name
	if stored.Version > 0 {
		m.shared[name] = stored
	}
	t := m.tally(name)
	t.queue = append([]outcome(nil), t.queue[min(n, len(t.queue)):]...)
	if phase := stored.Phase; phase == Open || phase == Probing {
		t.good, t.bad = 0, 0 // its failures have been heard
	}
}

// learn takes what another instance wrote for known.
func (m *Monitor) learn(stored Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if stored.Version >= m.shared[stored.Name].Version {
		m.shared[stored.Name] = stored
	}
}

// save writes the next record in place of the base, together with the event that
// operators are told of, if it is one. When it was written, won is called and the
// change is announced.
func (m *Monitor) save(ctx context.Context, base, next Record, won func(stored Record)) (Record, bool, error) {
	e := m.change(base, next)
	var seen *Event
	if e.Seen() {
		e.ID = newEventID(e.At)
		if m.options.Describe != nil {
			m.options.Describe(ctx, &e)
		}
		seen = &e
	}
	stored, ok, err := m.store.SaveHealth(ctx, next, seen)
	if err != nil || !ok {
		return stored, false, err
	}
	won(stored)
	again := e.From == e.To && (e.To != Open || base.Opens == next.Opens && base.Class == next.Class)
	if m.options.OnChange != nil && (e.Seen() || !again) {
		m.options.OnChange(ctx, e)
	}
	return stored, true, nil
}

// change is the event of a base that becomes the next record.
func (m *Monitor) change(base, next Record) Event {
	e := Event{
		Name: next.Name, From: base.at(next.Since, m.policy), To: next.Phase, Class: next.Class, At: next.Since,
		Before: base.status(), After: next.status(),
	}
	if e.To == Open {
		e.Until = next.Until
	}
	if e.To == Closed || e.To == Ramping {
		e.Class = ""
	}
	e.Reset = e.To == Closed && e.Seen() && next.RampedAt.IsZero()
	return e
}

// Settle writes down that breakers have closed whose ramps are over, so that it
// is told: nothing else depends on it. Run it every minute or so. It costs nothing
// when there is none, and one write for each.
func (m *Monitor) Settle(ctx context.Context) error {
	now := m.options.Now()
	var failed error
	for _, name := range m.names() {
		m.mu.Lock()
		base := m.shared[name]
		waiting := len(m.tally(name).queue)
		m.mu.Unlock()
		if base.Phase != Ramping || base.at(now, m.policy) != Closed || waiting > 0 || !m.begin(name) {
			continue
		}
		next := base
		next.Phase, next.Since, next.DownSince = Closed, base.RampedAt.Add(m.policy.Ramp), time.Time{}
		stored, ok, err := m.save(ctx, base, next, m.learn)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("share the health of %s: %w", name, err))
		} else if !ok {
			m.learn(stored)
		}
		m.end(name)
	}
	return failed
}

// count adds this instance's outcomes to the common ones, if that is due.
func (m *Monitor) count(ctx context.Context, name string) error {
	now := m.options.Now()
	m.mu.Lock()
	t, r := m.tally(name), m.shared[name]
	_, recently := r.recent(now, m.policy)
	if m.policy.window(now)-t.window > 1 {
		t.good, t.bad = 0, 0 // too old to matter
	}
	d := Delta{Name: name, Window: m.policy.window(now), Good: t.good, Bad: t.bad, At: now, Known: r.Window}
	if t.bad > 0 {
		d.Last = t.last
	}
	phase := r.at(now, m.policy)
	due := t.bad > 0 || (recently > 0 && t.good > 0)
	if due = due && now.Sub(t.flushedAt) >= m.policy.Flush && (phase == Closed || phase == Ramping); due {
		t.good, t.bad, t.flushedAt = 0, 0, now
	}
	m.mu.Unlock()
	if !due {
		return nil
	}
	stored, err := m.store.CountHealth(ctx, d)
	if err != nil {
		m.mu.Lock()
		t.good, t.bad = t.good+d.Good, t.bad+d.Bad
		m.mu.Unlock()
		return err
	}
	m.learn(stored)
	return nil
}

// trip queues the opening of a breaker that the common counts ask for.
func (m *Monitor) trip(name string) bool {
	now := m.options.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.view(name)
	if !r.overloaded(now, m.policy) {
		return false
	}
	o := outcome{verdict: bad, class: fault.ClassUnavailable, at: now, by: m.id, trips: true}
	if r.Last != nil {
		o.class = r.Last.Class
	}
	t := m.tally(name)
	t.queue = append(t.queue, o)
	return true
}

// awayFor is how long an instance leaves a name alone that a ramp, or a race for
// the probe, kept it from.
const awayFor = time.Second

// Enter asks whether a call may be made now that concerns the names: a config and
// the config's model. A true answer for a breaker that is due means that this call
// is its only probe; it must be followed by a Report. A false answer also makes
// ReadyAt say when to ask again. When the store fails it is true.
//
// Cost: nothing while the breakers are closed, one conditional write for a probe.
func (m *Monitor) Enter(ctx context.Context, names ...string) bool {
	for i, name := range names {
		if m.enter(ctx, name) {
			continue
		}
		for _, entered := range names[:i] {
			m.leave(entered)
		}
		return false
	}
	return true
}

// Probe takes the probe of a name that is [Monitor.Due], for a call that costs
// nothing, and reports whether this instance has it; then it must be followed by a
// Report. Other than Enter it is false where somebody else's probe has succeeded
// meanwhile, and when the store fails.
//
// Cost: one conditional write.
func (m *Monitor) Probe(ctx context.Context, name string) bool {
	if !m.Enter(ctx, name) {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.view(name)
	return r.Phase == Probing && r.Probe == m.id
}

func (m *Monitor) enter(ctx context.Context, name string) bool {
	now := m.options.Now()
	m.mu.Lock()
	r := m.view(name)
	share, phase, due := r.share(now, m.policy), r.at(now, m.policy), r.due(now, m.policy)
	m.mu.Unlock()
	ok := due || (phase == Closed || phase == Ramping) && (share >= 1 || m.options.Chance() < share)
	if ok && due {
		ok = m.claim(ctx, name, now)
	}
	if !ok {
		m.mu.Lock()
		m.tally(name).away = now.Add(awayFor)
		m.mu.Unlock()
	}
	return ok
}

// claim takes the probe for this instance, unless somebody else has it.
func (m *Monitor) claim(ctx context.Context, name string, now time.Time) bool {
	if !m.begin(name) {
		return false
	}
	defer m.end(name)
	for range rounds {
		m.mu.Lock()
		r, n := m.view(name), len(m.tally(name).queue)
		base := m.shared[name]
		m.mu.Unlock()
		if !r.due(now, m.policy) {
			phase := r.at(now, m.policy)
			return phase == Closed || phase == Ramping
		}
		stored, ok, err := m.save(ctx, base, r.probe(m.id, now, m.policy), func(stored Record) { m.settled(name, stored, n) })
		if err != nil || ok {
			return true
		}
		m.learn(stored)
	}
	return false
}

// leave gives a probe back that is not made after all.
func (m *Monitor) leave(name string) {
	now := m.options.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.view(name); r.Phase == Probing && r.Probe == m.id {
		m.note(name, outcome{verdict: nothing, at: now, by: m.id}, nil)
	}
}
