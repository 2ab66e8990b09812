package secrets

import (
	"context"
	"fmt"
	"maps"

	"easel/shared/secret"
)

// Env puts fixed secrets, which main read from the environment, on top of
// another Store.
type Env struct {
	fixed map[string]secret.Value
	next  Store
}

// NewEnv returns a Store that answers from fixed first and otherwise from next.
// Zero values in fixed are ignored.
func NewEnv(fixed map[string]secret.Value, next Store) *Env {
	own := maps.Clone(fixed)
	maps.DeleteFunc(own, func(_ string, value secret.Value) bool { return value.IsZero() })
	return &Env{fixed: own, next: next}
}

// Get implements [Store].
func (e *Env) Get(ctx context.Context, name string) (secret.Value, error) {
	if value, ok := e.fixed[name]; ok {
		return value, nil
	}
	return e.next.Get(ctx, name)
}

// Put implements [Store]; a fixed secret is ErrFixed, because the new value would
// never be seen.
func (e *Env) Put(ctx context.Context, name string, value secret.Value) error {
	if _, ok := e.fixed[name]; ok {
		return fmt.Errorf("put secret %s: %w", name, ErrFixed)
	}
	return e.next.Put(ctx, name, value)
}

// Delete implements [Store]; a fixed secret is ErrFixed.
func (e *Env) Delete(ctx context.Context, name string) error {
	if _, ok := e.fixed[name]; ok {
		return fmt.Errorf("delete secret %s: %w", name, ErrFixed)
	}
	return e.next.Delete(ctx, name)
}
