// Package httpapi is what every HTTP function of the gateway shares: request
// ids, errors, strict JSON, authentication, and the form in which callers see
// a task. It is plain net/http; where a request came from is lambdahttp's matter.
package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"easel/shared/fault"
)

// RequestIDHeader carries a request's id, in both directions.
const RequestIDHeader = "X-Request-Id"

// exchange is what the middleware keeps of one request. It belongs to the
// goroutine that serves the request.
type exchange struct {
	id     string
	log    *slog.Logger
	caller Caller
	// failed is the error that was answered, for the access log.
	failed error
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{log: slog.Default()}
}

// RequestID returns the id of the request that ctx belongs to, "" outside of [Wrap].
func RequestID(ctx context.Context) string { return exchangeOf(ctx).id }

// HandlerFunc is a handler that may fail. It writes nothing when it returns an
// error before its first byte; [Handler] answers then.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Handler turns f into an http.Handler that answers f's error with [Fail].
func Handler(f HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			Fail(w, r, err)
		}
	})
}

// Wrap gives next what every function has: a request id that is accepted or
// made, security headers, recovery from panics, and one line of access log that
// holds neither query nor body.
func Wrap(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{id: requestID(r), log: log}
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		recorder := &recorder{ResponseWriter: w}
		started := time.Now()
		secure(recorder.Header(), x.id)
		defer func() {
			rescue(recorder, r, x, recover())
			access(r, x, recorder, time.Since(started))
		}()
		next.ServeHTTP(recorder, r)
	})
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9._-]{8,128}$`)

func requestID(r *http.Request) string {
	if id := r.Header.Get(RequestIDHeader); plainID.MatchString(id) {
		return id
	}
	return "req_" + rand.Text()
}

func secure(h http.Header, id string) {
	h.Set(RequestIDHeader, id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Strict-Transport-Security", "max-age=31536000")
	h.Set("Cache-Control", "no-store")
}

// rescue answers a panic like any other internal error, unless the answer has
// begun: then the connection is cut, so that nobody takes half of it for whole.
func rescue(w *recorder, r *http.Request, x *exchange, problem any) {
	if problem == nil {
		return
	}
	if err, ok := problem.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(problem)
	}
	x.log.ErrorContext(r.Context(), "panic", "panic", problem, "stack", string(debug.Stack()), "request_id", x.id)
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	Fail(w, r, fault.New(fault.Internal, "the request could not be completed"))
}

func access(r *http.Request, x *exchange, w *recorder, took time.Duration) {
	level := slog.LevelInfo
	if w.status >= http.StatusInternalServerError && !gaveUp(r) {
		level = slog.LevelError
	}
	attributes := []slog.Attr{
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", w.code()),
		slog.Int64("bytes", w.bytes), slog.Int64("duration_ms", took.Milliseconds()), slog.String("request_id", x.id),
	}
	if x.caller.KeyID != "" {
		attributes = append(attributes, slog.String("key_id", x.caller.KeyID), slog.String("account", x.caller.Account))
	}
	if x.failed != nil {
		attributes = append(attributes, slog.String("code", string(fault.CodeOf(x.failed))))
	}
	x.log.LogAttrs(r.Context(), level, "request", attributes...)
}

// recorder remembers the status and size of an answer, and when it began.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	began  time.Time
}

func (w *recorder) begin(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status, w.began = status, time.Now()
	}
}

func (w *recorder) WriteHeader(status int) {
	w.begin(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the writer below, to flush streams.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// Write answers with v as JSON. It returns the error of encoding, before
// anything is written; an error of the connection is nobody's to handle.
func Write(w http.ResponseWriter, status int, v any) error {
	body, err := marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
	return nil
}

// marshal encodes without escaping HTML: signed URLs stay readable.
func marshal(v any) ([]byte, error) {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}
