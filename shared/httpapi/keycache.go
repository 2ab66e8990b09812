package httpapi

import (
	"context"
	"errors"
	"sync"
	"time"

	"easel/shared/apikey"
	"easel/shared/journal"
)

const (
	// KeyTTL is how long a key that was looked up is believed, so also how long a
	// revoked key may still work.
	KeyTTL = 5 * time.Second
	// maxKeys bounds the cache; ids that do not exist are remembered too.
	maxKeys       = 10_000
	lookupTimeout = 5 * time.Second
)

// KeyCache is a KeyLookup that remembers what another one said for [KeyTTL],
// and asks it once however many requests want the same key at the same time. It
// is safe for concurrent use.
type KeyCache struct {
	next KeyLookup
	now  func() time.Time
	mu   sync.Mutex
	keys map[string]*lookup
}

// lookup is one question and, once done is closed, its answer.
type lookup struct {
	done  chan struct{}
	key   apikey.Key
	err   error
	until time.Time
}

// NewKeyCache returns a cache in front of next.
func NewKeyCache(next KeyLookup, now func() time.Time) *KeyCache {
	return &KeyCache{next: next, now: now, keys: map[string]*lookup{}}
}

// Key returns the key with the id, at most [KeyTTL] old, or journal.ErrNotFound.
// Errors of other kinds are not remembered.
func (c *KeyCache) Key(ctx context.Context, id string) (apikey.Key, error) {
	l := c.find(ctx, id)
	select {
	case <-l.done:
		return l.key, l.err
	case <-ctx.Done():
		return apikey.Key{}, ctx.Err()
	}
}

// find returns the running or remembered look-up of the id, or starts one.
func (c *KeyCache) find(ctx context.Context, id string) *lookup {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l, ok := c.keys[id]; ok && (l.until.IsZero() || c.now().Before(l.until)) {
		return l
	}
	c.makeRoom()
	l := &lookup{done: make(chan struct{})}
	c.keys[id] = l
	go c.ask(context.WithoutCancel(ctx), id, l)
	return l
}

func (c *KeyCache) ask(ctx context.Context, id string, l *lookup) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	key, err := c.next.Key(ctx, id)
	c.mu.Lock()
	defer c.mu.Unlock()
	l.key, l.err, l.until = key, err, c.now().Add(KeyTTL)
	if err != nil && !isNotFound(err) && c.keys[id] == l {
		delete(c.keys, id)
	}
	close(l.done)
}

// makeRoom keeps the cache within its bound: what is out of date goes first,
// then anything. It frees a quarter at once, so that a flood of unknown keys
// does not look through the whole cache for each of them.
func (c *KeyCache) makeRoom() {
	if len(c.keys) < maxKeys {
		return
	}
	now := c.now()
	for id, l := range c.keys {
		if !l.until.IsZero() && !now.Before(l.until) {
			delete(c.keys, id)
		}
	}
	for id := range c.keys {
		if len(c.keys) < maxKeys*3/4 {
			return
		}
		delete(c.keys, id)
	}
}

func isNotFound(err error) bool { return errors.Is(err, journal.ErrNotFound) }
