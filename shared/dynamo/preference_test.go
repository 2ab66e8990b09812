package dynamo_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"easel/shared/audit"
	"easel/shared/credits"
	"easel/shared/dynamo"
	"easel/shared/journal"
	"easel/shared/preference"
)

func TestPreferencesAreReplacedByVersion(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	must(t, store.CreateAccount(t.Context(), credits.Account{ID: "ann", MonthlyQuota: 5, CreatedAt: epoch()}))
	if r, err := store.Preferences(t.Context(), "ann"); err != nil || r != (preference.Record{}) {
		t.Fatalf("nobody wrote it: %+v, %v", r, err)
	}
	if p, err := store.Profile(t.Context(), "ann"); err != nil || p.Set != (preference.Set{}) || p.Account.MonthlyQuota != 5 {
		t.Fatalf("profile %+v, %v", p, err)
	}
	must(t, store.PutPreferences(t.Context(), "ann", preference.Set{Language: "ja"}, 0))
	wantStale(t, store.PutPreferences(t.Context(), "ann", preference.Set{}, 0))
	commit := func(id string, expect int64) error {
		return store.Commit(t.Context(), audit.Change{
			Entry:       audit.Entry{ID: id, At: time.Now(), Action: "account.preferences"},
			Preferences: []audit.PreferenceWrite{{Account: "ann", Set: preference.Set{Language: "zh"}, Expect: expect}},
		})
	}
	wantStale(t, commit("a", 2))
	must(t, commit("b", 1))
	if r, err := store.Preferences(t.Context(), "ann"); err != nil || r.Version != 2 || r.Language != "zh" {
		t.Errorf("stored is %+v, %v", r, err)
	}
	if p, err := store.Profile(t.Context(), "ann"); err != nil || p.Set.Language != "zh" || p.Account.ID != "ann" {
		t.Errorf("profile %+v, %v", p, err)
	}
	must(t, store.PutPreferences(t.Context(), "nobody", preference.Set{Language: "zh"}, 0))
	if _, err := store.Profile(t.Context(), "nobody"); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("the profile of no account: %v", err)
	}
	if err := store.PutPreferences(t.Context(), "", preference.Set{}, 0); err == nil || errors.Is(err, journal.ErrStale) {
		t.Errorf("preferences of nobody: %v", err)
	}
}

// TestAProfileCostsWhatAnAccountDoes holds that preferences make no request dearer:
// neither its reading of the account nor the writes of the balance.
func TestAProfileCostsWhatAnAccountDoes(t *testing.T) {
	t.Parallel()
	counter := &dynamo.Counter{}
	store := newStore(t, dynamo.Options{Counter: counter})
	fund(t, store, 100)
	must(t, store.PutPreferences(t.Context(), "acct_1", preference.Set{Language: "zh", CallbackURL: "https://example.com/done"}, 0))
	for _, step := range []struct {
		name  string
		do    func() error
		calls map[string]int
		units float64
	}{
		{"profile", func() error { _, err := store.Profile(t.Context(), "acct_1"); return err }, map[string]int{"Query": 1}, 1},
		{"preferences", func() error { _, err := store.Preferences(t.Context(), "acct_1"); return err }, map[string]int{"GetItem": 1}, 1},
		{"change", func() error { return store.PutPreferences(t.Context(), "acct_1", preference.Set{}, 1) }, map[string]int{"PutItem": 1}, 1},
		{"hold", func() error { return store.Apply(t.Context(), hold(newTask("task_1"))) }, map[string]int{"TransactWriteItems": 1}, 9},
	} {
		counter.Reset()
		must(t, step.do())
		if got := counter.Calls(); !maps.Equal(got, step.calls) || counter.Units() != step.units {
			t.Errorf("%s made the calls %v for %g units, want %v for %g", step.name, got, counter.Units(), step.calls, step.units)
		}
	}
}
