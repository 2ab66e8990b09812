// Package workerjob is what the worker function does: it advances the tasks that
// messages name, and once a minute looks for those that are due.
package workerjob

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"easel/shared/task"
)

// Runner moves tasks; *lifecycle.Runner is the one.
type Runner interface {
	Advance(ctx context.Context, m task.Message) (task.Task, error)
	Round(ctx context.Context, m task.Message) error
	Sweep(ctx context.Context, limit int) (int, error)
}

// Worker handles messages and ticks. It is safe for concurrent use.
type Worker struct {
	runner Runner
	log    *slog.Logger
	duties []Duty
	busy   busy
}

// Duty is something else that a tick does: bounded, cheap when there is nothing
// to do, and harmless when two ticks run at once.
type Duty struct {
	Name string
	Run  func(ctx context.Context) error
}

// New returns a worker whose ticks also run the duties.
func New(runner Runner, log *slog.Logger, duties ...Duty) *Worker {
	return &Worker{runner: runner, log: log, duties: duties}
}

const (
	// sweepLimit is how many due tasks one tick takes up. They stay due until they
	// are advanced, so a second round would only find the same ones.
	sweepLimit  = 1000
	tickTimeout = 50 * time.Second
)

// Handle advances the task of one message, or looks up the jobs of several. An error asks for the message to be
// delivered again. A message that cannot be read never can be: it is logged and
// dropped.
func (w *Worker) Handle(ctx context.Context, body []byte) error {
	var m task.Message
	if err := json.Unmarshal(body, &m); err != nil || m.Task == "" {
		w.log.ErrorContext(ctx, "a message is malformed and was dropped", "bytes", len(body))
		return nil // an error would bring the same bytes back
	}
	m, ok, end := w.busy.begin(m)
	defer end()
	switch {
	case !ok:
		return nil // this process is at it
	case len(m.Tasks) > 0:
		return w.round(ctx, m)
	}
	t, err := w.runner.Advance(ctx, m)
	if err != nil {
		w.log.WarnContext(ctx, "a task could not be advanced", "task", m.Task, "reason", m.Reason, "error", err)
		return err
	}
	w.log.InfoContext(ctx, "advanced", "task", m.Task, "reason", m.Reason, "status", t.Status, "attempts", len(t.Attempts))
	return nil
}

func (w *Worker) round(ctx context.Context, m task.Message) error {
	if err := w.runner.Round(ctx, m); err != nil {
		w.log.WarnContext(ctx, "a round of look-ups was not complete", "config", m.Config, "tasks", len(m.Tasks), "error", err)
		return err
	}
	w.log.InfoContext(ctx, "looked up", "config", m.Config, "tasks", len(m.Tasks))
	return nil
}

// Tick asks for the tasks that are due to be advanced, the oldest first, and runs
// the duties. What one tick does not reach, the next one does; one part that
// fails keeps no other from running.
func (w *Worker) Tick(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tickTimeout)
	defer cancel()
	failed := w.sweep(ctx)
	for _, duty := range w.duties {
		if err := duty.Run(ctx); err != nil {
			w.log.ErrorContext(ctx, "a duty of the tick failed", "duty", duty.Name, "error", err)
			failed = errors.Join(failed, fmt.Errorf("%s: %w", duty.Name, err))
		}
	}
	return failed
}

func (w *Worker) sweep(ctx context.Context) error {
	due, err := w.runner.Sweep(ctx, sweepLimit)
	if err != nil {
		w.log.ErrorContext(ctx, "the sweep was not complete", "due", due, "error", err)
		return err
	}
	if due > 0 {
		w.log.InfoContext(ctx, "swept", "due", due)
	}
	return nil
}
