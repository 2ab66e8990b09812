package replycache

import "easel/shared/generation"

// Outcome is what the cache was to a request, in the words of the header X-Cache.
type Outcome string

// The outcomes.
const (
	Hit    Outcome = "HIT"    // answered from the cache
	Miss   Outcome = "MISS"   // not there; remembered when it succeeds
	Bypass Outcome = "BYPASS" // not asked for
)

// Wish is what a request and its key want of the cache. The zero value wants nothing.
type Wish struct {
	// Seconds is how long an answer is remembered; 0 is never.
	Seconds int
	// Unseeded is true when pictures and videos without a seed are remembered too.
	Unseeded bool
	// NoCache does not look, and NoStore does not remember either.
	NoCache, NoStore bool
	// Tell hears what the cache was to the request, at most once and before anything
	// of the answer is sent; nil hears nothing. A repeat under an idempotency key may
	// hear nothing.
	Tell func(o Outcome)
}

// Remembers reports whether the request's answer is to be remembered. A picture or
// a video without a seed asks for a new one each time, unless its key says otherwise.
func (w Wish) Remembers(r generation.Request) bool {
	return w.Seconds > 0 && !w.NoStore && (r.Kind == generation.Text || r.Seed != nil || w.Unseeded)
}

// Say tells the outcome to whom it concerns: to nobody where the key has no cache.
func (w Wish) Say(o Outcome) {
	if w.Seconds > 0 && w.Tell != nil {
		w.Tell(o)
	}
}
