// Package webhookapi is the HTTP side of the webhook function: providers report
// here that a job has ended. Nobody is believed before a signature holds, and
// even then a report only makes the worker look the job up.
package webhookapi

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/journal"
	"easel/shared/provider"
	"easel/shared/secret"
	"easel/shared/settings"
	"easel/shared/task"
)

// Views gives what the operator has configured, from a short cache.
type Views interface {
	View(ctx context.Context) (catalog.View, error)
}

// Secrets gives the secret that a config's webhooks are signed with. It may be
// zero for providers that sign with public keys or not at all.
type Secrets interface {
	WebhookSecret(ctx context.Context, c settings.Config) (secret.Value, error)
}

// Queue asks the worker to advance a task.
type Queue interface {
	Send(ctx context.Context, m task.Message, delay time.Duration) error
}

// Deps are what the handler works with. All are required.
type Deps struct {
	Tasks     httpapi.TaskReader
	Views     Views
	Providers map[string]provider.Provider
	Secrets   Secrets
	Queue     Queue
	// Heard is told how long after its job's end a webhook came, or after the vendor
	// sent it, where the vendor says one of both; nil is not told.
	Heard func(provider string, lag time.Duration)
	Log   *slog.Logger
	Now   func() time.Time
}

type handler struct {
	Deps

	heard seen
}

// seen remembers attempts whose end was reported to this process, so that a
// report that is sent again and again asks the worker once. The zero value has
// seen none. It is safe for concurrent use.
type seen struct {
	mu   sync.Mutex
	last map[string]bool
}

// maxSeen bounds the memory of reports; at so many it begins anew.
const maxSeen = 10_000

// first reports whether the attempt was not seen before.
func (s *seen) first(attempt string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last[attempt] {
		return false
	}
	if s.last == nil || len(s.last) >= maxSeen {
		s.last = make(map[string]bool)
	}
	s.last[attempt] = true
	return true
}

// Patterns are the paths that [New] serves, for a mux that holds several functions.
func Patterns() []string { return []string{"/api/webhooks/"} }

// New returns the function's handler.
func New(d Deps) http.Handler {
	h := &handler{Deps: d}
	mux := httpapi.NewMux()
	mux.Handle("POST /api/webhooks/{provider}", httpapi.Handler(h.receive))
	return httpapi.Wrap(mux, d.Log)
}

// receipt is what a provider is answered: accepted when the worker was asked to
// look, ignored when there is nothing to look at any more.
type receipt struct {
	Status string `json:"status"`
}

// receive takes one report: 202 when it was handed on, 200 when it is stale, 401
// when its signature does not hold, 404 when it is about nothing we know, and
// 503, so that it is sent again, when it could not be checked or handed on.
func (h *handler) receive(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, httpapi.MaxBody))
	if err != nil {
		return err
	}
	t, a, err := h.find(r)
	if err != nil {
		return err
	}
	notice, err := h.verify(r, a, body)
	if err != nil {
		return err
	}
	if h.late(a, notice) {
		if err := h.Queue.Send(r.Context(), task.Message{Task: t.ID, Attempt: a.ID, Reason: task.ReasonLate}, 0); err != nil {
			h.Log.WarnContext(r.Context(), "a late webhook is not counted", "attempt", a.ID, "error", err)
		}
	}
	if !h.matters(r, t, a, notice) {
		return httpapi.Write(w, http.StatusOK, receipt{"ignored"})
	}
	m := task.Message{Task: t.ID, Attempt: a.ID, Job: notice.Job, Reason: "notice"}
	if err := h.Queue.Send(r.Context(), m, 0); err != nil {
		return later().Because(err)
	}
	if notice.Final {
		h.heard.first(a.ID) // that it comes again is no news
	}
	h.tellLag(r, a, notice)
	return httpapi.Write(w, http.StatusAccepted, receipt{"accepted"})
}

const (
	// lateFor is how long after its end an attempt's webhook is still worth counting.
	lateFor = 10 * time.Minute
	// maxLag bounds what is believed of a vendor's clock.
	maxLag = time.Hour
)

// late reports whether the end of an attempt is reported that a look-up has found
// already, for the first time.
func (h *handler) late(a task.Attempt, n provider.Notice) bool {
	ended := a.Outcome == task.Delivered || a.Outcome == task.Broken
	return n.Final && ended && h.Now().Sub(a.EndedAt) < lateFor && h.heard.first(a.ID)
}

// tellLag tells how long a webhook took.
func (h *handler) tellLag(r *http.Request, a task.Attempt, n provider.Notice) {
	since := n.EndedAt
	if since.IsZero() {
		stamp := cmp.Or(r.Header.Get("Webhook-Timestamp"), r.Header.Get("X-Fal-Webhook-Timestamp"))
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			return
		}
		since = time.Unix(seconds, 0)
	}
	lag := h.Now().Sub(since)
	if h.Heard != nil && n.Final && -maxLag < lag && lag < maxLag {
		h.Heard(a.Provider, max(lag, 0))
	}
}

func later() *fault.Error {
	e := fault.New(fault.Unavailable, "the report cannot be taken now; send it again")
	e.RetryAfter = 10 * time.Second
	return e
}

// find returns the attempt that the URL names. Whatever does not fit, the answer
// is the same.
func (h *handler) find(r *http.Request) (task.Task, task.Attempt, error) {
	unknown := fault.New(fault.NotFound, "there is nothing to report here")
	query := r.URL.Query()
	name, id := r.PathValue("provider"), query.Get("task")
	if _, ok := h.Providers[name]; !ok || id == "" || len(id) > 128 {
		return task.Task{}, task.Attempt{}, unknown
	}
	t, err := h.Tasks.Task(r.Context(), id)
	if errors.Is(err, journal.ErrNotFound) {
		return t, task.Attempt{}, unknown
	}
	if err != nil {
		return t, task.Attempt{}, later().Because(err)
	}
	i, ok := t.Attempt(query.Get("attempt"))
	if !ok || t.Attempts[i].Provider != name {
		return t, task.Attempt{}, unknown
	}
	return t, t.Attempts[i], nil
}

// verify lets the provider's driver check the signature.
func (h *handler) verify(r *http.Request, a task.Attempt, body []byte) (provider.Notice, error) {
	ctx := r.Context()
	view, err := h.Views.View(ctx)
	if err != nil {
		return provider.Notice{}, later().Because(err)
	}
	config, ok := view.Config(a.Config)
	if !ok || config.Provider != a.Provider {
		// The config is gone, and its secret with it: the sweep closes the attempt.
		return provider.Notice{}, fault.New(fault.Unauthenticated, "the report could not be verified")
	}
	key, err := h.Secrets.WebhookSecret(ctx, config)
	if err != nil {
		return provider.Notice{}, later().Because(err)
	}
	notice, err := h.Providers[a.Provider].Notice(ctx, provider.Message{
		Header: r.Header.Get, Query: r.URL.Query().Get, Body: body, Secret: key, Data: config.Data, Now: h.Now(),
	})
	if err != nil {
		return provider.Notice{}, h.refuse(ctx, a, err)
	}
	return notice, nil
}

// refuse answers a report that the driver did not accept.
func (h *handler) refuse(ctx context.Context, a task.Attempt, err error) error {
	f := fault.FailureOf(err)
	h.Log.WarnContext(ctx, "a webhook was refused", "provider", a.Provider, "attempt", a.ID, "class", f.Class,
		"detail", f.Detail, "request_id", httpapi.RequestID(ctx))
	switch f.Class {
	case fault.ClassAuth:
		return fault.New(fault.Unauthenticated, "the report could not be verified")
	case fault.ClassInvalidInput:
		return fault.New(fault.InvalidInput, "the report could not be read")
	default:
		return later() // the vendor's public keys could not be fetched, or the like
	}
}

// matters reports whether a verified report can tell anything new.
func (h *handler) matters(r *http.Request, t task.Task, a task.Attempt, n provider.Notice) bool {
	if !a.Outcome.Open() {
		return false
	}
	if a.Job != "" && n.Job != "" && n.Job != a.Job {
		h.Log.WarnContext(r.Context(), "a webhook names another job", "task", t.ID, "attempt", a.ID, "request_id", httpapi.RequestID(r.Context()))
		return false
	}
	return n.Final || a.Outcome != task.Accepted
}
