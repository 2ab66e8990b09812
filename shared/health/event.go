package health

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"easel/shared/audit"
	"easel/shared/fault"
)

// Status is a breaker as operators see it.
type Status string

// The statuses. A probe changes none: only what comes of it does.
const (
	StatusClosed   Status = "closed"
	StatusOpen     Status = "open"
	StatusHeld     Status = "held" // open until an operator or a probe that succeeds
	StatusHalfOpen Status = "half_open"
)

// status is how the record was last told of. That a ramp has ended is told by
// [Monitor.Settle].
func (r Record) status() Status {
	switch r.Phase {
	case Open, Probing:
		if heldBy(r.Class) {
			return StatusHeld
		}
		return StatusOpen
	case Ramping:
		return StatusHalfOpen
	case Closed:
		return StatusClosed
	default:
		return StatusClosed
	}
}

// Event is one change of a name. Each change is told once, by the instance that
// wrote it; those that operators can see are stored in the same write.
type Event struct {
	// ID names the event for good; "" when operators see no change.
	ID   string
	Name string
	// From and To are the phases, and Before and After what operators see.
	From, To      Phase
	Before, After Status
	// Class is why, "" when it closed.
	Class fault.Class
	At    time.Time
	// Until is when it may be probed, for Open.
	Until time.Time
	// Reset is true when an operator closed it.
	Reset bool
	// Label is what the operator calls the config, and Provider its provider; both
	// may be "".
	Label, Provider string
	// Notify asks for a notice to the operator's endpoint.
	Notify bool
}

// Config is the id of the config that the event is about.
func (e Event) Config() string {
	config, _ := split(e.Name)
	return config
}

// Model is the upstream model that the event is about; "" is all of the config's.
func (e Event) Model() string {
	_, model := split(e.Name)
	return model
}

// Seen reports whether operators see a change.
func (e Event) Seen() bool { return e.Before != e.After }

// Type names the event for receivers: breaker.closed, breaker.open, breaker.held
// or breaker.half_open.
func (e Event) Type() string { return "breaker." + string(e.After) }

// newEventID returns an id that nobody can guess, in order of time.
func newEventID(at time.Time) string { return fmt.Sprintf("evt_%012x%s", at.UnixMilli(), rand.Text()) }

// facts are what a trail or an endpoint is told.
type facts struct {
	Config   string      `json:"config_id,omitempty"`
	Name     string      `json:"name,omitempty"`
	Provider string      `json:"provider,omitempty"`
	Model    string      `json:"model,omitempty"`
	Before   Status      `json:"before,omitempty"`
	Breaker  Status      `json:"breaker"`
	Class    fault.Class `json:"class,omitempty"`
	ReadyAt  time.Time   `json:"ready_at,omitzero"`
	Reset    bool        `json:"reset,omitempty"`
}

// Data is what a receiver is told, as JSON.
func (e Event) Data() json.RawMessage {
	return encoded(facts{
		Config: e.Config(), Name: e.Label, Provider: e.Provider, Model: e.Model(),
		Before: e.Before, Breaker: e.After, Class: e.Class, ReadyAt: e.Until, Reset: e.Reset,
	})
}

// Entry is the event as the audit trail keeps it.
func (e Event) Entry() audit.Entry {
	return audit.Entry{
		ID: e.ID, At: e.At.UTC(), Action: e.Type(),
		Actor:  audit.Actor{Type: "system", ID: "health", Name: "shared health"},
		Object: audit.Object{Type: "config", ID: e.Config(), Name: e.Label},
		Before: encoded(facts{Breaker: e.Before, Model: e.Model()}),
		After:  encoded(facts{Breaker: e.After, Model: e.Model(), Class: e.Class, ReadyAt: e.Until, Reset: e.Reset}),
	}
}

func encoded(f facts) json.RawMessage {
	raw, err := json.Marshal(f)
	if err != nil { // a year beyond 9999
		f.ReadyAt = time.Time{}
		raw, _ = json.Marshal(f)
	}
	return raw
}
