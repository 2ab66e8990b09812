// Package secrets keeps the keys of the configured providers: in AWS Secrets
// Manager when deployed ([Manager], behind [Cached]), in a file locally ([File]),
// with the environment's keys on top ([Env]).
//
// A secret is named by a relative path such as "config/cfg_123"; each store puts
// it where it belongs. No error of this package contains a secret.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"easel/shared/secret"
)

var (
	// ErrNotFound means that there is no secret of this name.
	ErrNotFound = errors.New("secret not found")
	// ErrName means that a name is empty, too long or has characters other than
	// letters, digits and "/_+=.@-".
	ErrName = errors.New("secret name is not valid")
	// ErrEmpty means that Put was given the zero Value; use Delete.
	ErrEmpty = errors.New("secret is empty")
	// ErrFixed means that a secret comes from the environment and cannot be
	// changed here.
	ErrFixed = errors.New("secret is set by the environment")
)

// Store keeps secrets by name. All implementations are safe for concurrent use.
type Store interface {
	// Get returns the secret, or ErrNotFound or ErrName.
	Get(ctx context.Context, name string) (secret.Value, error)
	// Put creates or replaces the secret. It returns ErrName, ErrEmpty or
	// ErrFixed where they apply.
	Put(ctx context.Context, name string, value secret.Value) error
	// Delete removes the secret. Removing one that does not exist succeeds.
	Delete(ctx context.Context, name string) error
}

const maxName = 256

func checkName(name string) error {
	if name == "" || len(name) > maxName || strings.Contains(name, "..") {
		return fmt.Errorf("%w: %d bytes", ErrName, len(name))
	}
	for _, r := range name {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/_+=.@-", r)
		if !plain {
			return fmt.Errorf("%w: %q in it", ErrName, r)
		}
	}
	return nil
}

func checkPut(name string, value secret.Value) error {
	if err := checkName(name); err != nil {
		return err
	}
	if value.IsZero() {
		return fmt.Errorf("%s: %w", name, ErrEmpty)
	}
	return nil
}
