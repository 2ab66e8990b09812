// Package taskapi is the HTTP side of the task function: callers read their
// tasks, follow them as they change, and cancel them.
package taskapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"easel/shared/apikey"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/task"
)

// Lister reads an account's tasks, newest first, of one status and kind where
// they are given; next is "" on the last page.
type Lister interface {
	ListTasks(ctx context.Context, account string, status task.Status, kind generation.Kind, cursor string, limit int) (tasks []task.Task, next string, err error)
}

// Canceler ends a task at its caller's wish. A task that has ended is a Conflict
// error, except a canceled one.
type Canceler interface {
	Cancel(ctx context.Context, t task.Task) (task.Task, error)
}

// Deps are what the handlers work with. All are required but where it says so.
type Deps struct {
	Auth     httpapi.Authenticator
	Tasks    httpapi.TaskReader
	Lister   Lister
	Canceler Canceler
	Signer   httpapi.Signer
	// StreamFor is how long one stream of events lasts at most; 0 is five minutes.
	StreamFor time.Duration
	Log       *slog.Logger
}

const (
	defaultPage      = 20
	maxPage          = 100
	defaultStreamFor = 5 * time.Minute
)

type handler struct{ Deps }

// Patterns are the paths that [New] serves, for a mux that holds several functions.
func Patterns() []string { return []string{"/api/task", "/api/task/"} }

// New returns the function's handler.
func New(d Deps) http.Handler {
	if d.StreamFor == 0 {
		d.StreamFor = defaultStreamFor
	}
	h := &handler{d}
	mux := httpapi.NewMux()
	mux.Handle("GET /api/task", httpapi.Guarded(d.Auth, apikey.Read, h.list))
	mux.Handle("GET /api/task/{id}", httpapi.Guarded(d.Auth, apikey.Read, h.read))
	mux.Handle("GET /api/task/{id}/events", httpapi.Guarded(d.Auth, apikey.Read, h.events))
	mux.Handle("POST /api/task/{id}/cancel", httpapi.Guarded(d.Auth, apikey.Generate, h.cancel))
	mux.Handle("GET /healthz", http.HandlerFunc(health))
	return httpapi.Wrap(mux, d.Log)
}

// health answers as long as the process serves; no key is needed. Patterns leaves
// it out: a mux of several functions has a health of its own.
func health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"status":"ok"}`+"\n")
}

// read answers with one task, at the cost of one read of the store.
func (h *handler) read(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	t, err := httpapi.OwnTask(r.Context(), h.Tasks, r.PathValue("id"), c.Account)
	if err != nil {
		return err
	}
	return h.answer(w, r, t)
}

func (h *handler) answer(w http.ResponseWriter, r *http.Request, t task.Task) error {
	view, err := httpapi.TaskOf(r.Context(), t, h.Signer)
	if err != nil {
		return err
	}
	if !t.Status.Terminal() {
		w.Header().Set("Retry-After", "2")
	}
	return httpapi.Write(w, http.StatusOK, view)
}

func (h *handler) list(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	query := r.URL.Query()
	status, kind := task.Status(query.Get("status")), generation.Kind(query.Get("kind"))
	var fields fault.Fields
	fields.Check(status == "" || status.Valid(), "status", "must be queued, processing, succeeded, failed, canceled or expired")
	fields.Check(kind == "" || kind.Valid(), "kind", "must be image, video or text")
	if err := fields.Err(); err != nil {
		return err
	}
	limit, err := httpapi.Limit(r, defaultPage, maxPage)
	if err != nil {
		return err
	}
	tasks, next, err := h.Lister.ListTasks(r.Context(), c.Account, status, kind, query.Get("cursor"), limit)
	if err != nil {
		return err
	}
	views := make([]httpapi.Task, len(tasks))
	for i, t := range tasks {
		if views[i], err = httpapi.TaskOf(r.Context(), t, h.Signer); err != nil {
			return err
		}
	}
	return httpapi.Write(w, http.StatusOK, httpapi.PageOf(views, next))
}

// cancel ends the task. Canceling twice answers the same; a task that has ended
// otherwise is a conflict that names its status.
func (h *handler) cancel(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	t, err := httpapi.OwnTask(r.Context(), h.Tasks, r.PathValue("id"), c.Account)
	if err != nil {
		return err
	}
	next, err := h.Canceler.Cancel(r.Context(), t)
	if err != nil {
		return err
	}
	return h.answer(w, r, next)
}
