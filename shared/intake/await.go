package intake

import (
	"context"
	"time"

	"easel/shared/task"
)

const (
	firstLook = 50 * time.Millisecond
	slowLook  = time.Second
	// margin is kept before a request's own deadline for writing the answer.
	margin = time.Second
)

// Await reads the task until it has ended, until wait is over, or until ctx
// ends, and returns it as it was last seen. It looks after 50 ms first and then
// ever less often, at least once a second; a read that fails is tried again, and
// is no error: the task is there, whether it can be read now or not.
func Await(ctx context.Context, reader Reader, t task.Task, wait time.Duration) task.Task {
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline)-margin)
	}
	end := time.NewTimer(max(wait, 0))
	defer end.Stop()
	pause := firstLook
	for !t.Status.Terminal() {
		look := time.NewTimer(pause)
		select {
		case <-look.C:
		case <-end.C:
			look.Stop()
			return t
		case <-ctx.Done():
			look.Stop()
			return t
		}
		if next, err := reader.Task(ctx, t.ID); err == nil {
			t = next
		}
		pause = min(pause+pause/2, slowLook)
	}
	return t
}
