package taskapi

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/task"
)

const (
	fastLook = 250 * time.Millisecond
	slowLook = time.Second
	// heartbeat keeps proxies from taking a quiet stream for a dead one.
	heartbeat = 15 * time.Second
	// reconnect is how long a client shall wait before it comes back, in milliseconds.
	reconnect = 1000
	// deadlineMargin is kept before the request's own deadline.
	deadlineMargin = 2 * time.Second
)

// stream is one client's view of a task.
type stream struct {
	*httpapi.Events

	// last is the version that the client has seen.
	last int64
}

// events sends the task each time that it changes, and ends with the task. The
// id of an event is the task's version, so a client that comes back with
// Last-Event-ID sees no change twice. A stream that has lasted long enough ends
// with the event "reconnect".
func (h *handler) events(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	last, err := lastEvent(r)
	if err != nil {
		return err
	}
	t, err := httpapi.OwnTask(r.Context(), h.Tasks, r.PathValue("id"), c.Account)
	if err != nil {
		return err
	}
	s := &stream{Events: httpapi.NewEvents(w), last: last}
	if s.Retry(reconnect) != nil {
		return nil // the client is gone, and there is nobody to tell
	}
	ctx, cancel := context.WithDeadline(r.Context(), h.streamEnd(r.Context()))
	defer cancel()
	if h.follow(ctx, s, t) && r.Context().Err() == nil {
		_ = s.Send("", "reconnect", []byte("{}"))
	}
	return nil
}

func lastEvent(r *http.Request) (int64, error) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.Invalid("Last-Event-ID", "must be the id of an event of this task")
	}
	return n, nil
}

func (h *handler) streamEnd(ctx context.Context) time.Time {
	end := time.Now().Add(h.StreamFor)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-deadlineMargin).Before(end) {
		end = deadline.Add(-deadlineMargin)
	}
	return end
}

// follow sends the task's changes until it has ended. It reports whether the
// stream's time ran out first.
func (h *handler) follow(ctx context.Context, s *stream, t task.Task) (more bool) {
	pause, quiet := fastLook, time.Duration(0)
	for {
		sent, err := h.send(ctx, s, t)
		if err != nil || t.Status.Terminal() {
			return false
		}
		if sent {
			pause, quiet = fastLook, 0
		}
		if quiet >= heartbeat {
			if s.Heartbeat() != nil {
				return false
			}
			quiet = 0
		}
		if !rest(ctx, pause) {
			return true
		}
		quiet += pause
		pause = min(pause*2, slowLook)
		// A read that fails now may succeed with the next one.
		if next, err := h.Tasks.Task(ctx, t.ID); err == nil {
			t = next
		}
	}
}

// send writes the task as an event, unless the client has seen this version.
func (h *handler) send(ctx context.Context, s *stream, t task.Task) (sent bool, err error) {
	if t.Version <= s.last && !t.Status.Terminal() {
		return false, nil
	}
	view, err := httpapi.TaskOf(context.WithoutCancel(ctx), t, h.Signer)
	if err != nil {
		return false, err
	}
	s.last = t.Version
	return true, s.SendJSON(strconv.FormatInt(t.Version, 10), "task", view)
}

// rest waits for d and reports whether it did, rather than ctx ending.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
