package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"easel/shared/task"
)

// Many reads several tasks in few round trips. What it returns may be a moment
// old; tasks that do not exist are left out.
type Many interface {
	TasksByID(ctx context.Context, ids []string) ([]task.Task, error)
}

// Sweep sends messages for the tasks that are due, at most limit of them, and
// returns how many those are. The jobs at one config that are due go into one
// message, to be looked up together, so a config that hangs delays no other;
// so do those that are due within Gather. Everything else has a message for
// itself, because an attempt may take minutes. Run it every minute.
func (r *Runner) Sweep(ctx context.Context, limit int) (int, error) {
	now := r.Now()
	ahead := r.Gather
	if r.Many == nil {
		ahead = 0
	}
	ids, err := r.Due.Due(ctx, now.Add(ahead), limit)
	if err != nil {
		return 0, fmt.Errorf("sweep: %w", err)
	}
	taken := 0
	var failed error
	for _, m := range r.errands(ctx, ids, now) {
		if err := r.Queue.Send(ctx, m, 0); err != nil {
			failed = errors.Join(failed, fmt.Errorf("sweep task %s: %w", m.Task, err))
		}
		taken += max(len(m.Tasks), 1)
	}
	return taken, failed
}

// errands returns the messages for the tasks that a sweep found.
func (r *Runner) errands(ctx context.Context, ids []string, now time.Time) []task.Message {
	known := r.readMany(ctx, ids)
	var messages []task.Message
	jobs := map[string][]string{} // by config
	for _, id := range ids {
		t, ok := known[id]
		config, together := inRounds(t)
		switch {
		case ok && together:
			jobs[config] = append(jobs[config], id)
		case !ok || !t.DueAt.After(now):
			messages = append(messages, task.Message{Task: id, Reason: task.ReasonSweep})
		}
	}
	for _, config := range sorted(jobs) {
		for group := range slices.Chunk(jobs[config], maxRound) {
			switch {
			case len(group) > 1:
				messages = append(messages, roundOf(config, group, task.ReasonGather))
			case !known[group[0]].DueAt.After(now):
				messages = append(messages, task.Message{Task: group[0], Reason: task.ReasonSweep})
			}
		}
	}
	return messages
}

// readMany reads the tasks of a sweep. It returns nothing where there are none to
// put together, or they cannot be read: then each gets a message.
func (r *Runner) readMany(ctx context.Context, ids []string) map[string]task.Task {
	if r.Many == nil || len(ids) == 0 || len(ids) == 1 && r.Gather == 0 {
		return nil
	}
	tasks, err := r.Many.TasksByID(ctx, ids)
	if err != nil {
		r.Log.WarnContext(ctx, "due tasks could not be put together", "error", err)
		return nil
	}
	known := make(map[string]task.Task, len(tasks))
	for _, t := range tasks {
		known[t.ID] = t
	}
	return known
}

func sorted(jobs map[string][]string) []string {
	configs := make([]string, 0, len(jobs))
	for config := range jobs {
		configs = append(configs, config)
	}
	slices.Sort(configs)
	return configs
}
