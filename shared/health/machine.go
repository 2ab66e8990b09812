package health

import (
	"time"

	"easel/shared/fault"
)

// outcome is one thing that happened to a name.
type outcome struct {
	verdict verdict
	class   fault.Class
	at      time.Time
	wait    time.Duration // of limited
	by      string        // the instance that it happened to
	// trips is true when it is one failure too many: of a streak, or by the common
	// counts.
	trips bool
}

// after returns the record as the outcome leaves it, and whether that is a change
// worth writing. An outcome from before the phase began says nothing about it.
func (r Record) after(o outcome, p Policy) (Record, bool) {
	if o.verdict == nothing && r.Phase != Probing || o.at.Before(r.Since) {
		return r, false
	}
	switch r.at(o.at, p) {
	case Open:
		return r.whileOpen(o, p)
	case Probing:
		return r.whileProbing(o, p)
	case Closed, Ramping:
		return r.whileServing(o, p)
	default:
		return r, false
	}
}

// whileServing is for a breaker that lets requests pass.
func (r Record) whileServing(o outcome, p Policy) (Record, bool) {
	switch o.verdict {
	case held:
		return r.open(o, p), true
	case bad:
		if o.trips {
			return r.open(o, p), true
		}
	case limited:
		return r.cool(o)
	case nothing, good, alive:
	}
	return r, false
}

// whileOpen is for calls that were on their way when it opened, which say
// nothing new, and for those of callers that ask without [Monitor.Enter].
func (r Record) whileOpen(o outcome, p Policy) (Record, bool) {
	if !r.due(o.at, p) {
		if o.verdict == held && !heldBy(r.Class) {
			return r.open(o, p), true
		}
		return r, false
	}
	return r.answered(o, p)
}

// whileProbing is for the probe's own outcome; others are late.
func (r Record) whileProbing(o outcome, p Policy) (Record, bool) {
	if o.by != r.Probe {
		return r, false
	}
	return r.answered(o, p)
}

// answered is what a probe's outcome makes of the breaker.
func (r Record) answered(o outcome, p Policy) (Record, bool) {
	verdict := o.verdict
	if verdict == alive && !heldBy(r.Class) {
		verdict = good // it is there again; a key or a balance it may not have looked at
	}
	switch verdict {
	case good:
		return r.ramp(o), true
	case bad, held:
		if heldBy(r.Class) && verdict == bad {
			o.class = r.Class // it still waits to be mended
		}
		return r.open(o, p), true
	case limited:
		if !heldBy(r.Class) {
			r = r.ramp(o)
		} else {
			r = r.reopen(o.at)
		}
		r.Until = o.at.Add(o.wait)
		return r, true
	case nothing, alive:
	}
	if r.Phase != Probing {
		return r, false
	}
	return r.reopen(o.at), true // the probe found nothing out: the next one may go
}

// open opens the breaker, longer with each time in a row.
func (r Record) open(o outcome, p Policy) Record {
	if r.at(o.at, p) == Closed && !o.at.Before(r.RampedAt.Add(p.Ramp+forgive)) {
		r.Opens = 0
	}
	wait, most := p.OpenFor, p.MaxOpen
	if heldBy(o.class) {
		wait, most = p.HoldFor, p.MaxHold
	}
	if heldBy(o.class) != heldBy(r.Class) {
		r.Opens = 0
	}
	r.Opens++
	for i := 1; i < r.Opens && wait < most; i++ {
		wait *= 2
	}
	if r.DownSince.IsZero() || r.at(o.at, p) == Closed {
		r.DownSince = o.at
	}
	r.Class = o.class
	r = r.reopen(o.at)
	r.Until = o.at.Add(min(wait, most))
	return r
}

// reopen makes it open and due at once.
func (r Record) reopen(at time.Time) Record {
	r.Phase, r.Since, r.Until = Open, at, at
	r.Probe, r.ProbeUntil, r.Counts = "", time.Time{}, Counts{}
	return r
}

// probe gives the one probe to the instance.
func (r Record) probe(by string, now time.Time, p Policy) Record {
	r.Phase, r.Since = Probing, now
	r.Probe, r.ProbeUntil = by, now.Add(p.ProbeFor)
	return r
}

// ramp lets a growing share of requests pass; what it opened for is over.
func (r Record) ramp(o outcome) Record {
	r.Phase, r.Since, r.RampedAt = Ramping, o.at, o.at
	r.Until, r.Probe, r.ProbeUntil, r.Counts = time.Time{}, "", time.Time{}, Counts{}
	return r
}

// cool leaves the name alone until the provider wants to hear from us again.
// Several instances that learn it at once write it once, or a few times.
func (r Record) cool(o outcome) (Record, bool) {
	until := o.at.Add(o.wait)
	if until.Sub(r.Until) < time.Second {
		return r, false
	}
	r.Until, r.Class = until, o.class
	if r.Phase == "" {
		r.Phase = Closed
	}
	return r, true
}

// reset closes the breaker, whatever it was.
func (r Record) reset(now time.Time) Record {
	return Record{Name: r.Name, Phase: Closed, Since: now, Version: r.Version, Last: r.Last}
}

// overloaded reports whether the common counts say that the breaker must open.
func (r Record) overloaded(now time.Time, p Policy) bool {
	good, bad := r.recent(now, p)
	least := p.Failures
	switch r.at(now, p) {
	case Ramping:
		least = rampFailures
	case Closed:
		if now.Sub(r.First) < p.Settle {
			return false
		}
	case Open, Probing:
		return false
	}
	return bad >= least && float64(bad) >= p.Ratio*float64(good+bad)
}

// share is the part of the requests that a ramp lets pass now, 0 to 1.
func (r Record) share(now time.Time, p Policy) float64 {
	if r.at(now, p) != Ramping {
		return 1
	}
	return firstShare + (1-firstShare)*float64(now.Sub(r.RampedAt))/float64(p.Ramp)
}
