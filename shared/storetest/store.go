// Package storetest holds what the engine may expect of a store: a suite that
// every store passes, and [Memory], a store in memory that really works, for
// tests that need many thousands of histories or a crash at a chosen write.
package storetest

import (
	"context"
	"time"

	"easel/shared/credits"
	"easel/shared/journal"
	"easel/shared/task"
)

// Store is the part of a store that moves tasks and credits. It is safe for
// concurrent use.
type Store interface {
	// Apply writes all of the change or nothing. It returns *journal.Duplicate,
	// journal.ErrStale, *journal.OverQuota or *journal.Insufficient, in this order
	// of precedence, for a change that may not be, and credits.ErrUnbalanced for an entry that
	// creates or destroys credits. A zero entry needs no account.
	Apply(ctx context.Context, change journal.Change) error
	// Task returns the task as it is now, or journal.ErrNotFound.
	Task(ctx context.Context, id string) (task.Task, error)
	// Due returns the ids of tasks whose DueAt is not after now, the longest
	// overdue first, at most limit.
	Due(ctx context.Context, now time.Time, limit int) ([]string, error)
	// TasksByID returns the tasks with the ids, in their order and without those that do
	// not exist, as they are or were a moment ago.
	TasksByID(ctx context.Context, ids []string) ([]task.Task, error)
	// Remembered returns what is remembered of an account's idempotency key; ok is
	// false when it is free.
	Remembered(ctx context.Context, account, callerKey string) (memory journal.Idempotency, ok bool, err error)
	// Account returns the account as it is now, or journal.ErrNotFound.
	Account(ctx context.Context, id string) (credits.Account, error)
	// CreateAccount adds an account without credits; a Conflict error says that
	// there is one with the id, an InvalidInput error that its balance is not zero.
	CreateAccount(ctx context.Context, account credits.Account) error
	// Post applies an entry without a task. Its repeat changes nothing and is no
	// error; another entry under the same id is a Conflict error. It returns
	// journal.ErrNotFound for an unknown account.
	Post(ctx context.Context, e credits.Entry) error
	// Ledger returns a page of an account's entries, newest first, and the cursor
	// of the next page, "" when there is none.
	Ledger(ctx context.Context, account, cursor string, limit int) ([]credits.Entry, string, error)
	// QuotaUse returns where the counters of an account's month stand, in their
	// order; one that was never used stands at 0.
	QuotaUse(ctx context.Context, account, month string, counters []string) ([]int64, error)
}
