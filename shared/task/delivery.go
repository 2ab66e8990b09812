package task

import "time"

// Delivery is the state of a task's report to its caller's callback URL. The zero
// value is a report that is not due yet.
type Delivery struct {
	// Tries counts the reports sent so far, since the task ended or the report was
	// last asked for again.
	Tries int `json:"tries,omitempty"`
	// NextAt is when to try next; zero when there is nothing left to do.
	NextAt time.Time `json:"next_at,omitzero"`
	// DoneAt is when the caller's endpoint took the report.
	DoneAt time.Time `json:"done_at,omitzero"`
	// Status is the HTTP status of the last try, 0 when there was no answer.
	Status int `json:"status,omitempty"`
	// Error says why the last try failed.
	Error string `json:"error,omitempty"`
	// Log holds the latest tries, at most [MaxTries], oldest first. It outlives
	// redeliveries.
	Log []Try `json:"log,omitempty"`
}

// MaxTries is how many tries a delivery's log keeps: all of a schedule and one more.
const MaxTries = 12

// Try is one report that was sent to a caller's endpoint.
type Try struct {
	At time.Time `json:"at"`
	// Status is the endpoint's HTTP status, 0 when there was no answer.
	Status    int    `json:"status,omitempty"`
	Error     string `json:"error,omitempty"`
	LatencyMS int64  `json:"latency_ms"`
}

// Again returns a delivery that is due at now, with a fresh count of tries and the
// log of the old ones.
func (d Delivery) Again(now time.Time) Delivery { return Delivery{NextAt: now, Log: d.Log} }

// Tried returns the delivery after one more try, with nothing planned. It shares
// no memory with d.
func (d Delivery) Tried(t Try) Delivery {
	log := append(append(make([]Try, 0, len(d.Log)+1), d.Log...), t)
	return Delivery{Tries: d.Tries + 1, Status: t.Status, Error: t.Error, Log: log[max(0, len(log)-MaxTries):]}
}
