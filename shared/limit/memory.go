package limit

import (
	"sync"
	"time"
)

// leaseShare is the part of a limit that instances may hold in leases together:
// 1/20, so that at least 95 % of a limit is used while there is demand.
const leaseShare = 20

// maxRemembered bounds the rules that an instance remembers refusals of.
const maxRemembered = 10_000

// memory is what an instance knows by itself. All of it concerns one minute and
// is forgotten with it. The zero value is ready.
type memory struct {
	mu      sync.Mutex
	minute  time.Time
	windows map[string]*share
	refused map[string]refusal
}

// share is this instance's part of one window.
type share struct {
	used   int // permits given to requests
	leased int // permits taken from the store and not given yet
	count  int // the window's count when it was last seen
}

type refusal struct {
	until time.Time
	limit int
	place bool // for want of a place, not of a permit
}

// share returns this instance's part of the window; mu is held. It is nil for a
// window that is over.
func (m *memory) share(w Window) *share {
	if w.Start.After(m.minute) {
		m.minute, m.windows = w.Start, map[string]*share{}
	}
	if !w.Start.Equal(m.minute) {
		return nil
	}
	s := m.windows[w.Rule]
	if s == nil {
		s = &share{}
		m.windows[w.Rule] = s
	}
	return s
}

// spend gives out a leased permit and says how many the window has left.
func (m *memory) spend(w Window, limit int) (left int, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.share(w)
	if s == nil || s.leased == 0 || s.count-s.leased >= limit {
		return 0, false // none, or leased under a rule of this name with a higher limit
	}
	s.leased--
	s.used++
	return max(0, limit-s.count) + s.leased, true
}

// lease says how many permits to take at once: this instance's share of the
// window's count, of a twentieth of the limit, and no more than it has given out
// in this minute already. It is 1 for every limit below 40.
func (m *memory) lease(w Window, limit int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.share(w)
	if s == nil || s.count == 0 {
		return 1
	}
	return max(1, s.allowed(limit))
}

func (s *share) allowed(limit int) int {
	if s.count == 0 {
		return 0
	}
	part := int64(limit/leaseShare) * int64(s.used) / int64(s.count)
	return min(int(part), s.used)
}

// took notes that the store gave n permits, one of which is used at once.
func (m *memory) took(w Window, n, count, limit int) (left int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	left = max(0, limit-count) + n - 1
	s := m.share(w)
	if s == nil {
		return left // the minute ended meanwhile; the rest is lost with it
	}
	s.used++
	s.leased += n - 1
	s.count = max(s.count, count)
	return left
}

// keep takes a permit back into the lease, if there is room in it.
func (m *memory) keep(w Window, limit int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.share(w)
	if s == nil {
		return true // nobody can use it any more
	}
	s.used--
	if s.leased >= s.allowed(limit) {
		return false
	}
	s.leased++
	return true
}

// refuse remembers a refusal.
func (m *memory) refuse(rule string, r refusal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refused == nil || len(m.refused) >= maxRemembered {
		m.refused = map[string]refusal{}
	}
	m.refused[rule] = r
}

// freed forgets a refusal for want of a place.
func (m *memory) freed(rule string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refused[rule].place {
		delete(m.refused, rule)
	}
}

// refusal returns a remembered refusal that still holds for the rule as it is now:
// one for a lower limit does not.
func (m *memory) refusal(r Rule, now time.Time) (Admission, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	past, ok := m.refused[r.Name]
	if !ok {
		return Admission{}, false
	}
	limit := r.PerMinute
	if past.place {
		limit = r.Concurrency
	}
	if !now.Before(past.until) || limit <= 0 || limit > past.limit {
		delete(m.refused, r.Name)
		return Admission{}, false
	}
	wait := past.until.Sub(now)
	return Admission{Rule: r.Name, Limit: limit, RetryAfter: wait, Reset: wait, Concurrent: past.place}, true
}

// refusedUntil returns until when the rule is known to refuse, zero when it is not.
func (m *memory) refusedUntil(rule string, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if past, ok := m.refused[rule]; ok && past.until.After(now) {
		return past.until
	}
	return time.Time{}
}
