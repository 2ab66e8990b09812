package lifecycle

import (
	"context"
	"errors"
	"time"

	"easel/shared/credits"
	"easel/shared/task"
)

// ErrUnwanted marks a Reporter's error after which no other try makes sense.
var ErrUnwanted = errors.New("the endpoint takes no reports")

// reportSchedule holds the waits between the reports of one task, about 24 hours in all.
var reportSchedule = [...]time.Duration{ //nolint:gochecknoglobals // a constant table
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 8 * time.Hour,
}

// RetryAfter is how long to wait for the next try after so many, from 1; ok is
// false when that was the last one.
func RetryAfter(tries int) (wait time.Duration, ok bool) {
	if tries < 1 || tries > len(reportSchedule) {
		return 0, false
	}
	return reportSchedule[tries-1], true
}

// LastReport reports whether the task's next report is the last that is tried.
func LastReport(t task.Task) bool { return t.Delivery.Tries >= len(reportSchedule) }

// report tells the caller's endpoint that its task has ended.
func (r *Runner) report(ctx context.Context, t task.Task) (task.Task, error) {
	started := r.Now()
	status, err := r.Reporter.Report(ctx, t)
	report := Report{Status: status, Took: r.Now().Sub(started)}
	if err != nil {
		report.Failure = err.Error()
		if !LastReport(t) && !errors.Is(err, ErrUnwanted) {
			report.Retry = reportSchedule[t.Delivery.Tries]
		}
	}
	next, err := r.Engine.Reported(ctx, t, report)
	if err != nil {
		return t, err
	}
	if report.Retry > 0 && report.Retry < time.Minute {
		return next, r.Queue.Send(ctx, task.Message{Task: t.ID, Reason: "report"}, report.Retry)
	}
	return next, nil
}

// Report is one try to report a task's end to its caller.
type Report struct {
	// Status is the endpoint's HTTP status, 0 without an answer.
	Status int
	// Failure says why the try failed; "" means that the endpoint took the report.
	Failure string
	// Took is how long the try took.
	Took time.Duration
	// Retry is when to try again; 0 is never.
	Retry time.Duration
}

// Reported writes down a try to report the task's end to its caller.
func (e *Engine) Reported(ctx context.Context, t task.Task, r Report) (task.Task, error) {
	return e.retry(ctx, t, func(t task.Task, now time.Time) (task.Task, *credits.Entry, error) {
		if t.Delivery.NextAt.IsZero() {
			return t, nil, ErrNothing
		}
		previous := t.Delivery.NextAt
		d := t.Delivery.Tried(task.Try{At: now.Add(-r.Took), Status: r.Status, Error: r.Failure, LatencyMS: r.Took.Milliseconds()})
		switch {
		case r.Failure == "":
			d.DoneAt = now
		case r.Retry > 0:
			d.NextAt = now.Add(r.Retry)
		}
		t.Delivery = d
		if t.DueAt.IsZero() || !t.DueAt.After(previous) {
			t.DueAt = d.NextAt
		}
		if _, open := t.Open(); open && t.DueAt.IsZero() {
			t.DueAt = capDue(t, now.Add(ResendAfter))
		}
		scheduleReport(&t)
		return t, nil, nil
	})
}
