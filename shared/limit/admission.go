package limit

import (
	"strconv"
	"strings"
	"time"

	"easel/shared/fault"
)

// Admission is the answer to one request under its rules. Where there are
// several rules it speaks of the one that refused, else of the one with the
// least left.
type Admission struct {
	// OK is whether the request may go on.
	OK bool
	// Rule is the name of the rule that the rest speaks of; "" when nothing limits.
	Rule string
	// RetryAfter is how long to wait before asking again can help; 0 when OK.
	RetryAfter time.Duration
	// Limit is the rule's number, requests per minute or holders at once; 0 when
	// nothing limits.
	Limit int
	// Remaining is how much of Limit is left as far as this instance knows.
	Remaining int
	// Reset is how long it takes until the whole Limit is there again.
	Reset time.Duration
	// Concurrent is true when Limit is of holders at once, not of requests per minute.
	Concurrent bool
	// Unchecked is true when a rule could not be checked and failed open.
	Unchecked bool
}

// Field is one response header.
type Field struct{ Name, Value string }

// Fields returns the response headers that tell a caller how it stands:
// RateLimit-Limit, RateLimit-Remaining and RateLimit-Reset in whole seconds, and
// Retry-After when the request was refused. It is empty when nothing limits.
func (a Admission) Fields() []Field {
	if a.Limit <= 0 {
		return nil
	}
	fields := []Field{
		{"RateLimit-Limit", strconv.Itoa(a.Limit)},
		{"RateLimit-Remaining", strconv.Itoa(max(0, a.Remaining))},
		{"RateLimit-Reset", seconds(a.Reset)},
	}
	if !a.OK {
		fields = append(fields, Field{"Retry-After", seconds(max(a.RetryAfter, time.Second))})
	}
	return fields
}

// Err returns nil when the request may go on, else a RateLimited error with the
// time to wait and the details "limited_by", the name of the field of a key that
// sets the limit, and "limit", its number.
func (a Admission) Err() error {
	if a.OK {
		return nil
	}
	what, whose := "per minute", ""
	if a.Concurrent {
		what = "at the same time"
	}
	if strings.HasPrefix(a.Rule, userPrefix) {
		whose = " of this user"
	}
	err := fault.New(fault.RateLimited, "too many requests%s: at most %d are allowed %s; try again in %s s",
		whose, a.Limit, what, seconds(max(a.RetryAfter, time.Second))).
		With("limited_by", setting(a.Rule, a.Concurrent)).With("limit", a.Limit)
	err.RetryAfter = a.RetryAfter
	return err
}

// seconds rounds up, so that nobody comes back too early.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// tighter returns the answer that a caller should see of two that both admit.
func tighter(a, b Admission) Admission {
	unchecked := a.Unchecked || b.Unchecked
	if a.Limit == 0 || (b.Limit > 0 && b.Remaining < a.Remaining) {
		a = b
	}
	a.Unchecked = unchecked
	return a
}
