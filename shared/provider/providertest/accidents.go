package providertest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"easel/shared/fault"
	"easel/shared/provider"
)

// accidents are what happens between a driver and any vendor.
func (h Harness) accidents(t *testing.T) {
	t.Run("nobody listens: nothing was sent", h.refusedConnection)
	h.reset(t, "a reset after the request leaves the outcome unknown", h.submit, Want{Class: fault.ClassTimeout, Unknown: true})
	t.Run("a context that has ended sends nothing", h.endedContext)
	t.Run("a cancel during the call leaves the outcome unknown", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		h.hang(t, ctx, cancel, Want{Class: fault.ClassCanceled, Unknown: true})
	})
	t.Run("a deadline during the call leaves the outcome unknown", func(t *testing.T) {
		t.Parallel()
		ctx := newDeadline(t.Context())
		h.hang(t, ctx, ctx.pass, Want{Class: fault.ClassTimeout, Unknown: true})
	})
	t.Run("a body that stops halfway ends at the deadline", h.slowBody)
	t.Run("a truncated success is unknown", h.truncated)
	t.Run("an oversized answer is unknown", h.oversized)
	t.Run("a redirect is not followed", h.redirect)
	success := h.Submits[0].Replies[0]
	half := success
	half.Body = success.Body[:len(success.Body)/2]
	h.cases(t, []Case{
		{Name: "half a success is unknown", Replies: []Reply{half}, Want: Want{Class: fault.ClassBadAnswer, Unknown: true}},
		{Name: "an empty success is unknown", Replies: []Reply{{Status: success.Status, Header: success.Header}}, Want: Want{Class: fault.ClassBadAnswer, Unknown: true}},
		{Name: "a success that is a web page is unknown", Replies: []Reply{{Header: map[string]string{"Content-Type": "text/html"}, Body: "<html>{{key}}</html>"}}, Want: Want{Class: fault.ClassBadAnswer, Unknown: true}},
		{Name: "a success that says nothing is unknown", Replies: []Reply{{Body: "{}"}}, Want: Want{Class: fault.ClassBadAnswer, Unknown: true}},
		{Name: "the vendor's own server error", Replies: []Reply{h.ServerError}, Want: Want{Class: fault.ClassUnavailable, Unknown: h.Starts}},
	}, h.submit)
}

// statuses are refusals that no vendor worded: a proxy's, or a changed API's.
func (h Harness) statuses(t *testing.T) {
	for status, want := range map[int]Want{
		400: {Class: fault.ClassBadAnswer}, 401: {Class: fault.ClassAuth}, 402: {Class: fault.ClassOutOfCredit},
		403: {Class: fault.ClassAuth}, 404: {Class: fault.ClassModelGone}, 408: {Class: fault.ClassTimeout, Unknown: true},
		413: {Class: fault.ClassInvalidInput}, 429: {Class: fault.ClassRateLimited, RetryAfter: 7e9},
		500: {Class: fault.ClassUnavailable, Unknown: true}, 502: {Class: fault.ClassUnavailable, Unknown: true},
		503: {Class: fault.ClassUnavailable, RetryAfter: 7e9}, 504: {Class: fault.ClassTimeout, Unknown: true},
		520: {Class: fault.ClassUnavailable, Unknown: true},
	} {
		header := map[string]string{"Content-Type": "text/html", "Retry-After": "7"}
		h.cases(t, []Case{
			{Name: strconv.Itoa(status), Replies: []Reply{{Status: status, Header: header, Body: "<html>no, {{key}}</html>"}}, Want: want},
			{Name: strconv.Itoa(status) + " with broken JSON", Replies: []Reply{{Status: status, Header: map[string]string{"Retry-After": "7"}, Body: `{"error":{"me`}}, Want: want},
			{Name: strconv.Itoa(status) + " with an empty object", Replies: []Reply{{Status: status, Header: map[string]string{"Retry-After": "7"}, Body: `{}`}}, Want: want},
		}, h.submit)
	}
}

func (h Harness) refusedConnection(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + listener.Addr().String()
	_ = listener.Close()
	s := scripted(t, Reply{})
	got, err := h.New(s.client).Submit(t.Context(), h.call(base, nil))
	Want{Class: fault.ClassConnect, Requests: None}.check(t, h, s, got, err)
}

// reset reads the request whole and breaks the connection.
func (h Harness) reset(t *testing.T, name string, call run, want Want) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		s := newStage(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			_ = conn.Close()
		})
		// Reads may be repeated by net/http on a fresh connection; a submit must not be.
		s.client.Transport = &http.Transport{DisableKeepAlives: true}
		got, err := call(t.Context(), s, h.New(s.client), h.call(s.url, nil))
		want.check(t, h, s, got, err)
	})
}

func (h Harness) endedContext(t *testing.T) {
	t.Parallel()
	s := scripted(t, h.Submits[0].Replies...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := h.New(s.client).Submit(ctx, h.call(s.url, nil))
	Want{Class: fault.ClassCanceled, Requests: None}.check(t, h, s, got, err)
}

// hang ends ctx once the request has arrived, and never answers.
func (h Harness) hang(t *testing.T, ctx context.Context, end func(), want Want) {
	t.Helper()
	s := newStage(t, func(_ http.ResponseWriter, r *http.Request, _ int) {
		end()
		<-r.Context().Done()
	})
	got, err := h.New(s.client).Submit(ctx, h.call(s.url, nil))
	want.check(t, h, s, got, err)
}

func (h Harness) slowBody(t *testing.T) {
	t.Parallel()
	ctx := newDeadline(t.Context())
	success := h.Submits[0].Replies[0]
	s := newStage(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		for name, value := range success.Header {
			w.Header().Set(name, value)
		}
		_, _ = w.Write([]byte(success.Body[:len(success.Body)/2]))
		_ = http.NewResponseController(w).Flush()
		ctx.pass()
		<-r.Context().Done()
	})
	got, err := h.New(s.client).Submit(ctx, h.call(s.url, nil))
	Want{Class: fault.ClassTimeout, Unknown: true}.check(t, h, s, got, err)
}

func (h Harness) truncated(t *testing.T) {
	t.Parallel()
	success := h.Submits[0].Replies[0]
	s := newStage(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		for name, value := range success.Header {
			w.Header().Set(name, value)
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(success.Body)+100))
		_, _ = w.Write([]byte(success.Body))
	})
	got, err := h.New(s.client).Submit(t.Context(), h.call(s.url, nil))
	Want{Class: fault.ClassBadAnswer, Unknown: true}.check(t, h, s, got, err)
}

func (h Harness) oversized(t *testing.T) {
	t.Parallel()
	success := h.Submits[0].Replies[0]
	s := scripted(t, success)
	c := h.call(s.url, nil)
	c.MaxBytes = int64(len(success.Body)) / 2
	got, err := h.New(s.client).Submit(t.Context(), c)
	Want{Class: fault.ClassBadAnswer, Unknown: true}.check(t, h, s, got, err)
}

func (h Harness) redirect(t *testing.T) {
	t.Parallel()
	elsewhere := scripted(t, h.Submits[0].Replies...)
	s := newStage(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		http.Redirect(w, r, elsewhere.url+"/trap", http.StatusTemporaryRedirect)
	})
	got, err := h.New(s.client).Submit(t.Context(), h.call(s.url, nil))
	Want{Class: fault.ClassBadAnswer, Unknown: true}.check(t, h, s, got, err)
	if n := len(elsewhere.requests()); n != 0 {
		t.Errorf("the redirect was followed %d times", n)
	}
}

// concurrency shares one driver and one call among several goroutines.
func (h Harness) concurrency(t *testing.T) {
	s := scripted(t, h.Submits[0].Replies...)
	p, c := h.New(s.client), h.call(s.url, h.Submits[0].Change)
	before := clone(c)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			if _, err := p.Submit(t.Context(), c); err != nil {
				t.Errorf("submit %d: %v", i, err)
			}
		})
	}
	group.Wait()
	assertUnchanged(t, before, c)
	if n := len(s.requests()); n != 8*len(h.Submits[0].Replies) {
		t.Errorf("%d requests", n)
	}
}

func (h Harness) streams(t *testing.T) {
	if len(h.Streams) == 0 {
		return
	}
	h.cases(t, h.Streams, func(ctx context.Context, s *stage, p provider.Provider, c provider.Call) (provider.Answer, error) {
		var text strings.Builder
		streamer, _ := p.(provider.Streamer)
		got, err := streamer.Stream(ctx, c, func(piece string) error { text.WriteString(piece); return nil })
		if err == nil && text.String() != got.Text {
			return got, fmt.Errorf("emitted %q, answered %q", text.String(), got.Text)
		}
		return got, err
	})
	success := h.Streams[0].Replies[0]
	stream := func(ctx context.Context, s *stage, c provider.Call, emit func(string) error) (provider.Answer, error) {
		streamer, _ := h.New(s.client).(provider.Streamer)
		return streamer.Stream(ctx, c, emit)
	}
	t.Run("a stream that breaks after a piece is unknown", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			for name, value := range success.Header {
				w.Header().Set(name, value)
			}
			w.Header().Set("Content-Length", strconv.Itoa(len(success.Body)))
			_, _ = w.Write([]byte(success.Body[:len(success.Body)*2/3]))
		})
		got, err := stream(t.Context(), s, h.call(s.url, h.Streams[0].Change), func(string) error { return nil })
		Want{Class: fault.ClassBadAnswer, Unknown: true}.check(t, h, s, got, err)
	})
	t.Run("an error of emit ends the stream and comes back", func(t *testing.T) {
		t.Parallel()
		s := scripted(t, success)
		calls := 0
		_, err := stream(t.Context(), s, h.call(s.url, h.Streams[0].Change), func(string) error { calls++; return net.ErrClosed })
		if err != net.ErrClosed || calls != 1 { //nolint:errorlint // it must come back as it is
			t.Errorf("error = %v after %d calls", err, calls)
		}
	})
	t.Run("a refusal before the first piece is known", func(t *testing.T) {
		t.Parallel()
		s := scripted(t, Reply{Status: 429})
		got, err := stream(t.Context(), s, h.call(s.url, h.Streams[0].Change), func(string) error { t.Error("emitted"); return nil })
		Want{Class: fault.ClassRateLimited}.check(t, h, s, got, err)
	})
}
