// Package journal is what the gateway writes when a task changes: the task, the
// credits that move with it, and what is remembered of both, in one transaction.
// The engine builds a [Change]; a store applies all of it or nothing.
package journal

import (
	"errors"
	"fmt"
	"time"

	"easel/shared/credits"
	"easel/shared/task"
	"easel/shared/usage"
)

// Change is one atomic write. Its parts are applied together or not at all.
type Change struct {
	// Task is the task as it shall be. It is written only if the stored version
	// is Task.Version-1; with Version 1, only if no such task exists.
	Task task.Task
	// Entry, if set, is appended to the ledger and applied to the balance of its
	// account. An entry that is already in the ledger makes the change stale.
	Entry *credits.Entry
	// Idempotency, if set, is recorded with the task's first version.
	Idempotency *Idempotency
	// Usage, if set, replaces the usage record of the task.
	Usage *usage.Record
	// Quotas move the account's counters of monthly limits.
	Quotas []QuotaMove
}

// Idempotency is the memory of one creating request, so that its repeat finds
// the same task.
type Idempotency struct {
	Account string `json:"account"`
	// Key is the caller's Idempotency-Key; Hash is the hex SHA-256 of the request.
	Key  string `json:"key"`
	Hash string `json:"hash"`
	Task string `json:"task"`
	// ExpiresAt is when the memory ends.
	ExpiresAt time.Time `json:"expires_at"`
}

// ErrStale is returned by a store when the task was changed by somebody else
// since it was read. The change had no effect.
var ErrStale = errors.New("journal: the task was changed meanwhile")

// ErrNotFound is returned by a store for a task, account or record that does not exist.
var ErrNotFound = errors.New("journal: not found")

// Duplicate is returned by a store when the idempotency key was used before.
// The change had no effect.
type Duplicate struct{ Idempotency }

// Error names the task that the key belongs to.
func (d *Duplicate) Error() string {
	return "journal: idempotency key was used for task " + d.Task
}

// Insufficient is returned by a store when the account cannot bear the entry.
// It matches credits.ErrInsufficient. The change had no effect.
type Insufficient struct {
	Account   string
	Available int64
	Needed    int64
}

// Error says what is there and what is needed.
func (i *Insufficient) Error() string {
	return fmt.Sprintf("journal: account has %d credits available, %d are needed", i.Available, i.Needed)
}

// Is reports whether target is credits.ErrInsufficient.
func (i *Insufficient) Is(target error) bool { return target == credits.ErrInsufficient }
