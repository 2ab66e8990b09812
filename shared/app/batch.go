package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"easel/shared/batch"
	"easel/shared/httpapi"
	"easel/shared/intake"
	"easel/shared/lifecycle"
	"easel/shared/task"
)

// newBatches returns the engine of batches over the gateway's desk and tasks.
func (a *App) newBatches(reports *reporter) *batch.Engine {
	return batch.New(batch.Parts{
		Store: a.Store, Creator: a.Store, Due: a.Store, Tasks: a.Store,
		Placer: intake.BatchPlacer{Desk: a.Desk, Voider: a.Engine, Canceler: a.Runner},
		Queue:  batchQueue{a.Queue}, Reporter: batchReporter{reports}, Now: a.Now, NewID: NewID, Log: a.Log,
	})
}

// batchQueue sends batches' messages as JSON.
type batchQueue struct{ Sender }

// Send puts a message on the worker's queue.
func (q batchQueue) Send(ctx context.Context, m batch.Message, delay time.Duration) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	return q.Sender.Send(ctx, body, min(delay, maxDelay))
}

// batchReporter tells callers' endpoints that their batches have ended, in the form
// and at the pace of tasks.
type batchReporter struct{ *reporter }

// Report implements [batch.Reporter].
func (r batchReporter) Report(ctx context.Context, b batch.Batch) (task.Try, time.Duration) {
	started := r.now()
	retry, again := lifecycle.RetryAfter(b.Delivery.Tries + 1)
	status, err := r.post(ctx, letter{
		account: b.Account, url: b.CallbackURL, about: b.ID, object: "batch", status: string(b.Status), last: !again,
		data: func(context.Context) (any, error) { return httpapi.BatchOf(b), nil },
	})
	try := task.Try{At: started.UTC(), Status: status, LatencyMS: r.now().Sub(started).Milliseconds()}
	if err == nil {
		return try, 0
	}
	try.Error = err.Error()
	if errors.Is(err, lifecycle.ErrUnwanted) {
		retry = 0
	}
	return try, retry
}
