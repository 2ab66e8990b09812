package adminapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"easel/shared/apikey"
	"easel/shared/audit"
	"easel/shared/endpoint"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/notice"
	"easel/shared/settings"
	"easel/shared/task"
)

// NoticeReader reads what the operator's endpoint was told, newest first.
type NoticeReader interface {
	Notices(ctx context.Context, cursor string, limit int) ([]notice.Notice, string, error)
}

// Courier sends notices again, or one to try the endpoint; *notice.Courier is the one.
type Courier interface {
	Again(ctx context.Context, id string) (notice.Notice, error)
	Test(ctx context.Context, id string, data json.RawMessage) (notice.Notice, error)
}

var _ Courier = (*notice.Courier)(nil)

// notificationsView is where the deployment's notices go, and how that endpoint does.
type notificationsView struct {
	notice.Config

	// Own is false while the deployment's secret signs.
	Own           bool      `json:"own_secret"`
	PreviousUntil time.Time `json:"previous_until,omitzero"`
	// DisabledAt is since when the endpoint gets no notices; zero while it gets them.
	DisabledAt time.Time `json:"disabled_at,omitzero"`
	Version    int64     `json:"version"`
}

func (h *handler) notifications(ctx context.Context) (notificationsView, error) {
	stored, err := h.Store.Setting(ctx, notice.Setting)
	view := notificationsView{Version: stored.Version}
	if err == nil && stored.Version > 0 {
		if err = json.Unmarshal(stored.Value, &view.Config); err != nil {
			err = fmt.Errorf("read the setting of notifications: %w", err)
		}
	}
	if err != nil {
		return view, err
	}
	book, err := h.Endpoints.Book(ctx, notice.Operator)
	signing := webhooksOf(book, h.Now())
	view.Own, view.PreviousUntil = signing.Own, signing.PreviousUntil
	view.DisabledAt = book.Places[endpoint.Where(view.URL)].DisabledAt
	return view, err
}

// getNotifications answers with the setting. A viewer does not see the query of
// the URL, where a token may be.
func (h *handler) getNotifications(w http.ResponseWriter, r *http.Request) error {
	view, err := h.notifications(r.Context())
	if err != nil {
		return err
	}
	if !callerOf(r).May(apikey.Admin) {
		view.URL = plainURL(view.URL)
	}
	etag(w, view.Version)
	return httpapi.Write(w, http.StatusOK, view)
}

// putNotifications replaces the setting, and gives an endpoint that was disabled
// another chance.
func (h *handler) putNotifications(w http.ResponseWriter, r *http.Request) error {
	var config notice.Config
	if err := decode(w, r, &config); err != nil {
		return err
	}
	if err := config.Validate(); err != nil {
		return err
	}
	if config.URL != "" && h.CheckURL != nil {
		if err := h.CheckURL(config.URL); err != nil {
			return fault.Invalid("url", "%s", err)
		}
	}
	value, err := json.Marshal(config)
	if err != nil {
		return fmt.Errorf("encode the setting of notifications: %w", err)
	}
	before, err := h.notifications(r.Context())
	if err != nil {
		return err
	}
	if err := checkVersion(r, before.Version, before); err != nil {
		return err
	}
	after := settings.Setting{Name: notice.Setting, Value: value}
	var old any
	if before.Version > 0 {
		old = audit.Facts{"url": plainURL(before.URL)}
	}
	change := audit.Change{Settings: []audit.SettingWrite{{Setting: after, Expect: before.Version}}}
	object := audit.Object{Type: "setting", ID: notice.Setting}
	if err := h.commit(r, "settings.notifications", object, old, audit.Facts{"url": plainURL(config.URL)}, change); err != nil {
		return withCurrent(r.Context(), err, func(ctx context.Context) (any, error) {
			return h.notifications(ctx)
		})
	}
	if config.URL != "" {
		if err := h.Endpoints.Works(r.Context(), notice.Operator, config.URL); err != nil {
			return err
		}
	}
	return h.getNotifications(w, r)
}

// rotateNotifications makes the first secret of the operator's endpoint, or its
// next one, and shows it once.
func (h *handler) rotateNotifications(w http.ResponseWriter, r *http.Request) error {
	book, err := h.Endpoints.Book(r.Context(), notice.Operator)
	if err != nil {
		return err
	}
	object := audit.Object{Type: "setting", ID: notice.Setting}
	view, err := h.rotate(r, "settings.notifications_secret", object, notice.Operator, book)
	if err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusCreated, map[string]any{
		"secret": view.Secret, "created_at": view.CreatedAt, "previous_until": view.PreviousUntil,
	})
}

// noticeView is one notice and its tries.
type noticeView struct {
	ID        string          `json:"id"`
	Event     string          `json:"event"`
	At        time.Time       `json:"at"`
	Data      json.RawMessage `json:"data"`
	State     string          `json:"state"`
	Tries     int             `json:"tries"`
	NextAt    time.Time       `json:"next_at,omitzero"`
	DoneAt    time.Time       `json:"done_at,omitzero"`
	Status    int             `json:"status,omitempty"`
	LastError string          `json:"error,omitempty"`
	Log       []task.Try      `json:"log"`
}

// listNotifications lists the notices of the last thirty days.
func (h *handler) listNotifications(w http.ResponseWriter, r *http.Request) error {
	get, err := queryOf(r, "cursor", "limit")
	if err != nil {
		return err
	}
	n, err := limit(r)
	if err != nil {
		return err
	}
	notices, next, err := h.Store.Notices(r.Context(), get("cursor"), n)
	if err != nil {
		return err
	}
	views := make([]noticeView, len(notices))
	for i, n := range notices {
		views[i] = noticeOf(n)
	}
	return page(w, views, next)
}

func noticeOf(n notice.Notice) noticeView {
	d := n.Delivery
	return noticeView{
		ID: n.ID, Event: n.Type, At: n.At, Data: n.Data, State: n.State(), Tries: d.Tries, NextAt: d.NextAt, DoneAt: d.DoneAt,
		Status: d.Status, LastError: d.Error, Log: append([]task.Try{}, d.Log...),
	}
}

// redeliverNotification makes a notice due again and has the worker send it.
func (h *handler) redeliverNotification(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	var next notice.Notice
	err := h.act(r, "notification.redeliver", audit.Object{Type: "notification", ID: id}, nil, func(ctx context.Context) (after any, err error) {
		next, err = h.Notices.Again(ctx, id)
		return audit.Facts{"event": next.Type}, err
	})
	if err := found(err, "notification"); err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusOK, noticeOf(next))
}

// testNotifications has a notice sent that says nothing, to see whether it comes.
func (h *handler) testNotifications(w http.ResponseWriter, r *http.Request) error {
	view, err := h.notifications(r.Context())
	if err != nil {
		return err
	}
	if view.URL == "" {
		return fault.New(fault.Conflict, "there is no endpoint to be tested; set its URL first")
	}
	var sent notice.Notice
	object := audit.Object{Type: "setting", ID: notice.Setting}
	err = h.act(r, "settings.notifications_test", object, nil, func(ctx context.Context) (after any, err error) {
		sent, err = h.Notices.Test(ctx, fmt.Sprintf("evt_%012x%s", h.Now().UnixMilli(), h.NewID("")), json.RawMessage(`{"message":"a test of notifications"}`))
		return audit.Facts{"notification": sent.ID}, err
	})
	if err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusAccepted, noticeOf(sent))
}
