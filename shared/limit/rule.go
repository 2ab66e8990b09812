// Package limit holds requests to what was agreed: so many in a minute and so
// many at the same time, for a provider config, a key or an end user, counted
// over all instances together.
//
// A minute is an aligned one: it begins at second 0 of the wall clock, in UTC.
// A rule of 60 per minute admits at most 60 requests between 12:00:00 and
// 12:01:00, whoever they come to. Nobody saves unused requests up.
//
// docs/limits-and-health.md has the costs and what happens when the store fails.
package limit

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"easel/shared/apikey"
	"easel/shared/settings"
)

// Rule is one limit. The zero value limits nothing.
type Rule struct {
	// Name tells rules apart in the store, such as "config#cfg_1". Two rules of one
	// name share their counts.
	Name string
	// PerMinute is the most requests in an aligned minute; 0 is no limit.
	PerMinute int
	// Concurrency is the most holders at the same time; 0 is no limit.
	Concurrency int
	// FailOpen admits while the store cannot be asked; without it nothing is
	// admitted then. See [ForConfig] and [ForKey] for which is right where.
	FailOpen bool
}

// Unlimited reports whether the rule admits everything.
func (r Rule) Unlimited() bool { return r.PerMinute <= 0 && r.Concurrency <= 0 }

// What the names of the rules begin with.
const (
	configPrefix = "config#"
	keyPrefix    = "key#"
	userPrefix   = "user#"
)

// ForConfig returns the rule of a provider config. It fails closed: a config
// that cannot be counted is skipped and another one is asked, because the number
// was agreed with somebody who will hold us to it.
func ForConfig(c settings.Config) Rule {
	return Rule{Name: configPrefix + c.ID, PerMinute: c.RatePerMinute, Concurrency: c.Concurrency}
}

// ForKey returns the rule of a caller's key. It fails open: a caller must not be
// told to slow down because our store does, and what its request costs is
// guarded by the reservation of its credits, which does not fail open.
func ForKey(k apikey.Key) Rule {
	return Rule{Name: keyPrefix + k.ID, PerMinute: k.RatePerMinute, Concurrency: k.Concurrency, FailOpen: true}
}

// ForUser returns the rule of one end user of an account; it fails open, as
// that of a key does. All keys that work for the account share the user's counts,
// whatever their numbers. "" is a user like any other: who names no users has one
// limit for all of them. The user is in the name as a hash only: names of people
// do not belong into keys.
func ForUser(account, user string, perMinute, concurrency int) Rule {
	sum := sha256.Sum256([]byte(user))
	return Rule{
		Name: userPrefix + account + "#" + hex.EncodeToString(sum[:16]), PerMinute: perMinute, Concurrency: concurrency, FailOpen: true,
	}
}

// setting is how a caller knows the rule's limit: the name of the field of its
// key that sets it.
func setting(rule string, concurrent bool) string {
	name := "rate_per_minute"
	if concurrent {
		name = "concurrency"
	}
	if strings.HasPrefix(rule, userPrefix) {
		name = "user_" + name
	}
	return name
}

// minuteOf returns the start of the aligned minute that t is in.
func minuteOf(t time.Time) time.Time { return t.UTC().Truncate(time.Minute) }
