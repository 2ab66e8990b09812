package notice_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"easel/shared/endpoint"
	"easel/shared/env"
	"easel/shared/journal"
	"easel/shared/notice"
	"easel/shared/secret"
	"easel/shared/secrets"
	"easel/shared/task"
	"easel/shared/webhook"
)

// world is a courier with an endpoint that answers with a status.
type world struct {
	at      time.Time
	status  int
	got     []*http.Request
	bodies  []string
	sent    []time.Duration
	config  notice.Config
	key     secret.Value
	courier *notice.Courier

	mu      sync.Mutex
	notices map[string]notice.Notice
	book    endpoint.Book
}

func setup(t *testing.T) *world {
	t.Helper()
	w := &world{
		at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), status: http.StatusNoContent, key: webhook.NewSecret(),
		notices: map[string]notice.Notice{}, book: endpoint.Book{Account: notice.Operator},
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.got, w.bodies = append(w.got, r), append(w.bodies, string(body))
		rw.WriteHeader(w.status)
	}))
	t.Cleanup(server.Close)
	w.config.URL = server.URL + "/ops?token=secret"
	now := func() time.Time { return w.at }
	w.courier = &notice.Courier{Parts: notice.Parts{
		Store:     w,
		Endpoints: &endpoint.Registry{Store: w, Secrets: keys{w}, Now: now, NewID: func(p string) string { return p + "1" }},
		Config:    func(context.Context) (notice.Config, error) { return w.config, nil },
		Client:    server.Client(), Queue: w,
		Retry: func(tries int) (time.Duration, bool) { return 5 * time.Second, tries < 3 },
		Now:   now, Log: slog.New(slog.DiscardHandler),
	}}
	return w
}

func (w *world) Send(_ context.Context, _ []byte, delay time.Duration) error {
	w.sent = append(w.sent, delay)
	return nil
}

func (w *world) Notice(_ context.Context, id string) (notice.Notice, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.notices[id]
	if !ok {
		return n, journal.ErrNotFound
	}
	return n, nil
}

func (w *world) SaveNotice(_ context.Context, n notice.Notice) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.notices[n.ID].Version != n.Version {
		return journal.ErrStale
	}
	n.Version++
	w.notices[n.ID] = n
	return nil
}

func (w *world) DueNotices(_ context.Context, now time.Time, _ int) ([]string, error) {
	var ids []string
	for id, n := range w.notices {
		if next := n.Delivery.NextAt; !next.IsZero() && !next.After(now) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (w *world) Endpoints(context.Context, string) (endpoint.Book, error) { return w.book, nil }

func (w *world) PutEndpoints(_ context.Context, b endpoint.Book, _ int64) error {
	w.book = b
	return nil
}

// keys holds the deployment's secret alone.
type keys struct{ *world }

func (k keys) Get(_ context.Context, name string) (secret.Value, error) {
	if name != env.WebhookSecret {
		return secret.Value{}, secrets.ErrNotFound
	}
	return k.key, nil
}
func (keys) Put(context.Context, string, secret.Value) error { return nil }
func (keys) Delete(context.Context, string) error            { return nil }

func (w *world) add(t *testing.T, id string) {
	t.Helper()
	n := notice.Notice{
		ID: id, Type: "breaker.held", At: w.at, Data: json.RawMessage(`{"breaker":"held"}`), Delivery: task.Delivery{NextAt: w.at},
	}
	if err := w.SaveNotice(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

func (w *world) deliver(t *testing.T) notice.Notice {
	t.Helper()
	if err := w.courier.Deliver(t.Context(), "evt_1"); err != nil {
		t.Fatal(err)
	}
	return w.notices["evt_1"]
}

func TestANoticeIsSignedAndSentOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.add(t, "evt_1")
	for range 2 {
		if n := w.deliver(t); n.State() != "delivered" || n.Delivery.Status != http.StatusNoContent || len(n.Delivery.Log) != 1 {
			t.Fatalf("%+v", n)
		}
	}
	if len(w.got) != 1 {
		t.Fatalf("sent %d times", len(w.got))
	}
	if err := webhook.Verify(w.key, w.got[0].Header.Get, []byte(w.bodies[0]), w.at); err != nil {
		t.Error(err)
	}
	if id := w.got[0].Header.Get(webhook.HeaderID); id != "evt_1" {
		t.Errorf("id %q", id)
	}
	if w.bodies[0] != `{"type":"breaker.held","timestamp":"2026-11-22T12:00:00Z","data":{"breaker":"held"}}` {
		t.Error(w.bodies[0])
	}
}

func TestANoticeIsTriedAgainUntilItIsGivenUp(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.status = http.StatusInternalServerError
	w.add(t, "evt_1")
	for i := range 3 {
		n := w.deliver(t)
		if want := map[bool]string{true: "pending", false: "failed"}[i < 2]; n.State() != want || n.Delivery.Tries != i+1 {
			t.Fatalf("after try %d: %s, %+v", i+1, n.State(), n.Delivery)
		}
		if w.deliver(t); len(w.got) != i+1 {
			t.Fatal("it was sent before it was due")
		}
		w.at = w.at.Add(5 * time.Second)
	}
	if len(w.sent) != 2 || w.sent[0] != 5*time.Second {
		t.Errorf("messages with the delays %v", w.sent)
	}
	if d := w.notices["evt_1"].Delivery; strings.Contains(d.Error, "secret") || d.Error != "the endpoint answered 500" {
		t.Errorf("the log says %q", d.Error)
	}
	if failed := w.book.Places[endpoint.Where(w.config.URL)].Failed; len(failed) != 1 {
		t.Errorf("the endpoint's book has %v", failed)
	}
}

func TestADeadEndpointGetsNoMore(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, id := range []string{"1", "2", "3", "4", "5"} {
		w.book = w.book.GaveUp(w.config.URL, id, w.at)
	}
	w.add(t, "evt_1")
	if n := w.deliver(t); n.State() != "failed" || len(w.got) != 0 || !strings.Contains(n.Delivery.Error, "disabled") {
		t.Errorf("%+v, sent %d times", n, len(w.got))
	}
}

func TestWithoutAnEndpointNothingIsSent(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.add(t, "evt_1")
	w.config.URL = ""
	if n := w.deliver(t); n.State() != "failed" || len(w.got) != 0 || len(w.book.Places) != 0 {
		t.Errorf("%+v, sent %d times", n, len(w.got))
	}
	if err := w.courier.Deliver(t.Context(), "evt_unknown"); err != nil {
		t.Error(err)
	}
}

func TestTheSweepFindsWhatWasLost(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.add(t, "evt_1")
	w.deliver(t)
	w.add(t, "evt_2")
	if err := w.courier.Sweep(t.Context()); err != nil || len(w.sent) != 1 {
		t.Errorf("%v, %d messages", err, len(w.sent))
	}
}

func TestOtherMessagesGoOn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.add(t, "evt_1")
	var passed []string
	handle := w.courier.Handle(func(_ context.Context, body []byte) error {
		passed = append(passed, string(body))
		return errors.New("theirs")
	})
	for _, body := range []string{`{"task":"task_1"}`, `not JSON`} {
		if handle(t.Context(), []byte(body)) == nil {
			t.Errorf("the error of %s was lost", body)
		}
	}
	if err := handle(t.Context(), []byte(`{"notice":"evt_1"}`)); err != nil || len(w.got) != 1 || len(passed) != 2 {
		t.Errorf("%v, sent %d times, passed on %q", err, len(w.got), passed)
	}
}

func TestWhereNoticesMayGo(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{"": true, "https://ops.example/hook": true, "ops.example": false, "ftp://ops.example": false, "https://": false} {
		if err := (notice.Config{URL: url}).Validate(); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
}
