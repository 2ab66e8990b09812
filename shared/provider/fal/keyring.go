package fal

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"
)

const (
	// keysLife is how long the vendor lets its keys be remembered.
	keysLife = 24 * time.Hour
	// refreshPause is the least time between two fetches, so that forged webhooks
	// cannot make this gateway call the vendor as often as they come.
	refreshPause = time.Minute
)

// keyring remembers the vendor's public keys. It is safe for concurrent use.
type keyring struct {
	fetch func(context.Context) ([]byte, error)
	// lock holds the right to read and change what follows; a channel, because
	// waiting for it ends with the context.
	lock    chan struct{}
	keys    []ed25519.PublicKey
	fetched time.Time
	tried   time.Time
}

func newKeyring(fetch func(context.Context) ([]byte, error)) *keyring {
	return &keyring{fetch: fetch, lock: make(chan struct{}, 1)}
}

// verify reports whether one of the keys made the signature. It fetches the keys
// when they are too old, and once more when none of them fits, since the vendor
// may have a new one. An error means that there are no keys to judge by.
func (k *keyring) verify(ctx context.Context, now time.Time, message, signature []byte) (bool, error) {
	select {
	case k.lock <- struct{}{}:
		defer func() { <-k.lock }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if now.Sub(k.fetched) > keysLife {
		if err := k.refresh(ctx, now); err != nil {
			return false, err
		}
	}
	if k.fits(message, signature) {
		return true, nil
	}
	if now.Sub(k.tried) < refreshPause {
		return false, nil
	}
	if err := k.refresh(ctx, now); err != nil {
		return false, err
	}
	return k.fits(message, signature), nil
}

func (k *keyring) fits(message, signature []byte) bool {
	for _, key := range k.keys {
		if ed25519.Verify(key, message, signature) {
			return true
		}
	}
	return false
}

var errTooSoon = errors.New("the last fetch failed less than a minute ago")

func (k *keyring) refresh(ctx context.Context, now time.Time) error {
	if !k.tried.IsZero() && now.Sub(k.tried) < refreshPause && k.tried.After(k.fetched) {
		return errTooSoon
	}
	k.tried = now
	data, err := k.fetch(ctx)
	if err != nil {
		return err
	}
	keys, err := parseKeys(data)
	if err != nil {
		return err
	}
	k.keys, k.fetched = keys, now
	return nil
}

// parseKeys reads the Ed25519 keys of a JSON Web Key Set.
func parseKeys(data []byte) ([]ed25519.PublicKey, error) {
	var set struct {
		Keys []struct {
			Type  string `json:"kty"`
			Curve string `json:"crv"`
			X     string `json:"x"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, err
	}
	var keys []ed25519.PublicKey
	for _, entry := range set.Keys {
		raw, err := base64.RawURLEncoding.DecodeString(entry.X)
		if entry.Type == "OKP" && entry.Curve == "Ed25519" && err == nil && len(raw) == ed25519.PublicKeySize {
			keys = append(keys, raw)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the key set holds no Ed25519 key")
	}
	return keys, nil
}
