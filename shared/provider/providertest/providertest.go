// Package providertest is the suite that every provider.Provider passes: what a
// vendor's answers, refusals and accidents come to, and what a driver may send.
//
// A driver's test fills in a [Harness] with the vendor's own bodies and headers
// and calls [Run]. In all texts of the harness, {{base}} stands for the URL of
// the suite's server and {{key}} for the call's key.
package providertest

import (
	"net/http"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/provider"
)

// Harness says how one vendor speaks.
type Harness struct {
	// New returns the driver, sending with the given client.
	New func(*http.Client) provider.Provider
	// Call is a valid submit. The suite sets BaseURL and Key.
	Call provider.Call
	// Submits are answers to a submit. The first one is a success: the suite
	// cuts, delays and spoils it.
	Submits []Case
	// ServerError is a 500 in the vendor's own form.
	ServerError Reply
	// Starts is true where such a 500 leaves it open whether a job was accepted.
	Starts bool
	// Streams are answers to Stream, for drivers that have it; the first one is a
	// success of at least two pieces.
	Streams []Case
	// Job is an accepted job, and Polls and Cancels what the vendor says about
	// it, for protocols with jobs. The first of Polls is a success.
	Job     provider.Job
	Polls   []Case
	Cancels []Case
	// UnknownWord is the answer to a poll with a status word that does not exist.
	UnknownWord Reply
	// Finds, Lists, Checks and Notices are for drivers that have these.
	Finds   []Case
	Lists   []Case
	Checks  []Case
	Notices []NoticeCase
	// Requests are what the driver sends, against what the vendor documents.
	Requests []RequestCase
	// Contracts are the contract files of its other requests: look-ups, cancels,
	// lists. Whatever the driver sends in any test is in one of the contracts.
	Contracts []string
}

// Reply is one answer of the vendor.
type Reply struct {
	// Status is 200 when zero.
	Status int
	Header map[string]string
	Body   string
}

// Case is one call and what must come of it.
type Case struct {
	Name string
	// Change alters the harness's call; nil leaves it.
	Change func(*provider.Call)
	// Replies are given in turn; the last one repeats.
	Replies []Reply
	Want    Want
}

// Want is what must come of a call. Class with State Failed is the answer's own
// failure; Class without a State is the error's.
type Want struct {
	State    provider.State
	Job      string
	Files    int
	Text     string
	Progress float64
	Class    fault.Class
	Unknown  bool
	// RetryAfter, RequestID, Model and PollAfter are checked when not zero.
	RetryAfter time.Duration
	RequestID  string
	Model      string
	PollAfter  time.Duration
	// Requests is how many the driver sends; 0 means one, None none at all.
	Requests int
	// Found, Names and Funded are for Finds, Lists and Checks.
	Found  bool
	Names  []string
	Funded bool
	// Check looks further.
	Check func(t *testing.T, a provider.Answer)
}

// None as [Want.Requests] says that nothing may be sent.
const None = -1

// NoticeCase is one webhook and what must come of it.
type NoticeCase struct {
	Name    string
	Message provider.Message
	Want    provider.Notice
	// Class is the error's; "" expects none.
	Class fault.Class
}

// RequestCase is one submit whose request is compared with a contract file.
type RequestCase struct {
	Name     string
	Change   func(*provider.Call)
	Contract string
	// Reply is what the server says; the zero value answers as the first submit does.
	Reply Reply
	// Want are values that the request must hold, by the contract's field names.
	Want map[string]any
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	t.Helper()
	t.Run("describe", h.describe)
	t.Run("submit", func(t *testing.T) { t.Parallel(); h.cases(t, h.Submits, h.submit) })
	t.Run("accidents", func(t *testing.T) { t.Parallel(); h.accidents(t) })
	t.Run("statuses without the vendor's form", func(t *testing.T) { t.Parallel(); h.statuses(t) })
	t.Run("concurrency", func(t *testing.T) { t.Parallel(); h.concurrency(t) })
	t.Run("requests", func(t *testing.T) { t.Parallel(); h.requests(t) })
	t.Run("jobs", func(t *testing.T) { t.Parallel(); h.jobs(t) })
	t.Run("notices", func(t *testing.T) { t.Parallel(); h.notices(t) })
	t.Run("streams", func(t *testing.T) { t.Parallel(); h.streams(t) })
	t.Run("finds and lists", func(t *testing.T) { t.Parallel(); h.lookups(t) })
	t.Run("checks", func(t *testing.T) { t.Parallel(); h.checks(t) })
}

func (h Harness) describe(t *testing.T) {
	t.Parallel()
	p := h.New(http.DefaultClient)
	d := p.Describe()
	if d.Name == "" || d.Title == "" || len(d.Kinds) == 0 {
		t.Errorf("Describe is incomplete: %+v", d)
	}
	for _, kind := range d.Kinds {
		if !kind.Valid() {
			t.Errorf("kind %q does not exist", kind)
		}
	}
	if d.Jobs && d.PollEvery <= 0 {
		t.Error("a protocol with jobs needs a pace of look-ups")
	}
	if !d.Jobs && (d.Cancels || d.Webhooks) {
		t.Error("a protocol without jobs can neither cancel nor report them")
	}
	if d.SignedWebhooks && !d.Webhooks {
		t.Error("signed webhooks are webhooks")
	}
	if d.Jobs != (len(h.Polls) > 0) {
		t.Errorf("Jobs is %v but the harness has %d polls", d.Jobs, len(h.Polls))
	}
	if _, ok := p.(provider.Streamer); ok != (len(h.Streams) > 0) {
		t.Error("the harness's streams do not fit the driver")
	}
	if _, ok := p.(provider.Finder); ok != (len(h.Finds) > 0) {
		t.Error("the harness's finds do not fit the driver")
	}
	if _, ok := p.(provider.Lister); ok != (len(h.Lists) > 0) {
		t.Error("the harness's lists do not fit the driver")
	}
	if _, ok := p.(provider.Checker); ok != (len(h.Checks) > 0) {
		t.Error("the harness's checks do not fit the driver")
	}
}
