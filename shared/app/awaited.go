package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"easel/shared/emf"
	"easel/shared/env"
	"easel/shared/journal"
	"easel/shared/task"
)

// awaitStore keeps notes of webhooks that are still to come; *dynamo.Store is one.
type awaitStore interface {
	Await(ctx context.Context, attempt string, until time.Time) error
	// Awaited takes the note away and reports whether there was one.
	Awaited(ctx context.Context, attempt string) (bool, error)
}

// awaited finds out whether webhooks were missed. Most come before a look-up finds
// that their job has ended. Where a look-up was quicker, a note is made; the
// webhook, if it comes within the grace, takes the note away, and what is left of
// it after that was missed.
type awaited struct {
	store   awaitStore
	queue   Sender
	metrics *Metrics
	// promised reports whether a provider reports the ends of its jobs to us.
	promised func(provider string) bool
	now      func() time.Time
	log      *slog.Logger
}

const (
	// webhookGrace is how long after its job's end a webhook may come.
	webhookGrace = 2 * time.Minute
	// awaitKept is how long a note is kept that no message comes back to.
	awaitKept = time.Hour
)

// reminder comes back when the grace of an attempt's webhook is over.
type reminder struct {
	Awaited string `json:"awaited"`
}

// quicker returns the attempts that a change ends before their webhook has come.
func (a *awaited) quicker(ctx context.Context, c journal.Change) []string {
	var ids []string
	about, _ := ctx.Value(aboutKey{}).(about)
	for _, attempt := range c.Task.Attempts {
		ended := attempt.Outcome == task.Delivered || attempt.Outcome == task.Broken
		if !ended || !attempt.EndedAt.Equal(c.Task.UpdatedAt) || attempt.Job == "" || c.Task.Status == task.Canceled || !a.promised(attempt.Provider) {
			continue
		}
		if !about.notice || about.attempt != attempt.ID {
			ids = append(ids, attempt.ID)
		}
	}
	return ids
}

// note makes notes before the change is written: a webhook that comes right after
// finds them.
func (a *awaited) note(ctx context.Context, attempts []string) {
	for _, id := range attempts {
		if err := a.store.Await(ctx, id, a.now().Add(awaitKept)); err != nil {
			a.log.WarnContext(ctx, "a webhook that may be missed is not counted", "attempt", id, "error", err)
		}
	}
}

// remind has the notes looked at when the grace is over.
func (a *awaited) remind(ctx context.Context, attempts []string) {
	for _, id := range attempts {
		body, err := json.Marshal(reminder{id})
		if err == nil {
			err = a.queue.Send(ctx, body, webhookGrace)
		}
		if err != nil {
			a.log.WarnContext(ctx, "a webhook that may be missed is not counted", "attempt", id, "error", err)
		}
	}
}

// handle returns next for messages that are neither a reminder nor about a webhook
// that came after its attempt had ended.
func (a *awaited) handle(next func(ctx context.Context, body []byte) error) func(ctx context.Context, body []byte) error {
	return func(ctx context.Context, body []byte) error {
		var m struct {
			reminder

			Attempt string `json:"attempt"`
			Reason  string `json:"reason"`
		}
		switch err := json.Unmarshal(body, &m); {
		case err == nil && m.Awaited != "":
			return a.settle(ctx, m.Awaited, env.OutcomeMissed)
		case err == nil && m.Reason == task.ReasonLate:
			return a.settle(ctx, m.Attempt, env.OutcomeReceived)
		default:
			return next(ctx, body)
		}
	}
}

// settle counts an awaited webhook once, as what comes first.
func (a *awaited) settle(ctx context.Context, attempt, outcome string) error {
	if a.metrics == nil {
		return nil
	}
	there, err := a.store.Awaited(ctx, attempt)
	if err != nil {
		return err
	}
	if there {
		a.metrics.count(env.MetricWebhookReceipts, emf.Dimensions{env.DimensionOutcome: outcome})
	}
	return nil
}

// Message returns next for messages of the worker's queue: with their waiting
// counted, their ids in the context, and those handled that are not about a task.
func (a *App) Message(next func(ctx context.Context, body []byte) error) func(ctx context.Context, body []byte) error {
	return a.Metrics.Message(a.Notices.Handle(a.Batches.Handle(a.awaited.handle(next))))
}
