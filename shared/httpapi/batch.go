package httpapi

import (
	"context"
	"regexp"
	"time"

	"easel/shared/batch"
	"easel/shared/fault"
)

// Batch is a batch as its caller sees it.
type Batch struct {
	ID       string            `json:"id"`
	Object   string            `json:"object"`
	Status   batch.Status      `json:"status"`
	Total    int               `json:"total"`
	Counts   batch.Counts      `json:"counts"`
	Credits  BatchCredits      `json:"credits"`
	Metadata map[string]string `json:"metadata"`

	CreatedAt  *time.Time `json:"created_at"`
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	// ExpiresAt is when requests that have not begun will expire.
	ExpiresAt *time.Time `json:"expires_at"`
	// CancelRequestedAt is null unless the caller canceled the batch.
	CancelRequestedAt *time.Time `json:"cancel_requested_at"`
}

// BatchCredits is what the requests of a batch cost together when all succeed, and
// what those paid that have ended.
type BatchCredits struct {
	Quoted  int64 `json:"quoted"`
	Charged int64 `json:"charged"`
}

// BatchOf renders a batch for its caller.
func BatchOf(b batch.Batch) Batch {
	view := Batch{
		ID: b.ID, Object: "batch", Status: b.Status, Total: len(b.Items), Counts: b.Counts(),
		Credits: BatchCredits{Quoted: b.Quoted, Charged: b.Charged()}, Metadata: b.Metadata,
		CreatedAt: moment(b.CreatedAt), StartedAt: moment(b.StartedAt), FinishedAt: moment(b.FinishedAt),
		ExpiresAt: moment(b.ExpiresAt), CancelRequestedAt: moment(b.CancelAt),
	}
	if view.Metadata == nil {
		view.Metadata = map[string]string{}
	}
	return view
}

// BatchItem is one request of a batch as its caller sees it.
type BatchItem struct {
	Object string `json:"object"`
	// Index is the request's place in the batch, from 0.
	Index    int              `json:"index"`
	CustomID *string          `json:"custom_id"`
	Task     *string          `json:"task"`
	Status   batch.ItemStatus `json:"status"`
	Charged  int64            `json:"charged"`
	Error    *BatchItemError  `json:"error"`
}

// BatchItemError is why a request of a batch did not succeed.
type BatchItemError struct {
	Code    fault.Code `json:"code"`
	Message string     `json:"message"`
}

// BatchItemOf renders the batch's request with the index; name is its custom id.
func BatchItemOf(b batch.Batch, index int, name string) BatchItem {
	i := b.Items[index]
	view := BatchItem{Object: "batch.item", Index: index, Status: i.Shown(), Charged: i.Charged}
	if name != "" {
		view.CustomID = &name
	}
	if i.Begun {
		id := batch.TaskID(b.ID, index)
		view.Task = &id
	}
	if i.Error != nil {
		view.Error = &BatchItemError{Code: i.Error.Code, Message: i.Error.Message}
	}
	return view
}

// BatchReader reads one batch as it is now, or returns journal.ErrNotFound.
type BatchReader interface {
	Batch(ctx context.Context, id string) (batch.Batch, error)
}

var batchID = regexp.MustCompile(`^batch_[A-Za-z0-9_-]{8,64}$`)

// OwnBatch returns the batch with the id if it belongs to the account, else a
// NotFound error that does not tell which.
func OwnBatch(ctx context.Context, reader BatchReader, id, account string) (batch.Batch, error) {
	missing := fault.New(fault.NotFound, "there is no such batch")
	if !batchID.MatchString(id) {
		return batch.Batch{}, missing
	}
	b, err := reader.Batch(ctx, id)
	switch {
	case isNotFound(err):
		return batch.Batch{}, missing
	case err != nil:
		return batch.Batch{}, err
	case b.Account != account:
		return batch.Batch{}, missing
	}
	return b, nil
}
