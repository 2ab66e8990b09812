package httpapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"easel/shared/httpapi"
)

func TestObservations(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		serve http.HandlerFunc
		want  httpapi.Observation
	}{
		"a stream is timed to its first byte": {func(w http.ResponseWriter, _ *http.Request) {
			<-time.After(2 * time.Second)
			_, _ = w.Write([]byte("a"))
			<-time.After(time.Minute)
			_, _ = w.Write([]byte("b"))
		}, httpapi.Observation{Status: http.StatusOK, Took: 2 * time.Second}},
		"an empty answer is timed to its end": {func(http.ResponseWriter, *http.Request) {
			<-time.After(3 * time.Second)
		}, httpapi.Observation{Status: http.StatusOK, Took: 3 * time.Second}},
		"a status is the first one": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusAccepted)
		}, httpapi.Observation{Status: http.StatusAccepted}},
		"a handler that breaks off is a server error": {func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}, httpapi.Observation{Status: http.StatusInternalServerError}},
		"a panic is answered first": {httpapi.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			panic("oh")
		}), slog.New(slog.DiscardHandler)).ServeHTTP, httpapi.Observation{Status: http.StatusInternalServerError}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got []httpapi.Observation
				h := httpapi.Observe(test.serve, func(o httpapi.Observation) { got = append(got, o) })
				func() {
					defer func() { _ = recover() }()
					h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
				}()
				if len(got) != 1 || got[0].Status != test.want.Status || got[0].Took != test.want.Took || got[0].GaveUp {
					t.Errorf("observed %+v", got)
				}
			})
		})
	}
}

func TestACallerThatWentIsObserved(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var got httpapi.Observation
	h := httpapi.Observe(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel() }), func(o httpapi.Observation) { got = o })
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	if !got.GaveUp {
		t.Error("not noticed")
	}
}
