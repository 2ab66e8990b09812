package endpoint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/secret"
	"easel/shared/secrets"
	"easel/shared/webhook"
)

// Store keeps books. Endpoints returns one of version 0 for an account that has
// none; PutEndpoints stores the book as version expect+1, or returns an error that
// matches journal.ErrStale when expect is not the stored version.
type Store interface {
	Endpoints(ctx context.Context, account string) (Book, error)
	PutEndpoints(ctx context.Context, b Book, expect int64) error
}

// Registry reads and changes books together with their secrets. It is safe for
// concurrent use, by any number of processes.
type Registry struct {
	Store   Store
	Secrets secrets.Store
	Now     func() time.Time
	// NewID makes an id that nobody can guess.
	NewID func(prefix string) string
}

// Book returns what is known of the account's endpoints.
func (r *Registry) Book(ctx context.Context, account string) (Book, error) {
	b, err := r.Store.Endpoints(ctx, account)
	if err != nil {
		return b, fmt.Errorf("read the endpoints of an account: %w", err)
	}
	return b, nil
}

// Rotate makes a new secret for the account's reports and returns it: nobody can
// read it back. The ones before it go on signing for the [Overlap]. Errors: a
// Conflict for too many changes, or for two at the same time.
func (r *Registry) Rotate(ctx context.Context, account string) (secret.Value, Book, error) {
	before, err := r.Book(ctx, account)
	if err != nil {
		return secret.Value{}, before, err
	}
	value, name := webhook.NewSecret(), secretName(account, r.NewID(""))
	after, spent, err := before.Rotate(name, r.Now().UTC())
	if err != nil {
		return secret.Value{}, before, err
	}
	// Every secret has a name of its own and never changes, so whoever knows the
	// book signs with what it says, however old its memory of secrets is.
	if err := r.Secrets.Put(ctx, name, value); err != nil {
		return secret.Value{}, before, fmt.Errorf("keep the new secret of reports: %w", err)
	}
	err = r.Store.PutEndpoints(ctx, after, before.Version)
	if errors.Is(err, journal.ErrStale) {
		r.forget(ctx, name)
		return secret.Value{}, before, fault.New(fault.Conflict, "the secret was changed by somebody else at the same time; try again").Because(err)
	}
	if err != nil { // the write may have happened, so the secret stays where it is
		return secret.Value{}, before, fmt.Errorf("change the secret of reports: %w", err)
	}
	after.Version = before.Version + 1
	r.forget(ctx, spent...)
	return value, after, nil
}

// forget deletes secrets that nothing is signed with. One that stays costs a
// little and does no harm.
func (r *Registry) forget(ctx context.Context, names ...string) {
	for _, name := range names {
		_ = r.Secrets.Delete(ctx, name)
	}
}

// secretName is where one of the account's secrets is. An account's id may have
// characters that the name of a secret may not.
func secretName(account, id string) string {
	sum := sha256.Sum256([]byte(account))
	return env.EndpointSecrets + hex.EncodeToString(sum[:16]) + "/" + id
}

// Signer returns what signs the reports of the book's account now.
func (r *Registry) Signer(ctx context.Context, b Book) (*webhook.Signer, error) {
	var values []secret.Value
	for _, s := range b.Signing(r.Now()) {
		name := s.Name
		if name == "" {
			name = env.WebhookSecret
		}
		value, err := r.Secrets.Get(ctx, name)
		if errors.Is(err, secrets.ErrNotFound) && !s.Until.IsZero() {
			continue // the newest one is enough
		}
		if err != nil {
			return nil, fmt.Errorf("read a secret of reports: %w", err)
		}
		values = append(values, value)
	}
	return webhook.NewSigner(values...)
}

// GaveUp writes down that the reports of a task were given up.
func (r *Registry) GaveUp(ctx context.Context, account, callbackURL, taskID string) error {
	return r.change(ctx, account, func(b Book) (Book, bool) {
		next := b.GaveUp(callbackURL, taskID, r.Now().UTC())
		return next, len(next.Places[Where(callbackURL)].Failed) != len(b.Places[Where(callbackURL)].Failed)
	})
}

// Works writes down that the endpoint takes reports, or shall get them again.
func (r *Registry) Works(ctx context.Context, account, callbackURL string) error {
	return r.change(ctx, account, func(b Book) (Book, bool) { return b.Works(callbackURL) })
}

// changeTries bounds how often a change is made again on a fresh book.
const changeTries = 5

func (r *Registry) change(ctx context.Context, account string, edit func(Book) (next Book, changed bool)) error {
	var err error
	for range changeTries {
		var before Book
		if before, err = r.Book(ctx, account); err != nil {
			return err
		}
		next, changed := edit(before)
		if !changed {
			return nil
		}
		if err = r.Store.PutEndpoints(ctx, next, before.Version); !errors.Is(err, journal.ErrStale) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("change the endpoints of an account: %w", err)
	}
	return nil
}
