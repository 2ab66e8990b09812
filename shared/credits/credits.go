// Package credits is the money of the gateway: accounts, their balances, and the
// ledger entries that move them. Amounts are whole credits in int64; there is no
// other way to change a balance than to apply an [Entry].
package credits

import (
	"errors"
	"fmt"
	"time"
)

// Account is who pays: an end user or a tenant.
type Account struct {
	ID string `json:"id"`
	// Name is what the operator calls the account; it may be empty.
	Name    string  `json:"name,omitempty"`
	Balance Balance `json:"balance"`
	// MonthlyQuota limits the credits charged in a calendar month (UTC); 0 is no limit.
	MonthlyQuota int64     `json:"monthly_quota,omitempty"`
	CreatedAt    time.Time `json:"created_at"`
}

// Balance is an account's money. Always Granted = Available + Reserved + Spent,
// and none of them is negative.
type Balance struct {
	// Granted is everything the account was ever given, less what was taken back.
	Granted int64 `json:"granted"`
	// Available can be reserved by new tasks.
	Available int64 `json:"available"`
	// Reserved is held by tasks that have not ended.
	Reserved int64 `json:"reserved"`
	// Spent was charged for delivered work.
	Spent int64 `json:"spent"`
}

// ErrInsufficient is returned when a balance cannot bear an entry.
var ErrInsufficient = errors.New("credits: balance too low")

// ErrUnbalanced is returned for an entry that would create or destroy credits.
var ErrUnbalanced = errors.New("credits: entry does not balance")

// Check returns an error that says which part of the invariant is broken, or nil.
func (b Balance) Check() error {
	if b.Granted < 0 || b.Available < 0 || b.Reserved < 0 || b.Spent < 0 {
		return fmt.Errorf("%w: negative part in %+v", ErrInsufficient, b)
	}
	if b.Granted != b.Available+b.Reserved+b.Spent {
		return fmt.Errorf("%w: %+v", ErrUnbalanced, b)
	}
	return nil
}

// Apply returns the balance after e. It returns ErrInsufficient when a part
// would become negative and ErrUnbalanced when e does not balance.
func (b Balance) Apply(e Entry) (Balance, error) {
	if !e.Balanced() {
		return b, fmt.Errorf("%w: %+v", ErrUnbalanced, e.Delta)
	}
	next := Balance{
		Granted:   b.Granted + e.Delta.Granted,
		Available: b.Available + e.Delta.Available,
		Reserved:  b.Reserved + e.Delta.Reserved,
		Spent:     b.Spent + e.Delta.Spent,
	}
	if err := next.Check(); err != nil {
		return b, err
	}
	return next, nil
}

// Reason is why credits moved.
type Reason string

// The reasons. An entry's ID is built from the reason and the task, so that a
// repeat of the same movement is the same entry and changes nothing.
const (
	Hold    Reason = "hold"    // a task began: available to reserved
	Settle  Reason = "settle"  // a task ended well: reserved to spent, the rest back to available
	Release Reason = "release" // a task ended otherwise: reserved back to available
	Late    Reason = "late"    // a late success was delivered: available to spent
	Grant   Reason = "grant"   // the operator gave credits
	Adjust  Reason = "adjust"  // the operator corrected the balance, up or down
)

// Entry is one line of an account's ledger: immutable, append-only, and unique
// by Account and ID.
type Entry struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	Reason  Reason `json:"reason"`
	// Task is the task that moved the credits, "" for the operator's entries.
	Task  string  `json:"task,omitempty"`
	Delta Balance `json:"delta"`
	// Note is the operator's words for Grant and Adjust, and By who wrote them.
	Note string    `json:"note,omitempty"`
	By   string    `json:"by,omitempty"`
	At   time.Time `json:"at"`
}

// Balanced reports whether the entry neither creates nor destroys credits.
func (e Entry) Balanced() bool {
	return e.Delta.Granted == e.Delta.Available+e.Delta.Reserved+e.Delta.Spent
}

// ForHold reserves price for a task. Price is 0 or more.
func ForHold(account, task string, price int64, at time.Time) Entry {
	return ofTask(Hold, account, task, Balance{Available: -price, Reserved: price}, at)
}

// ForSettle ends a reservation of held credits by charging charge of them,
// 0 to held, and giving the rest back.
func ForSettle(account, task string, held, charge int64, at time.Time) Entry {
	return ofTask(Settle, account, task, Balance{Available: held - charge, Reserved: -held, Spent: charge}, at)
}

// ForRelease ends a reservation of held credits without a charge.
func ForRelease(account, task string, held int64, at time.Time) Entry {
	return ofTask(Release, account, task, Balance{Available: held, Reserved: -held}, at)
}

// ForLate charges a late success from what is available now.
func ForLate(account, task string, charge int64, at time.Time) Entry {
	return ofTask(Late, account, task, Balance{Available: -charge, Spent: charge}, at)
}

// ForGrant gives amount, which is positive, under the caller's id, so that the
// same grant sent twice counts once.
func ForGrant(account, id string, amount int64, note, by string, at time.Time) Entry {
	return Entry{
		ID: string(Grant) + "#" + id, Account: account, Reason: Grant,
		Delta: Balance{Granted: amount, Available: amount}, Note: note, By: by, At: at,
	}
}

// ForAdjust corrects the available balance by amount, up or down, under the caller's id.
func ForAdjust(account, id string, amount int64, note, by string, at time.Time) Entry {
	return Entry{
		ID: string(Adjust) + "#" + id, Account: account, Reason: Adjust,
		Delta: Balance{Granted: amount, Available: amount}, Note: note, By: by, At: at,
	}
}

func ofTask(reason Reason, account, task string, delta Balance, at time.Time) Entry {
	return Entry{ID: task + "#" + string(reason), Account: account, Reason: reason, Task: task, Delta: delta, At: at}
}
