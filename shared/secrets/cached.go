package secrets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"easel/shared/secret"
)

const (
	defaultTTL         = 5 * time.Minute
	defaultMissingTTL  = 5 * time.Second
	defaultMaxStale    = time.Hour
	defaultMaxEntries  = 1000
	defaultLoadTimeout = 10 * time.Second
	minRefresh         = 2 * time.Second
)

// CachedOptions configures a Cached. The zero value is usable.
type CachedOptions struct {
	// TTL is how long a secret is used before it is read again; 0 means 5 minutes.
	// A key that was replaced elsewhere may be used for that long, unless a 401
	// leads to a Refresh.
	TTL time.Duration
	// MissingTTL is how long "not found" is believed, and the pause after a read
	// that failed; 0 means 5 seconds.
	MissingTTL time.Duration
	// MaxStale is how long after its last good read a secret may be used while the
	// store fails; 0 means an hour.
	MaxStale time.Duration
	// MaxEntries bounds the cache; 0 means 1000. The oldest entry leaves first.
	MaxEntries int
	// LoadTimeout limits one read of the store; 0 means 10 seconds.
	LoadTimeout time.Duration
}

// Cached keeps secrets in memory in front of another Store. Callers that ask for
// the same secret at once share one read; while the store fails, the last value
// goes on being served.
type Cached struct {
	next    Store
	options CachedOptions

	mu      sync.Mutex
	entries map[string]entry
	loads   map[string]*load
}

// entry is what the last read of a name found: a value, or that there is none.
type entry struct {
	value secret.Value // zero: not found
	read  time.Time    // of the last good read
	until time.Time    // believed until then
}

// load is a read that is under way. Its results may be used once done is closed.
type load struct {
	done  chan struct{}
	value secret.Value
	err   error
}

// NewCached returns an empty cache in front of next.
func NewCached(next Store, options CachedOptions) *Cached {
	options.TTL = cmp.Or(options.TTL, defaultTTL)
	options.MissingTTL = cmp.Or(options.MissingTTL, defaultMissingTTL)
	options.MaxStale = cmp.Or(options.MaxStale, defaultMaxStale)
	options.MaxEntries = cmp.Or(options.MaxEntries, defaultMaxEntries)
	options.LoadTimeout = cmp.Or(options.LoadTimeout, defaultLoadTimeout)
	return &Cached{next: next, options: options, entries: make(map[string]entry), loads: make(map[string]*load)}
}

// Get implements [Store]. A caller whose context ends stops waiting; the read
// goes on for the others.
func (c *Cached) Get(ctx context.Context, name string) (secret.Value, error) {
	if err := checkName(name); err != nil {
		return secret.Value{}, err
	}
	c.mu.Lock()
	if found, ok := c.entries[name]; ok && time.Now().Before(found.until) {
		c.mu.Unlock()
		if found.value.IsZero() {
			return secret.Value{}, fmt.Errorf("get secret %s: %w", name, ErrNotFound)
		}
		return found.value, nil
	}
	current := c.join(ctx, name)
	c.mu.Unlock()
	value, err := wait(ctx, name, current)
	if err == nil || errors.Is(err, ErrNotFound) || ctx.Err() != nil {
		return value, err
	}
	return c.stale(name, err)
}

// Refresh reads the secret from the store although the cache has it: call it when
// a provider answered 401, and try once more if the value that comes back is
// another one. A secret that was read less than two seconds ago is not read
// again, so that many failing callers do not become many reads. Unlike Get it
// does not fall back to a stale value.
func (c *Cached) Refresh(ctx context.Context, name string) (secret.Value, error) {
	if err := checkName(name); err != nil {
		return secret.Value{}, err
	}
	c.mu.Lock()
	if found, ok := c.entries[name]; ok && !found.value.IsZero() && time.Since(found.read) < minRefresh {
		c.mu.Unlock()
		return found.value, nil
	}
	current := c.join(ctx, name)
	c.mu.Unlock()
	return wait(ctx, name, current)
}

// Put implements [Store]: it writes through, and other instances notice within
// their TTL.
func (c *Cached) Put(ctx context.Context, name string, value secret.Value) error {
	err := c.next.Put(ctx, name, value)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(name) // also after an error: the write may have happened
	if err == nil {
		c.keep(name, value)
	}
	return err
}

// Delete implements [Store].
func (c *Cached) Delete(ctx context.Context, name string) error {
	err := c.next.Delete(ctx, name)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(name)
	return err
}

// forget drops what is known of a name, and what a read under way will find.
func (c *Cached) forget(name string) {
	delete(c.entries, name)
	delete(c.loads, name)
}

// join returns the read of name that is under way, or starts one. It needs the
// lock. The read has its own time, because it serves everybody who joins.
func (c *Cached) join(ctx context.Context, name string) *load {
	if current, ok := c.loads[name]; ok {
		return current
	}
	current := &load{done: make(chan struct{})}
	c.loads[name] = current
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.options.LoadTimeout)
	go func() {
		defer cancel()
		current.value, current.err = c.next.Get(ctx, name)
		c.finish(name, current)
	}()
	return current
}

// finish stores what a read found, unless a write made it outdated.
func (c *Cached) finish(name string, current *load) {
	defer close(current.done)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loads[name] != current {
		return
	}
	delete(c.loads, name)
	switch {
	case current.err == nil:
		c.keep(name, current.value)
	case errors.Is(current.err, ErrNotFound):
		c.keep(name, secret.Value{})
	default:
		c.postpone(name)
	}
}

// postpone leaves the store alone for a moment after a failed read, as long as
// there is a value that may still be used.
func (c *Cached) postpone(name string) {
	known, ok := c.entries[name]
	if !ok || known.value.IsZero() {
		return
	}
	known.until = time.Now().Add(c.options.MissingTTL)
	if end := known.read.Add(c.options.MaxStale); end.Before(known.until) {
		known.until = end
	}
	c.entries[name] = known
}

func wait(ctx context.Context, name string, current *load) (secret.Value, error) {
	select {
	case <-current.done:
		return current.value, current.err
	case <-ctx.Done():
		return secret.Value{}, fmt.Errorf("get secret %s: %w", name, context.Cause(ctx))
	}
}

// stale answers for a store that failed with err, from memory if it can.
func (c *Cached) stale(name string, err error) (secret.Value, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.entries[name]
	if !ok || known.value.IsZero() || time.Since(known.read) > c.options.MaxStale {
		return secret.Value{}, err
	}
	return known.value, nil
}

// keep remembers a value, or with a zero one that there is none. It needs the
// lock.
func (c *Cached) keep(name string, value secret.Value) {
	ttl := c.options.TTL
	if value.IsZero() {
		ttl = c.options.MissingTTL
	}
	now := time.Now()
	c.entries[name] = entry{value: value, read: now, until: now.Add(ttl)}
	if len(c.entries) > c.options.MaxEntries {
		c.evict(name)
	}
}

// evict removes the entry that was read longest ago, except the one just made.
func (c *Cached) evict(except string) {
	oldest, found := "", false
	for name, candidate := range c.entries {
		if name != except && (!found || candidate.read.Before(c.entries[oldest].read)) {
			oldest, found = name, true
		}
	}
	delete(c.entries, oldest)
}
