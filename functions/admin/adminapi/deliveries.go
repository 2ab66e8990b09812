package adminapi

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"easel/shared/endpoint"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/stats"
	"easel/shared/task"
)

// The states of a delivery.
const (
	deliveryPending   = "pending"
	deliveryDelivered = "delivered"
	deliveryFailed    = "failed"
)

// deliveryView is the report of a task's end to its caller's endpoint.
type deliveryView struct {
	Task      string    `json:"task"`
	Account   string    `json:"account"`
	URL       string    `json:"url"`
	Event     string    `json:"event"`
	State     string    `json:"state"`
	Tries     int       `json:"tries"`
	NextAt    time.Time `json:"next_at,omitzero"`
	DoneAt    time.Time `json:"done_at,omitzero"`
	Status    int       `json:"status,omitempty"`
	Error     string    `json:"error,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	// Endpoint is how the account's webhooks call where the URL points to.
	Endpoint string `json:"endpoint"`
	// DisabledAt is since when the endpoint gets no reports at all.
	DisabledAt time.Time  `json:"disabled_at,omitzero"`
	Log        []task.Try `json:"log"`
}

func deliveryOf(t task.Task) deliveryView {
	d := t.Delivery
	return deliveryView{
		Task: t.ID, Account: t.Account, URL: plainURL(t.CallbackURL), Event: "task." + string(t.Status), State: deliveryState(t),
		Tries: d.Tries, NextAt: d.NextAt, DoneAt: d.DoneAt, Status: d.Status, Error: d.Error, CreatedAt: t.FinishedAt,
		Endpoint: endpoint.Where(t.CallbackURL), Log: append([]task.Try{}, d.Log...),
	}
}

// noteDisabled completes deliveries with what is known of their endpoints, at one
// read for each account.
func (h *handler) noteDisabled(ctx context.Context, views ...*deliveryView) error {
	books := map[string]endpoint.Book{}
	for _, v := range views {
		book, known := books[v.Account]
		if !known {
			var err error
			if book, err = h.Store.Endpoints(ctx, v.Account); err != nil {
				return err
			}
			books[v.Account] = book
		}
		v.DisabledAt = book.Places[v.Endpoint].DisabledAt
	}
	return nil
}

// answerDelivery answers with one delivery.
func (h *handler) answerDelivery(w http.ResponseWriter, r *http.Request, t task.Task) error {
	view := deliveryOf(t)
	if err := h.noteDisabled(r.Context(), &view); err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusOK, view)
}

func deliveryState(t task.Task) string {
	switch {
	case !t.Delivery.DoneAt.IsZero():
		return deliveryDelivered
	case t.Delivery.NextAt.IsZero() && t.Status.Terminal():
		return deliveryFailed
	default:
		return deliveryPending
	}
}

// plainURL leaves out a URL's query, where callers tend to keep tokens.
func plainURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.RawQuery == "" {
		return raw
	}
	u.RawQuery = ""
	return u.String() + "?…"
}

// deliveryPages bounds the tasks that one page of deliveries looks at.
const deliveryPages = 5

// listDeliveries lists the ended tasks that have a callback URL. They have no
// index of their own: a page looks at 500 tasks at most, so it may be short, even
// empty, although more follow.
func (h *handler) listDeliveries(w http.ResponseWriter, r *http.Request) error {
	get, err := queryOf(r, "state", "account", "cursor", "limit")
	if err != nil {
		return err
	}
	state := get("state")
	switch state {
	case "", deliveryPending, deliveryDelivered, deliveryFailed:
	default:
		return fault.Invalid("state", "must be pending, delivered or failed")
	}
	n, err := limit(r)
	if err != nil {
		return err
	}
	views, cursor := []deliveryView{}, get("cursor")
	for range deliveryPages {
		// Never more than still fit, so that the cursor is the end of what was taken.
		tasks, next, err := h.Store.RecentTasks(r.Context(), stats.TaskFilter{Account: get("account")}, cursor, max(1, n-len(views)))
		if err != nil {
			return err
		}
		for _, t := range tasks {
			if t.CallbackURL != "" && t.Status.Terminal() && (state == "" || state == deliveryState(t)) {
				views = append(views, deliveryOf(t))
			}
		}
		if cursor = next; next == "" || len(views) >= n {
			break
		}
	}
	all := make([]*deliveryView, len(views))
	for i := range views {
		all[i] = &views[i]
	}
	if err := h.noteDisabled(r.Context(), all...); err != nil {
		return err
	}
	return page(w, views, cursor)
}

func (h *handler) getDelivery(w http.ResponseWriter, r *http.Request) error {
	t, err := h.task(r)
	if err != nil {
		return err
	}
	if t.CallbackURL == "" {
		return fault.New(fault.NotFound, "the task has no callback URL")
	}
	return h.answerDelivery(w, r, t)
}

// redeliver makes the report due again and has the worker send it at once. If no
// message can be sent, the sweep finds it within a minute.
func (h *handler) redeliver(w http.ResponseWriter, r *http.Request) error {
	t, err := h.task(r)
	if err != nil {
		return err
	}
	if !t.Status.Terminal() || t.CallbackURL == "" {
		return fault.New(fault.Conflict, "the task has not ended, or has no callback URL")
	}
	var next task.Task
	err = h.act(r, "delivery.redeliver", taskObject(t), t, func(ctx context.Context) (any, error) {
		next, err = h.Reports.Redeliver(ctx, t)
		return next, err
	})
	if err != nil {
		return err
	}
	if err := h.Queue.Send(r.Context(), task.Message{Task: t.ID, Reason: "redeliver"}, 0); err != nil {
		h.Log.WarnContext(r.Context(), "the sweep will deliver: no message could be sent", "task", t.ID, "error", err)
	}
	return h.answerDelivery(w, r, next)
}
