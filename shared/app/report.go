package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"easel/shared/assets"
	"easel/shared/endpoint"
	"easel/shared/httpapi"
	"easel/shared/lifecycle"
	"easel/shared/task"
)

// reporter tells callers' endpoints that their tasks and batches have ended: one
// POST in the form of Standard Webhooks. The id of the message is the task's and its
// status, so that an endpoint can drop what it has seen.
type reporter struct {
	assets    *assets.Store
	endpoints *endpoint.Registry
	client    *http.Client
	now       func() time.Time
	log       *slog.Logger
}

const reportTimeout = 15 * time.Second

// event is the body of a report.
type event struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

// letter is one report: what it is about and where it goes.
type letter struct {
	account, url string
	// about is the id of the task or the batch, object which of them it is, and
	// status how it has ended.
	about, object, status string
	// last is true when no other try follows.
	last bool
	// data renders what has ended.
	data func(ctx context.Context) (any, error)
}

// errDisabled is what a report to a disabled endpoint ends with.
var errDisabled = fmt.Errorf("%w: those of %d tasks in a row were given up; redeliver one to send them again", lifecycle.ErrUnwanted, endpoint.Patience)

// Report sends one report. Any status of 2xx is success. An endpoint that let the
// reports of several tasks in a row be given up gets none, until a redelivery.
func (r *reporter) Report(ctx context.Context, t task.Task) (int, error) {
	return r.post(ctx, letter{
		account: t.Account, url: t.CallbackURL, about: t.ID, object: "task", status: string(t.Status), last: lifecycle.LastReport(t),
		data: func(ctx context.Context) (any, error) { return httpapi.TaskOf(ctx, t, r.assets) },
	})
}

func (r *reporter) post(ctx context.Context, l letter) (int, error) {
	book, err := r.endpoints.Book(ctx, l.account)
	if err != nil {
		return 0, errors.New("the report could not be made")
	}
	if book.Disabled(l.url) {
		return 0, errDisabled
	}
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	request, err := r.request(ctx, l, book)
	if err != nil {
		return 0, err // nothing that the endpoint could help
	}
	status, err := endpoint.Send(r.client, request)
	r.learn(context.WithoutCancel(ctx), l, book, err)
	return status, err
}

// learn writes down what a report says about its endpoint. Most say nothing new.
func (r *reporter) learn(ctx context.Context, l letter, book endpoint.Book, failed error) {
	var err error
	if _, failing := book.Works(l.url); failed == nil && failing {
		err = r.endpoints.Works(ctx, l.account, l.url)
	} else if failed != nil && l.last {
		err = r.endpoints.GaveUp(ctx, l.account, l.url, l.about)
	}
	if err != nil {
		r.log.WarnContext(ctx, "how an endpoint does could not be written down", l.object, l.about, "error", err)
	}
}

func (r *reporter) request(ctx context.Context, l letter, book endpoint.Book) (*http.Request, error) {
	view, err := l.data(ctx)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(event{Type: l.object + "." + l.status, Timestamp: r.now().UTC(), Data: view})
	if err != nil {
		return nil, fmt.Errorf("encode a report: %w", err)
	}
	return r.endpoints.Request(ctx, book, l.url, l.about+"_"+l.status, body)
}

// Redeliverer makes reports due again, and lets their endpoints have reports again.
type Redeliverer struct {
	Engine    *lifecycle.Engine
	Endpoints *endpoint.Registry
}

// Redeliver is [lifecycle.Engine.Redeliver] for an endpoint that is enabled first.
func (r Redeliverer) Redeliver(ctx context.Context, t task.Task) (task.Task, error) {
	if err := r.Endpoints.Works(ctx, t.Account, t.CallbackURL); err != nil {
		return t, err
	}
	return r.Engine.Redeliver(ctx, t)
}
