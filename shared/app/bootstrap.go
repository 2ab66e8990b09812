package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"easel/shared/apikey"
	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/journal"
	"easel/shared/secret"
	"easel/shared/secrets"
)

// BootstrapKeys are where a [Bootstrap] finds keys and puts the first one.
type BootstrapKeys interface {
	httpapi.KeyLookup
	PutKey(ctx context.Context, k apikey.Key, expectVersion int64) error
}

// BootstrapSecret reads a secret, or returns secrets.ErrNotFound.
type BootstrapSecret interface {
	Get(ctx context.Context, name string) (secret.Value, error)
}

// Bootstrap is a KeyLookup that makes the first admin's key of a deployment when
// somebody first uses it: the key with the id [env.AdminKeyID], whose secret is
// the deployment's [env.AdminKeySecret]. From then on it is a key like any other:
// a change of the deployment's secret does not change it, and once revoked it stays
// so. Only the admin function's role may read the secret. It is safe for concurrent
// use, by many processes.
type Bootstrap struct {
	Keys    BootstrapKeys
	Secrets BootstrapSecret
	Now     func() time.Time
}

// bootstrapAccount is on whom the first key's own requests are: nobody's account,
// since it may not generate.
const bootstrapAccount = "operator"

// Key returns the key with the id, or journal.ErrNotFound.
func (b *Bootstrap) Key(ctx context.Context, id string) (apikey.Key, error) {
	key, err := b.Keys.Key(ctx, id)
	if id != env.AdminKeyID || !errors.Is(err, journal.ErrNotFound) {
		return key, err
	}
	value, missing := b.Secrets.Get(ctx, env.AdminKeySecret)
	if errors.Is(missing, secrets.ErrNotFound) {
		return key, err
	}
	if missing != nil {
		return key, fmt.Errorf("read the first admin's secret: %w", missing)
	}
	if _, _, ok := apikey.Parse("esl_" + id + "_" + value.Reveal()); !ok {
		return key, err // nobody could ever use such a key
	}
	key = apikey.Key{
		ID: id, Name: "first admin", Account: bootstrapAccount, Scopes: []apikey.Scope{apikey.Admin},
		Hash: apikey.HashSecret(value.Reveal()), CreatedAt: b.Now().UTC(),
	}
	err = b.Keys.PutKey(ctx, key, 0)
	if fault.CodeOf(err) == fault.StaleVersion { // somebody else was first
		return b.Keys.Key(ctx, id)
	}
	if err != nil {
		return apikey.Key{}, fmt.Errorf("make the first admin's key: %w", err)
	}
	key.Version = 1
	return key, nil
}
