package limit

import (
	"context"
	"time"
)

// Window is one aligned minute of one rule.
type Window struct {
	Rule string
	// Start is the minute's first moment, in UTC.
	Start time.Time
}

// Counters count permits per window.
type Counters interface {
	// Take adds n to the window's count if the sum is at most limit, atomically,
	// and returns the count after it. Otherwise it changes nothing and ok is
	// false. A permit may be counted twice when an answer is lost, never not at all.
	Take(ctx context.Context, w Window, n, limit int) (count int, ok bool, err error)
	// Return takes n off the window's count. It is tried once: a permit may be
	// lost, but never comes back twice.
	Return(ctx context.Context, w Window, n int) error
}

// Hold asks for one place among the holders of a rule.
type Hold struct {
	Rule string
	// ID names the holder; the same ID never holds two places.
	ID string
	// Now is when it asks, and Until when its place is free again by itself.
	Now, Until time.Time
	// Limit is the most holders at the same time.
	Limit int
}

// Held is what became of a [Hold].
type Held struct {
	OK bool
	// Before is true when the holder had its place already.
	Before bool
	// InUse is how many hold a place now, those included whose time is over and
	// that nobody has removed yet.
	InUse int
	// NextFree is when the next place is free by itself; zero when not known.
	NextFree time.Time
}

// Slots keep who holds a place under a rule.
type Slots interface {
	// Hold gives the holder a place until h.Until if there is one, atomically; a
	// holder that has one keeps it.
	Hold(ctx context.Context, h Hold) (Held, error)
	// Free gives the holder's place back, if it has one.
	Free(ctx context.Context, rule, id string) error
}

// Use is how much of a rule is in use.
type Use struct {
	// Rule is the rule's name.
	Rule string
	// Taken is the permits taken in the current minute, those included that an
	// instance has leased and not used yet.
	Taken int
	// InUse is the holders whose time is not over.
	InUse int
}

// Meter shows how much is in use.
type Meter interface {
	// Uses returns the use of each rule in the minute of now, in their order.
	Uses(ctx context.Context, rules []string, now time.Time) ([]Use, error)
}

// Store is what all instances share; *dynamo.Store is one. It is safe for
// concurrent use.
type Store interface {
	Counters
	Slots
}
