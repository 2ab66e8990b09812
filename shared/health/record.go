// Package health is what the instances of the gateway know together about the
// provider configs: which of them cool down, which have a breaker that is open,
// and which are being tried again.
//
// Healthy traffic writes nothing. An instance counts by itself, writes when
// something failed, at most every few seconds, and reads what the others wrote
// at most every few seconds. docs/limits-and-health.md has the numbers.
package health

import (
	"context"
	"time"

	"easel/shared/fault"
)

// Phase is where a breaker stands.
type Phase string

// The phases. Callers of the console see Probing and Ramping both as half open.
const (
	// Closed: everything passes, except while it cools down.
	Closed Phase = "closed"
	// Open: nothing passes before Record.Until; then one probe may.
	Open Phase = "open"
	// Probing: one request is on its way to find out.
	Probing Phase = "probing"
	// Ramping: a probe succeeded; a growing share of requests passes.
	Ramping Phase = "ramping"
)

// Error is the last failure of a name, for the operator.
type Error struct {
	Class     fault.Class `json:"class"`
	Message   string      `json:"message,omitempty"`
	Detail    string      `json:"detail,omitempty"`
	Status    int         `json:"status,omitempty"`
	RequestID string      `json:"request_id,omitempty"`
	At        time.Time   `json:"at"`
}

// maxDetail bounds what is kept of a provider's own words.
const maxDetail = 500

func newError(f *fault.Failure, at time.Time) *Error {
	detail := f.Detail
	if len(detail) > maxDetail {
		detail = detail[:maxDetail]
	}
	return &Error{Class: f.Class, Message: f.Message, Detail: detail, Status: f.Status, RequestID: f.RequestID, At: at}
}

// Record is what is shared about one name: a config's id, or a config and one of
// its models as failover.Candidate.Key spells it. The zero value is a closed
// breaker that nobody has written yet.
type Record struct {
	Name  string `json:"name"`
	Phase Phase  `json:"phase"`
	// Since is when the phase began.
	Since time.Time `json:"since,omitzero"`
	// DownSince is when it last left Closed; zero while closed.
	DownSince time.Time `json:"down_since,omitzero"`
	// Until is the end of the cool-down, and when an open breaker may be probed.
	Until time.Time `json:"until,omitzero"`
	// Class is why it opened or cools down.
	Class fault.Class `json:"class,omitempty"`
	// Opens counts openings in a row; each doubles the time until the next probe.
	Opens int `json:"opens,omitempty"`
	// Probe names the instance that probes, which has time until ProbeUntil.
	Probe      string    `json:"probe,omitempty"`
	ProbeUntil time.Time `json:"probe_until,omitzero"`
	// RampedAt is when the ramp began.
	RampedAt time.Time `json:"ramped_at,omitzero"`
	// Version counts the writes of what stands above; 0 is never written.
	Version int64 `json:"-"`

	Counts `json:"-"`

	// Last is the last failure that was written.
	Last *Error `json:"-"`
}

// Counts are the outcomes of a name over all instances, in a window of fixed
// length and in the one before it.
type Counts struct {
	// Window is the window's number: the time since 1970 over its length; 0 is none.
	Window    int64
	Good, Bad int
	// PastGood and PastBad are of the window before.
	PastGood, PastBad int
	// First is when the run of windows with failures began.
	First time.Time
}

// Delta is what one instance adds to the counts.
type Delta struct {
	Name      string
	Window    int64
	Good, Bad int
	Last      *Error // nil leaves the stored one
	At        time.Time
	// Known is the window that the record had when it was last seen. It is a hint
	// that saves a round trip.
	Known int64
}

// Store is what all instances share; *dynamo.Store is one. It is safe for
// concurrent use.
type Store interface {
	// HealthRecords returns every record.
	HealthRecords(ctx context.Context) ([]Record, error)
	// SaveHealth stores the record as version r.Version+1 if the stored version is
	// r.Version, and returns it. Otherwise ok is false and it returns what is stored.
	// The counts are cleared when r.Window is 0, and left alone otherwise. The event,
	// unless it is nil, is stored with the record, or neither is.
	SaveHealth(ctx context.Context, r Record, e *Event) (stored Record, ok bool, err error)
	// CountHealth adds to the counts, which move to the delta's window if that is
	// newer, and returns the record after it.
	CountHealth(ctx context.Context, d Delta) (Record, error)
}

// at returns the phase as time alone has made it by now: a probe that ran out of
// time leaves the breaker open, and a ramp ends closed.
func (r Record) at(now time.Time, p Policy) Phase {
	switch {
	case r.Phase == Probing && !now.Before(r.ProbeUntil):
		return Open
	case r.Phase == Ramping && !now.Before(r.RampedAt.Add(p.Ramp)):
		return Closed
	case r.Phase == "":
		return Closed
	default:
		return r.Phase
	}
}

// due reports whether an open breaker may be probed now.
func (r Record) due(now time.Time, p Policy) bool {
	return r.at(now, p) == Open && (r.Phase == Probing || !now.Before(r.Until))
}

// recent returns the outcomes of the last one to two windows.
func (r Record) recent(now time.Time, p Policy) (good, bad int) {
	switch p.window(now) - r.Window {
	case 0:
		return r.Good + r.PastGood, r.Bad + r.PastBad
	case 1:
		return r.Good, r.Bad
	default:
		return 0, 0
	}
}
