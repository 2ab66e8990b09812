package httpapi

import (
	"context"
	"regexp"

	"easel/shared/fault"
	"easel/shared/task"
)

// TaskReader reads one task as it is now, or returns journal.ErrNotFound.
type TaskReader interface {
	Task(ctx context.Context, id string) (task.Task, error)
}

var taskID = regexp.MustCompile(`^task_[A-Za-z0-9_-]{8,64}$`)

// OwnTask returns the task with the id if it belongs to the account, else a
// NotFound error that does not tell which.
func OwnTask(ctx context.Context, reader TaskReader, id, account string) (task.Task, error) {
	missing := fault.New(fault.NotFound, "there is no such task")
	if !taskID.MatchString(id) {
		return task.Task{}, missing
	}
	t, err := reader.Task(ctx, id)
	switch {
	case isNotFound(err):
		return task.Task{}, missing
	case err != nil:
		return task.Task{}, err
	case t.Account != account:
		return task.Task{}, missing
	}
	return t, nil
}
