package httpapi

import (
	"context"
	"time"

	"easel/shared/fault"
	"easel/shared/task"
)

// TaskReader reads one task as it is now, or returns journal.ErrNotFound.
type TaskReader interface {
	Task(ctx context.Context, id string) (task.Task, error)
}

const (
	firstLook = 50 * time.Millisecond
	slowLook  = time.Second
)

// Await reads the task until it has ended, until the time, or until ctx ends,
// and returns it as it is then. It looks after 50 ms first and then ever less
// often, at least once a second. A read that fails in between is tried again;
// the error comes back when the last one failed.
func Await(ctx context.Context, reader TaskReader, t task.Task, until time.Time) (task.Task, error) {
	pause := firstLook
	for !t.Status.Terminal() {
		left := time.Until(until)
		if left <= 0 {
			return t, nil
		}
		if !sleep(ctx, min(pause, left)) {
			return t, nil
		}
		next, err := reader.Task(ctx, t.ID)
		switch {
		case err == nil:
			t = next
		case ctx.Err() != nil:
			return t, nil
		case time.Until(until) <= 0:
			return t, err
		}
		pause = min(pause+pause/2, slowLook)
	}
	return t, nil
}

// sleep waits for d and reports whether it did, rather than ctx ending.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// FindTask returns the task with the id if it belongs to the account, else a
// NotFound error that does not tell which.
func FindTask(ctx context.Context, reader TaskReader, id, account string) (task.Task, error) {
	notFound := fault.New(fault.NotFound, "there is no such task")
	if !taskID.MatchString(id) {
		return task.Task{}, notFound
	}
	t, err := reader.Task(ctx, id)
	switch {
	case isNotFound(err):
		return task.Task{}, notFound
	case err != nil:
		return task.Task{}, err
	case t.Account != account:
		return task.Task{}, notFound
	}
	return t, nil
}
