package preference

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"easel/shared/credits"
	"easel/shared/journal"
)

// Record is a set as it is stored, with the number of its writes; version 0 is
// one that nobody wrote.
type Record struct {
	Set

	Version int64 `json:"version"`
}

// Profile is what a request needs to know of its account.
type Profile struct {
	// Account is the account as it was read; its balance may have moved since.
	Account credits.Account
	Set     Set
}

// Store keeps sets; *dynamo.Store is the one. Profile returns journal.ErrNotFound
// for an account that does not exist. PutPreferences writes version expect+1 if
// the stored one is expect, else it returns an error that matches journal.ErrStale.
type Store interface {
	Profile(ctx context.Context, account string) (Profile, error)
	Preferences(ctx context.Context, account string) (Record, error)
	PutPreferences(ctx context.Context, account string, s Set, expect int64) error
}

const (
	// TTL is how long a process may take to notice another one's change.
	TTL = 10 * time.Second
	// maxAccounts bounds the memory of a process that serves very many accounts.
	maxAccounts = 10_000
)

// Book remembers for ten seconds what it read of an account, so that requests of
// an account in use read nothing. It is safe for concurrent use.
type Book struct {
	store Store
	now   func() time.Time

	mu    sync.Mutex
	known map[string]remembered
	// writes counts what was forgotten, so that no reading that began before a
	// write is remembered after it.
	writes int64
}

type remembered struct {
	profile Profile
	at      time.Time
}

// NewBook returns a book over the store.
func NewBook(store Store, now func() time.Time) *Book {
	return &Book{store: store, now: now, known: map[string]remembered{}}
}

// Preferences returns what the account prefers, at most ten seconds old; nothing
// for an account that does not exist.
func (b *Book) Preferences(ctx context.Context, account string) (Set, error) {
	p, err := b.profile(ctx, account)
	if errors.Is(err, journal.ErrNotFound) {
		return Set{}, nil
	}
	return p.Set, err
}

// Account returns the account, at most ten seconds old, or journal.ErrNotFound.
// Its name and limits are meant; the balance moves faster than that.
func (b *Book) Account(ctx context.Context, account string) (credits.Account, error) {
	p, err := b.profile(ctx, account)
	return p.Account, err
}

func (b *Book) profile(ctx context.Context, account string) (Profile, error) {
	now := b.now()
	b.mu.Lock()
	known, ok := b.known[account]
	writes := b.writes
	b.mu.Unlock()
	if ok && now.Sub(known.at) < TTL {
		return known.profile, nil
	}
	p, err := b.store.Profile(ctx, account)
	if err != nil {
		return p, fmt.Errorf("read an account's preferences: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.writes != writes {
		return p, nil
	}
	if len(b.known) >= maxAccounts {
		clear(b.known)
	}
	b.known[account] = remembered{p, now}
	return p, nil
}

// Current returns the stored set as it is now.
func (b *Book) Current(ctx context.Context, account string) (Record, error) {
	return b.store.Preferences(ctx, account)
}

// Save replaces the stored set of version expect. It returns an error that matches
// journal.ErrStale when somebody else was faster.
func (b *Book) Save(ctx context.Context, account string, s Set, expect int64) error {
	defer b.Forget(account)
	return b.store.PutPreferences(ctx, account, s, expect)
}

// Forget makes the next request of the account read it again.
func (b *Book) Forget(account string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes++
	delete(b.known, account)
}
