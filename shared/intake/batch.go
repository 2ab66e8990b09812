package intake

import (
	"context"

	"easel/shared/batch"
	"easel/shared/lifecycle"
	"easel/shared/task"
)

// Voider makes sure that a task never begins; *lifecycle.Engine is the one.
type Voider interface {
	Void(ctx context.Context, o lifecycle.Order, s task.Status, reason task.Error) (t task.Task, voided bool, err error)
}

// Canceler ends a task at its caller's wish; *lifecycle.Runner is the one.
type Canceler interface {
	Cancel(ctx context.Context, t task.Task) (task.Task, error)
}

// BatchPlacer carries the requests of batches out as tasks that nobody waits for.
// It is safe for concurrent use.
type BatchPlacer struct {
	Desk     *Desk
	Voider   Voider
	Canceler Canceler
}

var _ batch.Placer = BatchPlacer{}

// Place begins a request like one of its own, but for its price, which is the one
// that it was quoted when its batch was taken. Errors are those of [Desk.Check] and
// [Desk.Place].
func (p BatchPlacer) Place(ctx context.Context, b batch.Batch, index int, r batch.Request) (task.Task, error) {
	checked, err := p.Desk.Check(ctx, Ticket{
		TaskID: batch.TaskID(b.ID, index), Account: b.Account, KeyID: b.KeyID, RequestID: b.RequestID,
		KeyPlaces: b.KeyPlaces, UserPlaces: b.UserPlaces, User: r.User, Request: r.Request, AsIs: true,
		Metadata: r.Metadata, CallbackURL: r.CallbackURL,
	})
	if err != nil {
		return task.Task{}, err
	}
	checked.Quote = r.Quote
	placed, err := p.Desk.Place(ctx, checked)
	return placed.Task, err
}

// Void implements [batch.Placer].
func (p BatchPlacer) Void(ctx context.Context, b batch.Batch, index int, r batch.Request, s task.Status, reason task.Error) (task.Task, bool, error) {
	return p.Voider.Void(ctx, lifecycle.Order{
		ID: batch.TaskID(b.ID, index), Account: b.Account, KeyID: b.KeyID, RequestID: b.RequestID, User: r.User,
		Request: r.Request, Metadata: r.Metadata,
	}, s, reason)
}

// Cancel implements [batch.Placer].
func (p BatchPlacer) Cancel(ctx context.Context, t task.Task) (task.Task, error) {
	return p.Canceler.Cancel(ctx, t)
}
