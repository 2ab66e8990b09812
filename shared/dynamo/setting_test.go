package dynamo_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"easel/shared/audit"
	"easel/shared/dynamo"
	"easel/shared/endpoint"
	"easel/shared/journal"
	"easel/shared/settings"
)

func TestSettingsAreCommittedByVersion(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	if s, err := store.Setting(t.Context(), "moderation"); err != nil || s.Version != 0 || s.Value != nil {
		t.Fatalf("nobody wrote it: %+v, %v", s, err)
	}
	put := func(id, value string, expect int64) error {
		return store.Commit(t.Context(), audit.Change{
			Entry:    audit.Entry{ID: id, At: time.Now(), Action: "settings.moderation"},
			Settings: []audit.SettingWrite{{Setting: settings.Setting{Name: "moderation", Value: json.RawMessage(value)}, Expect: expect}},
		})
	}
	must(t, put("a", `{"max_characters":1}`, 0))
	wantStale(t, put("b", `{}`, 0))
	wantStale(t, put("c", `{}`, 2))
	must(t, put("d", `{"max_characters":2}`, 1))
	if s, err := store.Setting(t.Context(), "moderation"); err != nil || s.Version != 2 || string(s.Value) != `{"max_characters":2}` {
		t.Errorf("stored is %+v, %v", s, err)
	}
	wantCatalogVersion(t, store, 2) // so that caches notice, and what was refused was not counted
	trail, _, err := store.Audit(t.Context(), audit.Filter{}, "", 10)
	if err != nil || len(trail) != 2 {
		t.Errorf("the trail has %d entries, %v; want those of the two writes", len(trail), err)
	}
}

func TestEndpointsAreReplacedByVersion(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	b, err := store.Endpoints(t.Context(), "ann")
	if err != nil || b.Version != 0 || b.Account != "ann" {
		t.Fatalf("nobody wrote it: %+v, %v", b, err)
	}
	b = b.GaveUp("https://example.com/hook", "task_1", time.Now())
	must(t, store.PutEndpoints(t.Context(), b, 0))
	wantStale(t, store.PutEndpoints(t.Context(), b, 0))
	must(t, store.PutEndpoints(t.Context(), b.GaveUp("https://example.com/hook", "task_2", time.Now()), 1))
	if b, err = store.Endpoints(t.Context(), "ann"); err != nil || b.Version != 2 || len(b.Places["example.com/hook"].Failed) != 2 {
		t.Errorf("stored is %+v, %v", b, err)
	}
	if b, err = store.Endpoints(t.Context(), "bob"); err != nil || b.Version != 0 || len(b.Places) != 0 {
		t.Errorf("another account's are %+v, %v", b, err)
	}
	if err := store.PutEndpoints(t.Context(), endpoint.Book{}, 0); err == nil || errors.Is(err, journal.ErrStale) {
		t.Errorf("a book of nobody: %v", err)
	}
}
