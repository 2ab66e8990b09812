package simulator

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// maxBody bounds a request body; the largest real limit is OpenAI's 50 MB for
// an image to edit.
const maxBody = 50 << 20

// object is a JSON object in a vendor's own spelling.
type object = map[string]any

// vendor is what the shared machinery must know about one wire protocol.
type vendor struct {
	name string
	// key takes the caller's API key out of the request; "" when it is missing
	// or in the wrong place.
	key func(*http.Request) string
	// refuse answers with the vendor's own error.
	refuse func(c *call, why reason)
	// tooLarge answers a body over the limit.
	tooLarge func(c *call)
	// jobs is true where moderation fails the job instead of the call.
	jobs bool
}

// reason is why a vendor refuses a call.
type reason int

const (
	tooMany reason = iota
	overloaded
	badKey
	noCredit
	badPrompt
	broken
)

// call is one request to one vendor. Its methods are for the goroutine that
// serves the request.
type call struct {
	srv    *Server
	vendor vendor
	w      http.ResponseWriter
	r      *http.Request
	body   []byte
	fault  Fault // the fault that spoils this call, or zero
	id     string
}

// bearer takes the key out of "Authorization: Bearer …".
func bearer(r *http.Request) string { return authorization(r, "Bearer") }

func authorization(r *http.Request, scheme string) string {
	got, key, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(got, scheme) {
		return ""
	}
	return strings.TrimSpace(key)
}

// handle serves pattern as the vendor. class is OnSubmits, OnReads or OnFiles.
func (s *Server) handle(v vendor, pattern, class string, h func(*call)) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		s.stats.add(v.name, func(n *Counts) { n.Calls++ })
		counted := &statusWriter{ResponseWriter: w}
		c := &call{srv: s, vendor: v, w: counted, r: r, id: uuid.NewString()}
		defer func() { //nolint:contextcheck // the context is that of r
			if counted.status >= 400 {
				s.stats.add(v.name, func(n *Counts) { n.Refusals++ })
			}
			s.log.DebugContext(r.Context(), "simulated call", "provider", v.name, "method", r.Method,
				"path", r.URL.Path, "status", counted.status, "fault", string(c.fault.Fault))
		}()
		// The whole body is read first: only then does net/http notice that
		// the client has left, which Hang waits for.
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			v.tooLarge(c)
			return
		}
		c.body = body
		r.Body = newBody(body)
		if key := v.key(r); key == "" || key == "invalid" {
			v.refuse(c, badKey)
			return
		}
		c.fault = s.faults.take(v.name, class)
		c.run(h) //nolint:contextcheck // the context travels in c.r
	})
}

// newBody is a request body that can be read once.
func newBody(data []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(data)) }

// run answers the call, spoiled by its fault.
func (c *call) run(h func(*call)) {
	switch c.fault.Fault {
	case RateLimited:
		c.vendor.refuse(c, tooMany)
	case Unavailable:
		c.vendor.refuse(c, overloaded)
	case Auth:
		c.vendor.refuse(c, badKey)
	case OutOfCredit:
		c.vendor.refuse(c, noCredit)
	case ServerError:
		c.vendor.refuse(c, broken)
	case Moderated:
		if c.vendor.jobs {
			h(c)
			return
		}
		c.vendor.refuse(c, badPrompt)
	case Hang:
		if c.srv.pause(c.r.Context(), c.fault.delay(maxDelay)) {
			h(c)
			return
		}
		panic(http.ErrAbortHandler)
	case ResetAfterAccept:
		c.record(h)
		reset(c.w)
	case Truncated:
		truncate(c.w, c.record(h))
	case SlowBody:
		c.drip(c.record(h), c.fault.delay(10*time.Second))
	case LostWebhook, DuplicateWebhook, LateSuccess, JobFails: // the handler applies it itself
		h(c)
	default: // none
		h(c)
	}
}

// accept notes that the vendor took the work on and will bill it.
func (c *call) accept(id, model, prompt, webhook string) {
	c.srv.stats.submitted(Submit{
		At: c.srv.opts.Now(), Provider: c.vendor.name, Model: model, Prompt: prompt,
		ID: id, Webhook: webhook, Fault: c.fault.Fault,
	})
}

// labor passes the time that synchronous work of this size takes. When it
// reports false the call has been answered, or nobody waits for the answer.
func (c *call) labor(e effort) bool {
	took := c.srv.latency(e)
	if c.fault.Fault == LateSuccess {
		took = c.fault.delay(10 * time.Minute)
	}
	if !c.srv.pause(c.r.Context(), took) {
		return false
	}
	if c.fault.Fault == JobFails {
		c.vendor.refuse(c, broken)
		return false
	}
	return true
}

// wantsJSON reports whether the body is declared as JSON.
func (c *call) wantsJSON() bool {
	kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json")
}

func (c *call) json(status int, v any) { writeJSON(c.w, status, v) }

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have left
}

// statusWriter remembers the status it sent.
type statusWriter struct {
	http.ResponseWriter

	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the real writer.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
