package journal

import "fmt"

// QuotaMove changes one counter of an account's monthly limits together with the
// task that counts against it.
type QuotaMove struct {
	Account string
	// Month is a calendar month (UTC) such as "2026-11".
	Month   string
	Counter string
	// By is added to the counter. The store refuses the change with [OverQuota]
	// when By is positive, Limit is not 0, and the sum would exceed Limit.
	By    int64
	Limit int64
}

// OverQuota is returned by a store when a counter would exceed its limit. The
// change had no effect.
type OverQuota struct {
	QuotaMove

	// Used is what the counter stands at.
	Used int64
}

// Error says which limit is used up.
func (o *OverQuota) Error() string {
	return fmt.Sprintf("journal: %s of %s stands at %d of %d, %d more are needed", o.Counter, o.Month, o.Used, o.Limit, o.By)
}
