package intake

import (
	"context"

	"easel/shared/lifecycle"
	"easel/shared/task"
)

// Streamer begins a text task and hands on each piece of its text as it comes.
// It fails over only before the first piece. It returns the task as it is when
// the text is complete or has failed; a replayed task emits nothing.
type Streamer interface {
	ServeStream(ctx context.Context, o lifecycle.Order, emit func(text string) error) (t task.Task, replayed bool, err error)
}

// Stream is Place for text: emit is called with each piece. The whole text comes
// in one piece where the provider, or the desk, cannot stream, and for a task
// that was there before. An error of emit ends the stream and not the task.
func (d *Desk) Stream(ctx context.Context, c Checked, emit func(text string) error) (Placed, error) {
	emitted := false
	hand := func(text string) error {
		emitted = true
		return emit(text)
	}
	placed, err := d.stream(ctx, c, hand)
	if err == nil && !emitted && placed.Task.Status == task.Succeeded {
		err = emit(placed.Task.Text)
	}
	return placed, err
}

func (d *Desk) stream(ctx context.Context, c Checked, emit func(text string) error) (Placed, error) {
	if d.Streamer == nil || c.replay != nil {
		return d.Place(ctx, c)
	}
	started := d.Now()
	order, err := d.order(ctx, c)
	if err != nil {
		return Placed{}, err
	}
	var t task.Task
	var replayed bool
	if entry, ok := d.remembered(ctx, c, &order); ok {
		t, replayed, err = d.answer(ctx, c, order, entry)
	} else {
		t, replayed, err = d.Streamer.ServeStream(ctx, order, emit)
	}
	if err != nil {
		return Placed{}, err
	}
	placed := Placed{Task: t, Model: c.Model, Replayed: replayed}
	if left := c.Wait - d.Now().Sub(started); left > 0 {
		placed.Task = Await(ctx, d.Tasks, t, left)
	}
	return placed, nil
}
