package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"easel/shared/apikey"
	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/secret"
	"easel/shared/secrets"
)

// keyTable holds keys and writes them like the store does.
type keyTable struct {
	mu   sync.Mutex
	keys map[string]apikey.Key
	puts int
	fail error
}

func (k *keyTable) Key(_ context.Context, id string) (apikey.Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.keys[id]
	if !ok {
		return apikey.Key{}, fmt.Errorf("key %s: %w", id, journal.ErrNotFound)
	}
	return key, nil
}

func (k *keyTable) PutKey(_ context.Context, key apikey.Key, expect int64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != nil {
		return k.fail
	}
	if k.keys[key.ID].Version != expect {
		return fault.New(fault.StaleVersion, "changed")
	}
	key.Version = expect + 1
	if k.keys == nil {
		k.keys = map[string]apikey.Key{}
	}
	k.keys[key.ID] = key
	k.puts++
	return nil
}

// oneSecret is a store of at most one secret.
type oneSecret struct {
	value string
	err   error
}

func (o oneSecret) Get(_ context.Context, name string) (secret.Value, error) {
	if o.err != nil || name != env.AdminKeySecret {
		return secret.Value{}, errors.Join(o.err, secrets.ErrNotFound)
	}
	return secret.New(o.value), nil
}

var firstSecret = strings.Repeat("aB3d", 11)

func newBootstrap(keys *keyTable, s BootstrapSecret) *Bootstrap {
	return &Bootstrap{Keys: keys, Secrets: s, Now: func() time.Time { return time.Unix(1000, 0) }}
}

func TestTheFirstAdminsKeyIsMadeOnceAndOpensWithTheDeploymentsSecret(t *testing.T) {
	t.Parallel()
	keys := &keyTable{}
	var all sync.WaitGroup
	for range 20 { // as many processes
		all.Go(func() {
			key, err := newBootstrap(keys, oneSecret{value: firstSecret}).Key(t.Context(), env.AdminKeyID)
			if err != nil {
				t.Error(err)
				return
			}
			if err := key.Verify(firstSecret, time.Unix(2000, 0)); err != nil || !key.Has(apikey.Admin) || key.Has(apikey.Generate) || key.Version != 1 {
				t.Errorf("key %+v: %v", key, err)
			}
			if key.Verify(strings.Repeat("x", 44), time.Unix(2000, 0)) == nil {
				t.Error("any secret opens it")
			}
		})
	}
	all.Wait()
	if keys.puts != 1 {
		t.Errorf("written %d times", keys.puts)
	}
}

func TestARevokedFirstKeyIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	keys := &keyTable{}
	b := newBootstrap(keys, oneSecret{value: firstSecret})
	key, err := b.Key(t.Context(), env.AdminKeyID)
	if err != nil {
		t.Fatal(err)
	}
	key.RevokedAt = time.Unix(1500, 0)
	if err := keys.PutKey(t.Context(), key, key.Version); err != nil {
		t.Fatal(err)
	}
	if key, err = b.Key(t.Context(), env.AdminKeyID); err != nil || key.Verify(firstSecret, time.Unix(2000, 0)) == nil {
		t.Errorf("it opens again: %v", err)
	}
}

func TestNoFirstKeyIsMade(t *testing.T) {
	t.Parallel()
	down := errors.New("throttled")
	for name, test := range map[string]struct {
		id      string
		secret  oneSecret
		fail    error
		missing bool
	}{
		"for another id":            {"AbCdEfGhIjKl", oneSecret{value: firstSecret}, nil, true},
		"without a secret":          {env.AdminKeyID, oneSecret{err: secrets.ErrNotFound}, nil, true},
		"of a secret of wrong form": {env.AdminKeyID, oneSecret{value: "short"}, nil, true},
		"when the write fails":      {env.AdminKeyID, oneSecret{value: firstSecret}, down, false},
	} {
		keys := &keyTable{fail: test.fail}
		_, err := newBootstrap(keys, test.secret).Key(t.Context(), test.id)
		if err == nil || errors.Is(err, journal.ErrNotFound) != test.missing || keys.puts > 0 {
			t.Errorf("%s: %v, %d writes", name, err, keys.puts)
		}
		if err != nil && strings.Contains(err.Error(), firstSecret) {
			t.Errorf("%s: the error holds the secret", name)
		}
	}
}
