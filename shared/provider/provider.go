// Package provider is the contract between the gateway and the APIs that
// generate: one [Provider] per wire protocol, each making exactly one attempt
// per call. Retry, failover, money and state are other packages' business.
// The suite that every implementation passes is in providertest.
package provider

import (
	"context"
	"encoding/json"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/secret"
)

// Provider speaks one vendor's wire protocol. Implementations keep no state of
// a task, are safe for concurrent use, never retry, and never log.
//
// Every error is a *fault.Failure. Its Unknown member is the heart of the
// contract: false only if the vendor surely did not take the work (it said so,
// or the request never left); true whenever the work may have been taken.
type Provider interface {
	// Describe says what the protocol can do. It is constant.
	Describe() Description
	// Submit asks for one generation, once. The answer is Pending with a Job, or
	// Succeeded with the files or text. A refusal inside a success status is a
	// Failure of class moderated. The answer of a job that failed before Submit
	// returned has State Failed.
	Submit(ctx context.Context, c Call) (Answer, error)
	// Poll looks an accepted job up. An error says only that the look-up failed;
	// a job that ended badly is an answer with State Failed and its Failure.
	// Providers without jobs return a Failure of class unsupported.
	Poll(ctx context.Context, c Call, j Job) (Answer, error)
	// Cancel asks the vendor to stop a job; best effort. Cancelling a job that
	// has ended or is unknown is not an error.
	Cancel(ctx context.Context, c Call, j Job) error
	// Notice verifies a webhook with the config's webhook secret (or the vendor's
	// public keys) and says which job it is about. It trusts nothing before the
	// signature holds. Forged, stale or malformed: a Failure of class auth or
	// invalid_input. Providers without signed webhooks accept only what Describe
	// says; the caller then polls before it believes anything.
	Notice(ctx context.Context, m Message) (Notice, error)
}

// Notifier is implemented by drivers of which not every config's jobs report
// their end to CallbackURL. Notifies says it of a config with this data, in place
// of Description.Webhooks.
type Notifier interface {
	Notifies(data json.RawMessage) bool
}

// Finder is implemented by providers that can look for a job whose submit had
// an unknown outcome, by the attempt's id or by what was asked.
type Finder interface {
	// Find returns the job of the attempt; found is false when there is surely
	// none yet. An error says nothing about the job.
	Find(ctx context.Context, c Call) (j Job, found bool, err error)
}

// Streamer is implemented by text providers that answer piece by piece.
type Streamer interface {
	// Stream is Submit that calls emit for each piece as it arrives. A Failure
	// before the first piece may be not Unknown; after it, it always is. An error
	// of emit ends the stream and is returned.
	Stream(ctx context.Context, c Call, emit func(text string) error) (Answer, error)
}

// Lister is implemented by providers that can list the models a key may use.
type Lister interface {
	// Models returns the upstream names. It costs nothing at the vendor.
	Models(ctx context.Context, c Call) ([]Model, error)
}

// Checker is implemented by providers that have an account to ask about.
type Checker interface {
	// Check makes a call that needs the key and costs nothing at the vendor. No
	// error means that the key is taken; funded is true when the vendor also says
	// that its account can pay. An account that cannot is a Failure of class
	// out_of_credit.
	Check(ctx context.Context, c Call) (funded bool, err error)
}

// Model is one upstream model as its vendor lists it.
type Model struct {
	Name string
	// RetiresAt is when the vendor shuts it down; zero when not announced.
	RetiresAt time.Time
}

// Call is one attempt: where it goes, what it asks, and who it is for.
type Call struct {
	BaseURL string
	// Endpoint overrides the protocol's usual path; "" does not.
	Endpoint string
	Key      secret.Value
	// Model is the upstream model name.
	Model string
	// Data is the config's own JSON object; nil is empty.
	Data json.RawMessage
	// Headers are further request headers, such as a proxy's; they never override
	// the protocol's own.
	Headers map[string]string
	// Request is what the caller asked for.
	Request generation.Request
	// Task and Attempt are the gateway's ids; Attempt is unique per submit.
	Task    string
	Attempt string
	// User is an opaque, stable id of who asks, such as a hash; vendors that want
	// one for abuse reports get it. "" sends none.
	User string
	// CallbackURL is where the vendor shall report the end of the job, "" for
	// no webhook. It carries task and attempt.
	CallbackURL string
	// StartedAt is when the attempt began; Finder looks no further back.
	StartedAt time.Time
	// ExpiresAt is the task's deadline; a vendor that can is told to stop there.
	ExpiresAt time.Time
	// MaxBytes bounds what an answer may weigh; 0 is 64 MiB.
	MaxBytes int64
}

// Job is how the vendor knows accepted work.
type Job struct {
	ID string
	// Handle holds the vendor's own URLs or further ids, by a name of the driver's choosing.
	Handle map[string]string
}

// State is how far a job is.
type State string

// The states of an answer. A status word that the driver does not know is Pending.
const (
	Pending   State = "pending"
	Running   State = "running"
	Succeeded State = "succeeded"
	Failed    State = "failed"
)

// Answer is what a vendor said about one generation.
type Answer struct {
	State State
	// Job is set when the vendor keeps one.
	Job Job
	// Progress is 0 to 1; 0 when not reported.
	Progress float64
	// Files are the results of images and videos; Text is the result of text.
	Files []File
	Text  string
	// FinishReason of text is "stop" or "length".
	FinishReason string
	Usage        generation.Usage
	// Failure is why State is Failed.
	Failure *fault.Failure
	// RequestID is the vendor's id of the call; GatewayID a proxy's.
	RequestID string
	GatewayID string
	// Model is the model that answered, as the vendor names it, "" when not said.
	Model string
	// PollAfter is how long the vendor asks to wait before the next look-up; 0 is
	// the protocol's usual pace.
	PollAfter time.Duration
}

// File is one result: its bytes, or where they are.
type File struct {
	// Data is the file itself when the vendor answered with it.
	Data []byte
	// URL is where to fetch it otherwise. Header is what the fetch must carry,
	// such as a key that the vendor wants; it is only sent to URL's own host.
	URL    string
	Header map[string]string
	// ContentType is what the vendor calls it; never trusted.
	ContentType string
}

// Message is a webhook as it arrived.
type Message struct {
	// Header returns the first value of a header by its case-insensitive name.
	Header func(name string) string
	// Query returns a query parameter of the request's URL.
	Query func(name string) string
	Body  []byte
	// Secret is the webhook secret of the config or deployment; it may be zero.
	Secret secret.Value
	// Data is the config's own JSON object.
	Data json.RawMessage
	Now  time.Time
}

// Notice is what a verified webhook is about.
type Notice struct {
	// ID is unique per delivery of one event, for deduplication.
	ID string
	// Job is the vendor's id of the job; "" when it does not say.
	Job string
	// Final is true when the vendor says that the job ended.
	Final bool
	// EndedAt is when the vendor says that was; zero when it does not say.
	EndedAt time.Time
}

// Description is what a protocol can do.
type Description struct {
	// Name is the protocol's name in configs, such as "openai".
	Name string
	// Title is its name for people.
	Title string
	Kinds []generation.Kind
	// Jobs is true when Submit answers with a job to poll.
	Jobs bool
	// Webhooks is true when a job's end can be reported to CallbackURL, and
	// SignedWebhooks when those reports are signed.
	Webhooks       bool
	SignedWebhooks bool
	// Cancels is true when a job can be canceled.
	Cancels bool
	// BaseURL is the vendor's usual one.
	BaseURL string
	// PollEvery is the usual pace of look-ups; the vendor's minimum where it has one.
	PollEvery time.Duration
	// Feature names of generation.Request that the protocol takes, such as
	// "negative_prompt", "seed", "image", "mask", "loras", "n", "size", "aspect_ratio".
	Features []string
}
