package httpapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Preference is what a request's Prefer header asks for (RFC 7240).
type Preference struct {
	// Wait is how long the caller would wait for the end; 0 is not at all.
	Wait time.Duration
	// Async is true when the caller asked not to wait.
	Async bool
}

// Prefer reads the Prefer header. Preferences that are not known or not
// understood are ignored, as the RFC says. respond-async wins over a wait of 0
// only: with both, the answer comes at the end or when the wait is over.
func Prefer(r *http.Request, longest time.Duration) Preference {
	var p Preference
	for _, header := range r.Header.Values("Prefer") {
		for one := range strings.SplitSeq(header, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(one), "=")
			name = strings.ToLower(strings.TrimSpace(name))
			value, _, _ = strings.Cut(value, ";")
			switch name {
			case "respond-async":
				p.Async = true
			case "wait":
				n, err := strconv.Atoi(strings.Trim(strings.TrimSpace(value), `"`))
				if err == nil && n >= 0 {
					p.Wait = min(time.Duration(min(n, 1<<20))*time.Second, longest)
				}
			}
		}
	}
	return p
}

// Apply tells the caller which preference was honoured.
func (p Preference) Apply(h http.Header) {
	switch {
	case p.Wait > 0:
		h.Set("Preference-Applied", "wait="+strconv.Itoa(int(p.Wait.Seconds())))
	case p.Async:
		h.Set("Preference-Applied", "respond-async")
	}
}
