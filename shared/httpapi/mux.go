package httpapi

import (
	"net/http"

	"easel/shared/fault"
)

// Mux is an http.ServeMux whose own refusals, 404 and 405, have the gateway's
// form. Register first, serve then; serving is safe for concurrent use.
type Mux struct{ mux *http.ServeMux }

// NewMux returns an empty mux.
func NewMux() *Mux { return &Mux{mux: http.NewServeMux()} }

// Handle registers the handler under a pattern of http.ServeMux.
func (m *Mux) Handle(pattern string, h http.Handler) { m.mux.Handle(pattern, h) }

// ServeHTTP serves the request with the handler of its pattern.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, pattern := m.mux.Handler(r); pattern != "" {
		m.mux.ServeHTTP(w, r)
		return
	}
	probe := &probe{header: http.Header{}}
	m.mux.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		allow := probe.header.Get("Allow")
		w.Header().Set("Allow", allow)
		Fail(w, r, fault.New(fault.MethodNotAllowed, "this path takes %s", allow))
		return
	}
	Fail(w, r, fault.New(fault.NotFound, "there is nothing at this path"))
}

// probe learns what http.ServeMux would answer.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
func (p *probe) WriteHeader(status int)      { p.status = status }
