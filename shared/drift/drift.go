// Package drift checks that accounts' books add up: that what an account was
// granted is what it has available, reserved and spent, and that its ledger says
// the same. A little at a time it comes round to every account.
package drift

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"easel/shared/credits"
)

// Book is an account's balance and its ledger.
type Book struct {
	Account string
	Balance credits.Balance
	// Sum is what the ledger adds up to. Whole is false when the ledger was too long
	// to read all of it; then Sum says nothing.
	Sum   credits.Balance
	Whole bool
}

// Off is how many credits are in the wrong place, 0 when the book adds up: the
// sum, without signs, of what the balance lacks and of what the ledger says
// otherwise.
func (b Book) Off() int64 {
	off := abs(b.Balance.Granted - b.Balance.Available - b.Balance.Reserved - b.Balance.Spent)
	for _, part := range []int64{b.Balance.Granted, b.Balance.Available, b.Balance.Reserved, b.Balance.Spent} {
		off += max(0, -part)
	}
	if b.Whole {
		off += abs(b.Balance.Granted-b.Sum.Granted) + abs(b.Balance.Available-b.Sum.Available) +
			abs(b.Balance.Reserved-b.Sum.Reserved) + abs(b.Balance.Spent-b.Sum.Spent)
	}
	return off
}

func abs(n int64) int64 { return max(n, -n) }

// Store reads books, and sees to it that of all processes only one checks at a
// time and each goes on where the last one ended; *dynamo.Store is the one.
type Store interface {
	// ClaimBooks takes the check until the given moment if it is due at now, and
	// returns where the last one ended. When it is not due, ok is false and next says
	// when it will be.
	ClaimBooks(ctx context.Context, now, until time.Time) (cursor string, ok bool, next time.Time, err error)
	// Books returns some books from the cursor on, at most limit of them, with ledgers
	// of at most entries, and the next cursor, "" after the last account.
	Books(ctx context.Context, cursor string, limit, entries int) ([]Book, string, error)
	// Book returns one book as it is now.
	Book(ctx context.Context, account string, entries int) (Book, error)
	// SaveBooks says where a check ended, and when the next one is due.
	SaveBooks(ctx context.Context, cursor string, next time.Time) error
}

// Parts are what a Checker works with. All are required.
type Parts struct {
	Store Store
	// Checked is told after each check how many credits are in the wrong place.
	Checked func(off int64)
	Now     func() time.Time
	Log     *slog.Logger
}

const (
	every = 10 * time.Minute
	// claim is how long others leave a check alone that somebody began and did not end.
	claim = 5 * time.Minute
	// checkTime bounds a check.
	checkTime = 20 * time.Second
	// accounts is how many books one check looks at, and entries how long their
	// ledgers may be.
	accounts = 20
	entries  = 200
	// looks is how often a book must be wrong before it is: money may move while it
	// is read.
	looks = 3
)

// Checker checks some books every ten minutes, over all processes together. It is
// safe for concurrent use.
type Checker struct {
	Parts

	mu   sync.Mutex
	next time.Time
}

// New returns a checker of the parts.
func New(p Parts) *Checker { return &Checker{Parts: p, next: p.Now()} }

// Check looks at twenty accounts, if no process did so within ten minutes, and
// goes on with the others the next time: a thousand accounts take about eight
// hours. Between checks it costs nothing. What is wrong is told to Checked and
// logged with the account; an error says that the check could not be made.
func (c *Checker) Check(ctx context.Context) error {
	now := c.Now()
	if !c.due(now) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	cursor, ok, next, err := c.Store.ClaimBooks(ctx, now, now.Add(claim))
	if err != nil {
		return fmt.Errorf("claim the check of books: %w", err)
	}
	if !ok {
		c.wait(next)
		return nil
	}
	c.wait(now.Add(claim))
	books, cursor, err := c.Store.Books(ctx, cursor, accounts, entries)
	if err != nil {
		return fmt.Errorf("read books: %w", err)
	}
	var off int64
	for _, b := range books {
		wrong, err := c.look(ctx, b)
		if err != nil {
			return err
		}
		off += wrong
	}
	c.Checked(off)
	if err := c.Store.SaveBooks(ctx, cursor, now.Add(every)); err != nil {
		return fmt.Errorf("save the check of books: %w", err)
	}
	c.wait(now.Add(every))
	return nil
}

// look returns by how much a book is wrong, after looking at it again.
func (c *Checker) look(ctx context.Context, b Book) (int64, error) {
	for look := 1; b.Off() != 0; look++ {
		if look == looks {
			c.Log.ErrorContext(ctx, "an account's books do not add up", "account", b.Account, "off", b.Off(),
				"balance", b.Balance, "ledger", b.Sum, "whole", b.Whole)
			return b.Off(), nil
		}
		var err error
		if b, err = c.Store.Book(ctx, b.Account, entries); err != nil {
			return 0, fmt.Errorf("read a book again: %w", err)
		}
	}
	return 0, nil
}

func (c *Checker) due(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !now.Before(c.next)
}

func (c *Checker) wait(next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next = next
}
