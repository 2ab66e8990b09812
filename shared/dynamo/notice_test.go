package dynamo_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"easel/shared/audit"
	"easel/shared/dynamo"
	"easel/shared/fault"
	"easel/shared/health"
	"easel/shared/journal"
	"easel/shared/notice"
	"easel/shared/task"
)

// TestAnEventIsStoredWithTheChangeItTellsOf has 32 instances that learn of the
// same wrong key at once, and one that looks when the key has been mended.
func TestAnEventIsStoredWithTheChangeItTellsOf(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	wall := newClock(epoch())
	describe := func(_ context.Context, e *health.Event) { e.Label, e.Notify = "Main", true }
	monitors := make([]*health.Monitor, 32)
	for i := range monitors {
		monitors[i] = health.New(store, health.Options{Now: wall.now, Describe: describe})
	}
	instances(len(monitors), func(i int) {
		monitors[i].Report("c", &fault.Failure{Class: fault.ClassAuth}, wall.now())
		if err := monitors[i].Flush(t.Context()); err != nil {
			t.Error(err)
		}
	})
	wall.forward(time.Minute)
	instances(len(monitors), func(i int) {
		if err := monitors[i].Refresh(t.Context()); err != nil {
			t.Error(err)
		}
		if len(monitors[i].Due(wall.now())) == 1 && monitors[i].Enter(t.Context(), "c") {
			monitors[i].Report("c", nil, wall.now())
			if err := monitors[i].Flush(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	wall.forward(time.Minute)
	instances(len(monitors), func(i int) {
		if err := errors.Join(monitors[i].Refresh(t.Context()), monitors[i].Settle(t.Context())); err != nil {
			t.Error(err)
		}
	})
	entries, _, err := store.Audit(t.Context(), audit.Filter{From: epoch().Add(-time.Hour), To: epoch().Add(time.Hour), Action: "breaker."}, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	told := make([]string, 0, len(entries))
	for _, e := range entries {
		told = append(told, e.Action)
		if e.Object.ID != "c" || e.Object.Name != "Main" || e.Actor.Type != "system" {
			t.Errorf("entry %+v", e)
		}
	}
	if want := []string{"breaker.closed", "breaker.half_open", "breaker.held"}; !slices.Equal(told, want) {
		t.Errorf("the trail tells %q, want %q", told, want)
	}
	notices, next, err := store.Notices(t.Context(), "", 100)
	if err != nil || next != "" || len(notices) != 3 {
		t.Fatalf("%d notices, %q, %v", len(notices), next, err)
	}
	if n := notices[2]; n.Type != "breaker.held" || n.Version != 1 || n.ID != entries[2].ID || !strings.Contains(string(n.Data), `"class":"auth"`) {
		t.Errorf("notice %+v", n)
	}
}

func TestAChangeThatIsRefusedLeavesNoEvent(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	record := health.Record{Name: "c", Phase: health.Open, Class: fault.ClassAuth, Since: epoch()}
	event := health.Event{ID: "evt_1", Name: "c", Before: health.StatusClosed, After: health.StatusHeld, At: epoch(), Notify: true}
	stored, ok, err := store.SaveHealth(t.Context(), record, &event)
	if err != nil || !ok || stored.Version != 1 {
		t.Fatalf("%+v, %v, %v", stored, ok, err)
	}
	event.ID = "evt_2"
	stored, ok, err = store.SaveHealth(t.Context(), record, &event)
	if err != nil || ok || stored.Version != 1 || stored.Class != fault.ClassAuth {
		t.Errorf("a stale change came to %+v, %v, %v", stored, ok, err)
	}
	if _, err := store.Notice(t.Context(), "evt_2"); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("its notice: %v", err)
	}
	entries, _, err := store.Audit(t.Context(), audit.Filter{From: epoch().Add(-time.Hour), To: epoch().Add(time.Hour)}, "", 100)
	if err != nil || len(entries) != 1 || entries[0].ID != "evt_1" {
		t.Errorf("%+v, %v", entries, err)
	}
}

func TestNotices(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	ctx := t.Context()
	for i, id := range []string{"evt_1", "evt_2", "evt_3"} {
		n := notice.Notice{ID: id, Type: "breaker.open", At: epoch(), Delivery: task.Delivery{NextAt: epoch().Add(time.Duration(i) * time.Minute)}}
		if err := store.SaveNotice(ctx, n); err != nil {
			t.Fatal(err)
		}
		if err := store.SaveNotice(ctx, n); !errors.Is(err, journal.ErrStale) {
			t.Errorf("a second first version: %v", err)
		}
	}
	due := func(after time.Duration, limit int) []string {
		t.Helper()
		ids, err := store.DueNotices(ctx, epoch().Add(after), limit)
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	if got := due(time.Minute, 10); !slices.Equal(got, []string{"evt_1", "evt_2"}) {
		t.Errorf("due: %v", got)
	}
	if got := due(time.Hour, 2); len(got) != 2 {
		t.Errorf("at most two: %v", got)
	}
	n, err := store.Notice(ctx, "evt_1")
	if err != nil || n.Version != 1 {
		t.Fatalf("%+v, %v", n, err)
	}
	n.Delivery = task.Delivery{Tries: 1, DoneAt: epoch()}
	if err := store.SaveNotice(ctx, n); err != nil {
		t.Fatal(err)
	}
	if got := due(time.Hour, 10); !slices.Equal(got, []string{"evt_2", "evt_3"}) {
		t.Errorf("due after one was delivered: %v", got)
	}
	first, next, err := store.Notices(ctx, "", 2)
	if err != nil || len(first) != 2 || first[0].ID != "evt_3" {
		t.Fatalf("%+v, %v", first, err)
	}
	second, next, err := store.Notices(ctx, next, 2)
	if err != nil || len(second) != 1 || second[0].ID != "evt_1" || second[0].State() != "delivered" || next != "" {
		t.Errorf("%+v, %q, %v", second, next, err)
	}
}
