package httpapi

import (
	"bytes"
	"fmt"
	"net/http"
)

// Events writes server-sent events. Nothing is written, and the status is open,
// until the first one. It is not safe for concurrent use.
type Events struct {
	w       http.ResponseWriter
	control *http.ResponseController
	begun   bool
}

// NewEvents returns a stream of events on w.
func NewEvents(w http.ResponseWriter) *Events {
	return &Events{w: w, control: http.NewResponseController(w)}
}

// Begun reports whether the answer has begun, so that its status is decided.
func (e *Events) Begun() bool { return e.begun }

// Send writes one event at once; an empty id or name is left out. An error means
// that the client is gone.
func (e *Events) Send(id, name string, data []byte) error {
	var b bytes.Buffer
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	if name != "" {
		fmt.Fprintf(&b, "event: %s\n", name)
	}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		fmt.Fprintf(&b, "data: %s\n", line)
	}
	b.WriteByte('\n')
	return e.write(b.Bytes())
}

// SendJSON is Send with v as the data.
func (e *Events) SendJSON(id, name string, v any) error {
	data, err := marshal(v)
	if err != nil {
		return err
	}
	return e.Send(id, name, bytes.TrimRight(data, "\n"))
}

// Retry tells the client how many milliseconds to wait before it comes back.
func (e *Events) Retry(milliseconds int) error {
	return e.write(fmt.Appendf(nil, "retry: %d\n\n", milliseconds))
}

// Heartbeat writes a comment, which keeps proxies from taking a quiet stream for
// a dead one.
func (e *Events) Heartbeat() error { return e.write([]byte(": still here\n\n")) }

func (e *Events) write(p []byte) error {
	if !e.begun {
		e.begun = true
		h := e.w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("X-Accel-Buffering", "no")
		e.w.WriteHeader(http.StatusOK)
	}
	if _, err := e.w.Write(p); err != nil {
		return err
	}
	return e.control.Flush()
}
