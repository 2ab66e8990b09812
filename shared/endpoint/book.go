// Package endpoint knows where callers take reports of their tasks: what the
// reports of an account are signed with, and which of its endpoints have stopped
// taking any.
package endpoint

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"easel/shared/fault"
)

const (
	// Overlap is how long a replaced secret goes on signing beside the new one.
	Overlap = 24 * time.Hour
	// Patience is how many tasks in a row may have their reports given up before
	// their endpoint gets no more.
	Patience = 5
	// maxSecrets bounds the signatures of one report.
	maxSecrets = 5
	// maxPlaces bounds the endpoints of an account that are remembered for failing.
	maxPlaces = 50
)

// Book is what is known of one account's endpoints. The zero value with an
// account is that of an account without secrets of its own, whose reports the
// deployment's secret signs. Its methods return changed copies.
type Book struct {
	Account string `json:"account"`
	// Secrets are the newest first.
	Secrets []Secret `json:"secrets,omitempty"`
	// Places are the endpoints that failed lately, by [Where].
	Places map[string]Place `json:"places,omitempty"`
	// Version counts the writes; 0 was never written.
	Version int64 `json:"version"`
}

// Secret is one secret that signs reports.
type Secret struct {
	// Name is the secret's in the secret store; "" stands for the deployment's secret.
	Name  string    `json:"name,omitempty"`
	Since time.Time `json:"since"`
	// Until is when a replaced secret stops signing; zero for the newest.
	Until time.Time `json:"until,omitzero"`
}

func (s Secret) signs(now time.Time) bool { return s.Until.IsZero() || now.Before(s.Until) }

// Place is one endpoint that failed.
type Place struct {
	// Failed are the tasks in a row whose reports were given up, at most [Patience].
	Failed []string `json:"failed"`
	// At is when the last of them was.
	At time.Time `json:"at"`
	// DisabledAt is when the endpoint got its last report; zero while it gets them.
	DisabledAt time.Time `json:"disabled_at,omitzero"`
}

// Where names the endpoint of a callback URL: its host and path, because callers
// put what differs from task to task into the query.
func Where(callbackURL string) string {
	u, err := url.Parse(callbackURL)
	if err != nil {
		return callbackURL
	}
	return strings.ToLower(u.Host) + u.EscapedPath()
}

// Signing returns the secrets that sign a report at now, newest first. There is
// at least one.
func (b Book) Signing(now time.Time) []Secret {
	list := slices.DeleteFunc(slices.Clone(b.Secrets), func(s Secret) bool { return !s.signs(now) })
	if len(list) == 0 {
		return []Secret{{}}
	}
	return list
}

// Rotate returns the book with a new secret; those before it sign through the
// [Overlap], the deployment's where there was none. spent are the names of the
// secrets that are of no use any more. A Conflict error says that there were too
// many changes within the overlap.
func (b Book) Rotate(name string, now time.Time) (next Book, spent []string, err error) {
	old := b.Signing(now)
	if len(old) >= maxSecrets {
		return b, nil, fault.New(fault.Conflict, "the secret was changed %d times within %d hours; wait until %s",
			maxSecrets-1, int(Overlap.Hours()), old[len(old)-1].Until.UTC().Format(time.RFC3339))
	}
	for i := range old {
		if old[i].Until.IsZero() {
			old[i].Until = now.Add(Overlap)
		}
	}
	for _, s := range b.Secrets {
		if !s.signs(now) && s.Name != "" {
			spent = append(spent, s.Name)
		}
	}
	b.Secrets = append([]Secret{{Name: name, Since: now}}, old...)
	return b, spent, nil
}

// Disabled reports whether the endpoint gets no more reports.
func (b Book) Disabled(callbackURL string) bool {
	return !b.Places[Where(callbackURL)].DisabledAt.IsZero()
}

// GaveUp returns the book after the reports of a task were given up. The same
// task counts once.
func (b Book) GaveUp(callbackURL, taskID string, now time.Time) Book {
	where := Where(callbackURL)
	place := b.Places[where]
	if slices.Contains(place.Failed, taskID) || !place.DisabledAt.IsZero() {
		return b
	}
	place.Failed, place.At = append(slices.Clone(place.Failed), taskID), now
	if len(place.Failed) >= Patience {
		place.DisabledAt = now
	}
	places := maps.Clone(b.Places)
	if places == nil {
		places = map[string]Place{}
	}
	places[where] = place
	if len(places) > maxPlaces {
		delete(places, oldest(places))
	}
	b.Places = places
	return b
}

// oldest is the endpoint that failed longest ago.
func oldest(places map[string]Place) string {
	first := ""
	for where, p := range places {
		if first == "" || p.At.Before(places[first].At) {
			first = where
		}
	}
	return first
}

// Works returns the book with everything forgotten that speaks against the
// endpoint; changed is false when there was nothing.
func (b Book) Works(callbackURL string) (next Book, changed bool) {
	where := Where(callbackURL)
	if _, changed = b.Places[where]; !changed {
		return b, false
	}
	b.Places = maps.Clone(b.Places)
	delete(b.Places, where)
	return b, true
}
