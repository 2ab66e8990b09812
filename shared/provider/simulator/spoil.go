package simulator

import (
	"bytes"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// answer is a response kept back so that a fault can spoil it.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// Flush makes streaming handlers accept the writer.
func (a *answer) Flush() {}

// record runs h and keeps its answer back. The work is done when it returns.
func (c *call) record(h func(*call)) *answer {
	kept := &answer{header: http.Header{}}
	inner := *c
	inner.w = kept
	h(&inner)
	return kept
}

// start sends the status and the headers of a kept answer with its full length.
func (a *answer) start(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(a.body.Len()))
	if a.status == 0 {
		a.status = http.StatusOK
	}
	w.WriteHeader(a.status)
}

// truncate promises the whole answer, sends half of it and breaks the connection.
func truncate(w http.ResponseWriter, a *answer) {
	a.start(w)
	_, _ = w.Write(a.body.Bytes()[:a.body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// drip sends the answer in twenty portions over the given time.
func (c *call) drip(a *answer, over time.Duration) {
	const portions = 20
	a.start(c.w)
	rest := a.body.Bytes()
	size := len(rest)/portions + 1
	control := http.NewResponseController(c.w)
	for len(rest) > 0 {
		if !c.srv.pause(c.r.Context(), over/portions) {
			panic(http.ErrAbortHandler)
		}
		n := min(size, len(rest))
		_, _ = c.w.Write(rest[:n])
		_ = control.Flush()
		rest = rest[n:]
	}
}

// reset closes the connection with a TCP reset and no answer.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // no TCP connection of our own to reset (HTTP/2, tests)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
