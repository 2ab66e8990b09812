package providertest

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"easel/shared/provider"
	"easel/shared/secret"
)

// canary is the key of every call: long, and found nowhere else.
const canary = "canary-5d1c7a2f90e84b63b7"

// Recorded is one request that a driver sent.
type Recorded struct {
	Method string
	Path   string
	Query  map[string][]string
	Header http.Header
	Body   []byte
}

// stage is the vendor's server: it records every request and answers by script.
type stage struct {
	url    string
	client *http.Client

	mu       sync.Mutex
	recorded []Recorded
}

// answer writes one answer; i counts requests from 0.
type answer func(w http.ResponseWriter, r *http.Request, i int)

func newStage(t *testing.T, script answer) *stage {
	t.Helper()
	s := new(stage)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		i := len(s.recorded)
		s.recorded = append(s.recorded, Recorded{
			Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone(), Body: body,
		})
		s.mu.Unlock()
		script(w, r, i)
	}))
	t.Cleanup(server.Close)
	s.url, s.client = server.URL, server.Client()
	return s
}

func (s *stage) requests() []Recorded {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.recorded)
}

// replies answers in turn; the last reply repeats.
func (s *stage) fill(text string) string {
	return strings.NewReplacer("{{base}}", s.url, "{{key}}", canary).Replace(text)
}

func (s *stage) write(w http.ResponseWriter, r Reply) {
	for name, value := range r.Header {
		w.Header().Set(name, s.fill(value))
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	status := r.Status
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, s.fill(r.Body))
}

// scripted returns a stage that gives the replies in turn.
func scripted(t *testing.T, replies ...Reply) *stage {
	t.Helper()
	var s *stage
	ready := make(chan struct{})
	s = newStage(t, func(w http.ResponseWriter, _ *http.Request, i int) {
		<-ready
		s.write(w, replies[min(i, len(replies)-1)])
	})
	close(ready)
	return s
}

// call returns the harness's call for a stage at base.
func (h Harness) call(base string, change func(*provider.Call)) provider.Call {
	c := clone(h.Call)
	c.BaseURL, c.Key = base, secret.New(canary)
	if change != nil {
		change(&c)
	}
	return c
}

func (h Harness) job(s *stage) provider.Job {
	j := provider.Job{ID: h.Job.ID, Handle: maps.Clone(h.Job.Handle)}
	for name, value := range j.Handle {
		j.Handle[name] = s.fill(value)
	}
	return j
}

// clone copies a call so deeply that no driver can reach the original.
func clone(c provider.Call) provider.Call {
	own := c
	own.Data = slices.Clone(c.Data)
	own.Headers = maps.Clone(c.Headers)
	own.Request.Options = maps.Clone(c.Request.Options)
	for name, value := range own.Request.Options {
		own.Request.Options[name] = slices.Clone(value)
	}
	own.Request.Loras = slices.Clone(c.Request.Loras)
	own.Request.Messages = slices.Clone(c.Request.Messages)
	if c.Request.Seed != nil {
		seed := *c.Request.Seed
		own.Request.Seed = &seed
	}
	if c.Request.Strength != nil {
		strength := *c.Request.Strength
		own.Request.Strength = &strength
	}
	return own
}

func assertUnchanged(t *testing.T, before, after provider.Call) {
	t.Helper()
	if !reflect.DeepEqual(before, after) {
		t.Errorf("the driver changed the call:\n%+v\n%+v", before, after)
	}
}

// deadline is a context whose deadline passes when the test says so.
type deadline struct {
	context.Context
	done chan struct{}
	once sync.Once
}

func newDeadline(ctx context.Context) *deadline {
	return &deadline{Context: ctx, done: make(chan struct{})}
}

func (d *deadline) pass() { d.once.Do(func() { close(d.done) }) }

// Done implements context.Context.
func (d *deadline) Done() <-chan struct{} { return d.done }

// Err implements context.Context.
func (d *deadline) Err() error {
	select {
	case <-d.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
