package simulator

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// FaultName says what goes wrong.
type FaultName string

// The faults. Those that a vendor cannot have (a lost webhook where there are
// no webhooks) are accepted and change nothing.
const (
	// RateLimited refuses with the vendor's 429 and its Retry-After, if it sends one.
	RateLimited FaultName = "rate_limited"
	// Unavailable refuses with the vendor's "overloaded", before any work.
	Unavailable FaultName = "unavailable"
	// Auth refuses the key.
	Auth FaultName = "auth"
	// OutOfCredit refuses for want of money.
	OutOfCredit FaultName = "out_of_credit"
	// Moderated refuses the prompt, at once or by failing the job, as the vendor does.
	Moderated FaultName = "moderated"
	// Hang does not answer until the client leaves or DelayMS has passed. Without
	// a delay nothing is done; after it the call goes on as usual.
	Hang FaultName = "hang"
	// ResetAfterAccept does the work and then resets the connection.
	ResetAfterAccept FaultName = "reset_after_accept"
	// LostWebhook never sends the job's webhooks.
	LostWebhook FaultName = "lost_webhook"
	// DuplicateWebhook sends each of the job's webhooks three times.
	DuplicateWebhook FaultName = "duplicate_webhook"
	// LateSuccess lets the job take DelayMS (ten minutes when zero).
	LateSuccess FaultName = "late_success"
	// JobFails accepts the job and fails it. A vendor without jobs answers 500.
	JobFails FaultName = "job_fails"
	// ServerError refuses with the vendor's 500.
	ServerError FaultName = "server_error"
	// Truncated does the work and cuts the answer's body in the middle.
	Truncated FaultName = "truncated"
	// SlowBody does the work and spreads the answer's body over DelayMS (ten
	// seconds when zero).
	SlowBody FaultName = "slow_body"
)

// FaultNames lists every fault.
func FaultNames() []FaultName {
	return []FaultName{
		RateLimited, Unavailable, Auth, OutOfCredit, Moderated, Hang, ResetAfterAccept,
		LostWebhook, DuplicateWebhook, LateSuccess, JobFails, ServerError, Truncated, SlowBody,
	}
}

// The values of Fault.On.
const (
	OnSubmits = "submits" // calls that make something and cost money
	OnReads   = "reads"   // polls, lists, cancels, account
	OnFiles   = "files"   // downloads of outputs
	OnAll     = "all"     // every call
)

// maxDelay bounds Fault.DelayMS to one day.
const maxDelay = 24 * time.Hour

// Fault is what one vendor does wrong until it is removed or used up.
type Fault struct {
	// Fault is its name.
	Fault FaultName `json:"fault"`
	// Times is how many calls it spoils; 0 means every call until it is removed.
	Times int `json:"times"`
	// DelayMS is its duration in milliseconds where it has one; for RateLimited
	// the wait that Retry-After asks for. Zero means the fault's own default.
	DelayMS int64 `json:"delay_ms"`
	// On says which calls it spoils. Empty means OnSubmits.
	On string `json:"on,omitempty"`
}

// FieldError says which field of a Fault is wrong.
type FieldError struct {
	Field  string // JSON name of the field
	Reason string // why it is wrong, for a person
}

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

func (f Fault) validate() error {
	switch {
	case !slices.Contains(FaultNames(), f.Fault):
		names := make([]string, 0, len(FaultNames()))
		for _, n := range FaultNames() {
			names = append(names, string(n))
		}
		return &FieldError{"fault", fmt.Sprintf("%q is not one of %s", f.Fault, strings.Join(names, ", "))}
	case f.Times < 0:
		return &FieldError{"times", "must be 0 or more"}
	case f.DelayMS < 0 || f.DelayMS > maxDelay.Milliseconds():
		return &FieldError{"delay_ms", fmt.Sprintf("must be from 0 to %d", maxDelay.Milliseconds())}
	case !slices.Contains([]string{"", OnSubmits, OnReads, OnFiles, OnAll}, f.On):
		return &FieldError{"on", fmt.Sprintf("%q is not one of submits, reads, files, all", f.On)}
	}
	return nil
}

// delay is the fault's duration, or def when it names none.
func (f Fault) delay(def time.Duration) time.Duration {
	if f.DelayMS == 0 {
		return def
	}
	return time.Duration(f.DelayMS) * time.Millisecond
}

// faultBook holds at most one fault per vendor.
type faultBook struct {
	mu     sync.Mutex
	active map[string]*Fault
}

func newFaultBook() *faultBook { return &faultBook{active: map[string]*Fault{}} }

func (b *faultBook) set(vendor string, f Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.On == "" {
		f.On = OnSubmits
	}
	b.active[vendor] = &f
}

func (b *faultBook) clear(vendor string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.active, vendor)
}

// peek returns the vendor's fault and what is left of it, without using it.
func (b *faultBook) peek(vendor string) (Fault, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f := b.active[vendor]; f != nil {
		return *f, true
	}
	return Fault{}, false
}

// take returns the fault that spoils one call on class, and uses it once.
func (b *faultBook) take(vendor, class string) Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.active[vendor]
	if f == nil || (f.On != OnAll && f.On != class) {
		return Fault{}
	}
	taken := *f
	if f.Times > 0 {
		if f.Times--; f.Times == 0 {
			delete(b.active, vendor)
		}
	}
	return taken
}
