package limit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limiter asks the store, and remembers what need not be asked again: refusals,
// which hold until the minute is over, and permits that it took in advance. It
// is safe for concurrent use. Each instance has its own.
type Limiter struct {
	store Store
	now   func() time.Time
	memory
}

// New returns a limiter over the store. now is the clock; nil is time.Now.
// Instances whose clocks differ by d may together exceed a limit within the first
// and last d of a minute; Lambda's clocks differ by milliseconds.
func New(store Store, now func() time.Time) *Limiter {
	if now == nil {
		now = time.Now
	}
	return &Limiter{store: store, now: now}
}

const (
	// maxHold bounds how long a place can be held without being given back. The
	// store keeps its items longer than this after their last change.
	maxHold = 24 * time.Hour
	// slotPause is how long a refusal for want of a place is believed without
	// asking again: places come back at any moment.
	slotPause = time.Second
)

// Admit asks every rule for the request named id: first for a place among the
// holders, then for a permit of the minute. Places are held until [Limiter.Release]
// or until hold has passed, at most 24 hours; an id that holds one already takes
// no second one. When one rule refuses, what the others gave is given back, and
// the answer says which one refused and how long to wait.
//
// A rule costs one conditional write for each of its two numbers, none when the
// refusal is still remembered, and less than one where permits are leased; see
// docs/limits-and-health.md. An error is returned with a refusal when a rule that
// fails closed could not be checked. When a rule that fails open could not be
// checked, the answer is Unchecked and there is no error.
func (l *Limiter) Admit(ctx context.Context, rules []Rule, id string, hold time.Duration) (Admission, error) {
	now := l.now()
	for _, r := range rules {
		if refusal, ok := l.refusal(r, now); ok {
			return refusal, nil
		}
	}
	answer := Admission{OK: true}
	var given []grant
	for _, r := range rules {
		next, g, err := l.one(ctx, r, id, now, hold)
		given = append(given, g)
		if err != nil || !next.OK {
			l.giveBack(ctx, given, id)
			return next, err
		}
		answer = tighter(answer, next)
	}
	return answer, nil
}

// Release gives back the places that the request holds under the rules. It may
// be called from another process than the one that was admitted, and any number
// of times. A place that could not be given back is free when its time is over.
func (l *Limiter) Release(ctx context.Context, rules []Rule, id string) error {
	var failed error
	for _, r := range rules {
		if r.Concurrency <= 0 {
			continue
		}
		if err := l.store.Free(ctx, r.Name, id); err != nil {
			failed = errors.Join(failed, fmt.Errorf("release %s: %w", r.Name, err))
			continue
		}
		l.freed(r.Name)
	}
	return failed
}

// ReadyAt returns when the config can admit a request again as far as this
// instance remembers, without asking anybody; zero is now. It makes a Limiter a
// failover.Readiness, by which a config at its limit is skipped.
func (l *Limiter) ReadyAt(config string, now time.Time) time.Time {
	return l.refusedUntil(configPrefix+config, now)
}

// grant is what one rule gave to a request that is not yet admitted by all.
type grant struct {
	rule   Rule
	window Window
	permit bool // from the window's count
	place  bool // among the holders, which it had not before
}

// one asks one rule. What it gave is in the grant also when it refused.
func (l *Limiter) one(ctx context.Context, r Rule, id string, now time.Time, hold time.Duration) (Admission, grant, error) {
	g := grant{rule: r, window: Window{r.Name, minuteOf(now)}}
	answer := Admission{OK: true}
	if r.Concurrency > 0 {
		held, err := l.store.Hold(ctx, Hold{Rule: r.Name, ID: id, Now: now, Until: now.Add(min(hold, maxHold)), Limit: r.Concurrency})
		if err != nil {
			return l.unchecked(r, now), g, closed(r, err)
		}
		g.place = held.OK && !held.Before
		answer = l.placed(r, held, now)
		if !answer.OK {
			return answer, g, nil
		}
	}
	if r.PerMinute > 0 {
		permitted, err := l.permit(ctx, r, g.window, now)
		if err != nil {
			answer = l.unchecked(r, now)
			return answer, g, closed(r, err)
		}
		g.permit = permitted.OK
		if !permitted.OK {
			return permitted, g, nil
		}
		answer = tighter(answer, permitted)
	}
	return answer, g, nil
}

// closed is the error of a rule that could not be checked, nil when that is no
// reason to refuse.
func closed(r Rule, err error) error {
	if r.FailOpen {
		return nil
	}
	return fmt.Errorf("check the limit %s: %w", r.Name, err)
}

// unchecked is the answer of a rule that could not be checked.
func (l *Limiter) unchecked(r Rule, now time.Time) Admission {
	if r.FailOpen {
		return Admission{OK: true, Unchecked: true}
	}
	l.refuse(r.Name, refusal{until: now.Add(slotPause), limit: max(r.PerMinute, r.Concurrency), place: r.PerMinute <= 0})
	return Admission{Rule: r.Name, Limit: max(r.PerMinute, r.Concurrency), RetryAfter: slotPause, Reset: slotPause, Unchecked: true}
}

func (l *Limiter) placed(r Rule, held Held, now time.Time) Admission {
	answer := Admission{OK: held.OK, Rule: r.Name, Limit: r.Concurrency, Remaining: max(0, r.Concurrency-held.InUse), Concurrent: true}
	if held.OK {
		return answer
	}
	answer.Remaining, answer.RetryAfter = 0, slotPause
	if wait := held.NextFree.Sub(now); !held.NextFree.IsZero() && wait > 0 {
		answer.RetryAfter = min(wait, slotPause)
	}
	answer.Reset = answer.RetryAfter
	l.refuse(r.Name, refusal{until: now.Add(answer.RetryAfter), limit: r.Concurrency, place: true})
	return answer
}

// permit takes one permit: from those that this instance leased, else from the store.
func (l *Limiter) permit(ctx context.Context, r Rule, w Window, now time.Time) (Admission, error) {
	answer := Admission{OK: true, Rule: r.Name, Limit: r.PerMinute, Reset: w.Start.Add(time.Minute).Sub(now)}
	if left, ok := l.spend(w, r.PerMinute); ok {
		answer.Remaining = left
		return answer, nil
	}
	n := l.lease(w, r.PerMinute)
	count, ok, err := l.store.Take(ctx, w, n, r.PerMinute)
	for n > 1 && err == nil && !ok {
		n = max(1, min(n/2, r.PerMinute-count)) // what is left, or the half of it when others take too
		count, ok, err = l.store.Take(ctx, w, n, r.PerMinute)
	}
	if err != nil {
		return Admission{}, err
	}
	if !ok {
		answer.OK, answer.RetryAfter = false, answer.Reset
		l.refuse(r.Name, refusal{until: w.Start.Add(time.Minute), limit: r.PerMinute})
		return answer, nil
	}
	answer.Remaining = l.took(w, n, count, r.PerMinute)
	return answer, nil
}

// giveBack returns what a request got that is not admitted after all. It
// outlives the request's own cancellation, because others wait for it.
func (l *Limiter) giveBack(ctx context.Context, given []grant, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	for _, g := range given {
		if g.place {
			_ = l.store.Free(ctx, g.rule.Name, id) // free by itself when its time is over
		}
		if g.permit && !l.keep(g.window, g.rule.PerMinute) {
			_ = l.store.Return(ctx, g.window, 1) // else lost for this minute
		}
	}
}
