package health

import (
	"time"

	"easel/shared/fault"
)

// Policy holds the constants of the breaker. The zero value uses the defaults.
type Policy struct {
	// Streak opens at once: so many failures in a row at one instance. Default 5.
	Streak int
	// Failures and Ratio open by what all instances count: at least so many failures
	// in the last one to two windows, and at least this share of the outcomes.
	// Defaults 5 and 0.5.
	Failures int
	Ratio    float64
	// Window is the length of a window. Default 15 s.
	Window time.Duration
	// Settle is how long failures must have gone on before the common counts may
	// open: so long do others need to add what succeeded. Default 6 s.
	Settle time.Duration
	// OpenFor is the time before the first probe, doubled with each opening in a row
	// up to MaxOpen. Defaults 10 s and 5 min.
	OpenFor, MaxOpen time.Duration
	// HoldFor and MaxHold are the same for what only an operator can mend: a wrong
	// key, an empty account, a model that is gone. Defaults 1 min and 15 min.
	HoldFor, MaxHold time.Duration
	// ProbeFor is how long a probe may take before another one is allowed. Default
	// 2 min.
	ProbeFor time.Duration
	// Ramp is how long it takes from one tenth of the requests to all of them.
	// Default 20 s.
	Ramp time.Duration
	// Refresh is how old what is known of the others may be. Default 2.5 s.
	Refresh time.Duration
	// Flush is the shortest time between two writes of counts of one name. Default 3 s.
	Flush time.Duration
}

func (p Policy) withDefaults() Policy {
	if p.Streak == 0 {
		p.Streak = 5
	}
	if p.Failures == 0 {
		p.Failures = 5
	}
	if p.Ratio == 0 {
		p.Ratio = 0.5
	}
	for _, d := range []struct {
		at    *time.Duration
		value time.Duration
	}{
		{&p.Window, 15 * time.Second},
		{&p.Settle, 6 * time.Second},
		{&p.OpenFor, 10 * time.Second},
		{&p.MaxOpen, 5 * time.Minute},
		{&p.HoldFor, time.Minute},
		{&p.MaxHold, 15 * time.Minute},
		{&p.ProbeFor, 2 * time.Minute},
		{&p.Ramp, 20 * time.Second},
		{&p.Refresh, 2500 * time.Millisecond},
		{&p.Flush, 3 * time.Second},
	} {
		if *d.at == 0 {
			*d.at = d.value
		}
	}
	return p
}

func (p Policy) window(at time.Time) int64 { return at.UnixNano() / int64(p.Window) }

const (
	// firstShare of the requests passes when a ramp begins.
	firstShare = 0.1
	// rampStreak and rampFailures open again during a ramp.
	rampStreak   = 2
	rampFailures = 3
	// defaultCool is the cool-down of a provider that limits us and does not say for
	// how long; maxCool bounds what it can ask for.
	defaultCool = 5 * time.Second
	maxCool     = time.Hour
	// forgive is how long a breaker must have been closed before its next opening is
	// the first in a row again.
	forgive = 10 * time.Minute
)

// verdict is what an outcome says about a config.
type verdict int

const (
	nothing verdict = iota // says nothing: canceled, our own storage
	good                   // it did what was asked
	alive                  // it answered, and refused this one request for what it is
	bad                    // it failed
	limited                // it limits us
	held                   // it will fail until somebody mends it
)

func judge(f *fault.Failure) verdict {
	if f == nil {
		return good
	}
	switch f.Class {
	case fault.ClassModerated, fault.ClassInvalidInput, fault.ClassUnsupported:
		return alive
	case fault.ClassConnect, fault.ClassTimeout, fault.ClassUnavailable, fault.ClassBadAnswer, fault.ClassJobFailed:
		return bad
	case fault.ClassRateLimited:
		return limited
	case fault.ClassAuth, fault.ClassOutOfCredit, fault.ClassModelGone:
		return held
	case fault.ClassCanceled, fault.ClassStorage, fault.ClassNotFound:
		return nothing
	default:
		return nothing
	}
}

// heldBy reports whether a breaker that opened for the class waits to be mended.
func heldBy(c fault.Class) bool { return judge(&fault.Failure{Class: c}) == held }
