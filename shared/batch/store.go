package batch

import (
	"context"
	"errors"
	"time"

	"easel/shared/journal"
	"easel/shared/task"
)

// ErrFull is returned by a store when the account has [MaxOpen] open batches. The
// batch was not created.
var ErrFull = errors.New("batch: the account has too many open batches")

// Store keeps batches. Batch returns journal.ErrNotFound; PutBatch journal.ErrStale
// when the stored version is not the one before the batch's.
type Store interface {
	// Batch returns the batch as it is now.
	Batch(ctx context.Context, id string) (Batch, error)
	// PutBatch stores the batch's next version.
	PutBatch(ctx context.Context, c Change) error
	// BatchRequests returns one chunk of the batch's requests.
	BatchRequests(ctx context.Context, id string, chunk int) ([]Request, error)
}

// Change is one write of a batch.
type Change struct {
	Batch Batch
	// Closes is true when the batch ends with this write, which gives the account
	// its place among its open batches back.
	Closes bool
}

// Creator makes batches.
type Creator interface {
	// Remembered returns what the account's idempotency key was used for; ok is false
	// when it is free.
	Remembered(ctx context.Context, account, key string) (memory journal.Idempotency, ok bool, err error)
	// CreateBatch stores the batch's first version and everything that comes with it.
	// It returns *journal.Duplicate when the idempotency key was used before, ErrFull,
	// or journal.ErrStale when there is a batch with the id; a batch that it refuses
	// is not there.
	CreateBatch(ctx context.Context, c Creation) error
}

// Creation is a new batch with its requests.
type Creation struct {
	Batch  Batch
	Chunks [][]Request
	// Memory, if set, is recorded with the batch.
	Memory *journal.Idempotency
}

// Names returns the requests' custom ids in their order, nil when none has one.
func (c Creation) Names() []string {
	if !c.Batch.Named {
		return nil
	}
	names := make([]string, 0, len(c.Batch.Items))
	for _, chunk := range c.Chunks {
		for _, r := range chunk {
			names = append(names, r.CustomID)
		}
	}
	return names
}

// Due finds the batches that the sweep must look at, at most limit of them.
type Due interface {
	DueBatches(ctx context.Context, now time.Time, limit int) ([]string, error)
}

// Tasks reads one task as it is now, or returns journal.ErrNotFound.
type Tasks interface {
	Task(ctx context.Context, id string) (task.Task, error)
}

// Placer begins and ends the tasks of a batch's requests.
type Placer interface {
	// Place begins the request as the task [TaskID]; when that has begun before, it
	// returns it. A *fault.Error says why the request was not begun.
	Place(ctx context.Context, b Batch, index int, r Request) (task.Task, error)
	// Void makes sure that the request never begins: it puts a task in its place that
	// has ended with the status and costs nothing. When the request has begun before,
	// it returns that task, and voided is false.
	Void(ctx context.Context, b Batch, index int, r Request, s task.Status, reason task.Error) (t task.Task, voided bool, err error)
	// Cancel ends a task at its caller's wish; one that has ended is a Conflict error.
	Cancel(ctx context.Context, t task.Task) (task.Task, error)
}

// Queue carries messages to the worker: at least once, in any order.
type Queue interface {
	Send(ctx context.Context, m Message, delay time.Duration) error
}

// Message asks the worker to take a batch's next step.
type Message struct {
	Batch string `json:"batch"`
	// Version is the batch's when the message was sent. One that was moved since is
	// left alone, because whoever moved it has sent a message too. 0 is from the
	// sweep, and counts only when the batch is due.
	Version int64 `json:"version,omitempty"`
	// Reason is for the log: created, step, report, canceled, sweep.
	Reason string `json:"reason,omitempty"`
}

// Reporter tells a caller's endpoint that its batch has ended.
type Reporter interface {
	// Report makes one try. Its Error is "" when the endpoint took the report;
	// otherwise retry says how long to wait for the next try, 0 for never.
	Report(ctx context.Context, b Batch) (try task.Try, retry time.Duration)
}
