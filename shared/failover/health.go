package failover

import (
	"context"
	"sync"
	"time"

	"easel/shared/fault"
)

// Cooldown is how long a config is left alone after a failure of the class, when
// the provider does not say. Classes that only an operator can mend cool longest;
// zero means that the class says nothing about the config.
func Cooldown(c fault.Class) time.Duration {
	switch c {
	case fault.ClassRateLimited:
		return 5 * time.Second
	case fault.ClassAuth, fault.ClassOutOfCredit, fault.ClassModelGone:
		return time.Minute
	default:
		return 0
	}
}

// maxCooldown bounds what a provider's Retry-After can ask for.
const maxCooldown = time.Hour

// Memory remembers the cool-downs of configs in this process. It is safe for
// concurrent use; the zero value is ready. Keys may be a config's id or any
// finer name, such as config and model.
type Memory struct {
	mu      sync.Mutex
	until   map[string]time.Time
	latency map[string]time.Duration
}

// Sync does nothing: this process learns for itself alone.
func (m *Memory) Sync(context.Context) {}

// memoryShare is the weight of the newest call in a config's latency: an
// exponentially weighted mean, in which a call counts half after five newer ones.
const memoryShare = 0.13

// Observe tells how long a successful call to the config took.
func (m *Memory) Observe(config string, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.latency == nil {
		m.latency = map[string]time.Duration{}
	}
	if known, ok := m.latency[config]; ok {
		took = known + time.Duration(memoryShare*float64(took-known))
	}
	m.latency[config] = took
}

// Latency returns how long calls to the config took lately, as this process saw
// it; ok is false when there was none.
func (m *Memory) Latency(config string) (d time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok = m.latency[config]
	return d, ok
}

// ReadyAt returns when the config's cool-down ends; zero when it has none.
func (m *Memory) ReadyAt(config string, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.until[config]
	if !ok || !at.After(now) {
		delete(m.until, config)
		return time.Time{}
	}
	return at
}

// Report tells how a call to the config ended; nil is success, which ends a cool-down.
func (m *Memory) Report(config string, f *fault.Failure, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f == nil {
		delete(m.until, config)
		return
	}
	wait := Cooldown(f.Class)
	if f.Class == fault.ClassRateLimited && f.RetryAfter > 0 {
		wait = min(f.RetryAfter, maxCooldown)
	}
	if wait == 0 {
		return
	}
	if m.until == nil {
		m.until = map[string]time.Time{}
	}
	m.until[config] = now.Add(wait)
}
