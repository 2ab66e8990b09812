// Package task is the gateway's durable unit of work: one generation that a
// caller asked for, its attempts at providers, and the moves it may make.
package task

import (
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
)

// Status is a task's state as callers see it.
type Status string

// The statuses. The last four are terminal.
const (
	Queued     Status = "queued"
	Processing Status = "processing"
	Succeeded  Status = "succeeded"
	Failed     Status = "failed"
	Canceled   Status = "canceled"
	Expired    Status = "expired"
)

// Terminal reports whether a task in this status has ended for its caller.
func (s Status) Terminal() bool {
	return s == Succeeded || s == Failed || s == Canceled || s == Expired
}

// Valid reports whether s is one of the statuses.
func (s Status) Valid() bool {
	return s == Queued || s == Processing || s.Terminal()
}

// CanMove reports whether a task may go from s to next. A terminal status is
// never left, with one exception: an expired task whose provider delivers within
// the grace period becomes succeeded. Staying is not a move.
func (s Status) CanMove(next Status) bool {
	switch s {
	case Queued:
		return next == Processing || next.Terminal()
	case Processing:
		return next.Terminal()
	case Expired:
		return next == Succeeded
	default:
		return false
	}
}

// Task is one generation, from the reservation of its credits to their
// settlement. The store keeps it whole and replaces it only when Version is the
// one that was read, so every change is made by exactly one writer.
type Task struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	// KeyID is the API key that created the task.
	KeyID string `json:"key_id,omitempty"`
	// KeyPlaces is how many tasks the key might have open at once when this one
	// began; 0 is no limit.
	KeyPlaces int `json:"key_places,omitempty"`
	// UserPlaces is the same of User, over all keys.
	UserPlaces int `json:"user_places,omitempty"`
	// User is the caller's own name for its end user; it may be empty.
	User    string             `json:"user,omitempty"`
	Kind    generation.Kind    `json:"kind"`
	Model   string             `json:"model"`
	Request generation.Request `json:"request"`

	Status   Status  `json:"status"`
	Progress float64 `json:"progress"`
	// Price is what the task costs when everything asked for is delivered,
	// frozen when it began. Reserved is what it holds now; Charged what it paid.
	Price    int64 `json:"price"`
	Reserved int64 `json:"reserved"`
	Charged  int64 `json:"charged"`
	// PriceLines explain Price.
	PriceLines []PriceLine `json:"price_lines,omitempty"`

	Attempts []Attempt          `json:"attempts,omitempty"`
	Outputs  []generation.Asset `json:"outputs,omitempty"`
	// Text is the answer of a text task.
	Text  string           `json:"text,omitempty"`
	Usage generation.Usage `json:"usage"`
	Error *Error           `json:"error,omitempty"`

	Metadata    map[string]string `json:"metadata,omitempty"`
	CallbackURL string            `json:"callback_url,omitempty"`
	// RequestID is the HTTP request that created the task.
	RequestID string `json:"request_id,omitempty"`

	CreatedAt  time.Time `json:"created_at"`
	StartedAt  time.Time `json:"started_at,omitzero"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
	UpdatedAt  time.Time `json:"updated_at"`
	// ExpiresAt is the deadline: a task that has not succeeded by then expires.
	ExpiresAt time.Time `json:"expires_at"`

	// DueAt is when the sweep must look at the task next; zero means never again.
	DueAt time.Time `json:"due_at,omitzero"`
	// Lease says who works on the task now.
	Lease Lease `json:"lease,omitzero"`
	// LateUntil is the end of the grace period of an ended task whose provider may still deliver.
	LateUntil time.Time `json:"late_until,omitzero"`
	// ChargeModerated is the model's rule when the task began: a refusal for content costs the price.
	ChargeModerated bool `json:"charge_moderated,omitempty"`
	// Caching is what the cache of answers is to the task.
	Caching Caching `json:"caching,omitzero"`
	// Quotas are the monthly limits that the task counts against.
	Quotas []Quota `json:"quotas,omitempty"`
	// Delivery is how far the report to CallbackURL is; it starts when the task ends.
	Delivery Delivery `json:"delivery,omitzero"`
	// Loss is true when a provider delivered, or is taken to have delivered, work
	// that nobody paid for. The operator sees it; the caller does not.
	Loss bool `json:"loss,omitempty"`
	// Version counts the writes of this task, from 1.
	Version int64 `json:"version"`
}

// Caching is what the cache of answers is to a task; the zero value is nothing.
type Caching struct {
	// Key names the request's answer, and Seconds is how long it is remembered after
	// the task has succeeded; "" remembers nothing.
	Key     string `json:"key,omitempty"`
	Seconds int    `json:"seconds,omitempty"`
	// From is the task that was answered first, for one that is answered from the cache.
	From string `json:"from,omitempty"`
}

// PriceLine is one factor of a price: a count of units at credits each.
type PriceLine struct {
	What     string `json:"what"`
	Quantity int64  `json:"quantity"`
	Credits  int64  `json:"credits"`
}

// Lease is the right to work on a task for a while. A writer that lost its lease
// fails on Version. The zero value is no lease.
type Lease struct {
	Owner string    `json:"owner,omitempty"`
	Until time.Time `json:"until,omitzero"`
}

// Held reports whether somebody holds the lease at now.
func (l Lease) Held(now time.Time) bool { return l.Owner != "" && now.Before(l.Until) }

// Error is why a task did not succeed, safe for the caller.
type Error struct {
	Code    fault.Code `json:"code"`
	Message string     `json:"message"`
}

// Outcome is what became of an attempt.
type Outcome string

// The outcomes. Started is written before the provider is called; an attempt
// found in Started by anyone but its writer is Unknown.
const (
	Started   Outcome = "started"   // the submit may be on its way
	Rejected  Outcome = "rejected"  // the provider did not take the work
	Accepted  Outcome = "accepted"  // the provider works on a job
	Unknown   Outcome = "unknown"   // nobody knows whether it was taken
	Delivered Outcome = "succeeded" // the provider delivered
	Broken    Outcome = "failed"    // taken, then failed at the provider
	Abandoned Outcome = "abandoned" // the task ended before the provider did
)

// Open reports whether the provider may still be working on the attempt, so
// that no other attempt may start.
func (o Outcome) Open() bool { return o == Started || o == Accepted || o == Unknown }

// Attempt is one submission of a task to one config. It never changes once its
// outcome is not open.
type Attempt struct {
	// No counts a task's attempts from 1.
	No int `json:"no"`
	// ID names the attempt at the provider and in webhook URLs.
	ID       string `json:"id"`
	Config   string `json:"config"`
	Provider string `json:"provider"`
	// Model is the name that was sent to the provider.
	Model string `json:"model,omitempty"`
	// Arm is the arm of a split or weighted routing that the task was drawn for,
	// where the attempt is made at that arm's config; "" otherwise.
	Arm     string  `json:"arm,omitempty"`
	Outcome Outcome `json:"outcome"`

	Class fault.Class `json:"class,omitempty"`
	// Message is safe for callers; Detail is for the operator only.
	Message string `json:"message,omitempty"`
	Detail  string `json:"detail,omitempty"`
	// Status and RequestID are the provider's HTTP status and id of the call.
	Status    int    `json:"status,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	// GatewayID is the log id of an AI gateway that the call went through.
	GatewayID string `json:"gateway_id,omitempty"`

	// Job and Handle are how the provider knows the work: its id and, where the
	// provider hands them out, its URLs.
	Job    string            `json:"job,omitempty"`
	Handle map[string]string `json:"handle,omitempty"`
	// Polls counts how often the job was looked up.
	Polls int `json:"polls,omitempty"`

	StartedAt time.Time        `json:"started_at"`
	EndedAt   time.Time        `json:"ended_at,omitzero"`
	LatencyMS int64            `json:"latency_ms,omitempty"`
	Usage     generation.Usage `json:"usage"`
}

// Open returns the attempt that a provider may still be working on, and its
// index; ok is false when there is none. A task has at most one.
func (t *Task) Open() (index int, ok bool) {
	for i := range t.Attempts {
		if t.Attempts[i].Outcome.Open() {
			return i, true
		}
	}
	return 0, false
}

// Attempt returns the index of the attempt with the id; ok is false when there is none.
func (t *Task) Attempt(id string) (index int, ok bool) {
	for i := range t.Attempts {
		if t.Attempts[i].ID == id {
			return i, true
		}
	}
	return 0, false
}

// Clone returns a copy that shares no slice or map which a change of a task writes to.
func (t Task) Clone() Task {
	t.Attempts = append([]Attempt(nil), t.Attempts...)
	t.Outputs = append([]generation.Asset(nil), t.Outputs...)
	if t.Error != nil {
		e := *t.Error
		t.Error = &e
	}
	return t
}

// ReasonLate is the reason of a message about a webhook that came after its
// attempt had ended: there is nothing to advance.
const ReasonLate = "late"

// Message asks the worker to advance a task. It carries no state: whoever
// receives it reads the task first, so a message may be lost, doubled or late.
type Message struct {
	Task string `json:"task"`
	// Reason is created, poll, gather, retry, notice, sweep, handover or canceled.
	// A poll or a sweep that comes before the task is due changes nothing; to the
	// others it is for the log.
	Reason string `json:"reason,omitempty"`
	// Attempt and Job come from a provider's webhook: the attempt that its URL
	// names and the provider's id of the job, which resolves an unknown submit.
	Attempt string `json:"attempt,omitempty"`
	Job     string `json:"job,omitempty"`
	// Tasks are several that have jobs at the one Config, to be looked up together;
	// Task is then the first of them.
	Tasks  []string `json:"tasks,omitempty"`
	Config string   `json:"config,omitempty"`
}

// The reasons of messages that ask for nothing but a look at what is due.
const (
	ReasonPoll   = "poll"
	ReasonSweep  = "sweep"
	ReasonGather = "gather"
)

// LooksOnly reports whether the message brings no news: whoever works on its tasks
// does all that it asks for.
func (m Message) LooksOnly() bool {
	return m.Reason == ReasonPoll || m.Reason == ReasonSweep || m.Reason == ReasonGather
}
