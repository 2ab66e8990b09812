package dynamo_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"easel/shared/apikey"
	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/dynamo"
	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/settings"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	_, err := store.Key(t.Context(), "nobody")
	if !errors.Is(err, journal.ErrNotFound) {
		t.Fatalf("got %v, want ErrNotFound", err)
	}
	for i := range 5 {
		must(t, store.PutKey(t.Context(), apikey.Key{
			ID: fmt.Sprintf("key%d", i), Account: fmt.Sprintf("acct_%d", i%2), Scopes: []apikey.Scope{apikey.Generate},
			Hash: "00", CreatedAt: epoch().Add(time.Duration(i) * time.Second), Version: 99,
		}, 0))
	}
	k, err := store.Key(t.Context(), "key3")
	must(t, err)
	if k.Version != 1 || k.Account != "acct_1" || !k.Has(apikey.Generate) {
		t.Errorf("got %+v", k)
	}
	k.RevokedAt = epoch()
	wantStale(t, store.PutKey(t.Context(), k, 0))
	wantStale(t, store.PutKey(t.Context(), k, 2))
	must(t, store.PutKey(t.Context(), k, 1))
	wantStale(t, store.PutKey(t.Context(), k, 1))
	if k, err = store.Key(t.Context(), "key3"); err != nil || k.Version != 2 || k.RevokedAt.IsZero() {
		t.Errorf("got %+v, %v", k, err)
	}

	all := pages(t, 2, func(cursor string, limit int) ([]apikey.Key, string, error) {
		return store.Keys(t.Context(), cursor, limit)
	})
	wantIDs(t, all, func(k apikey.Key) string { return k.ID }, "key4", "key3", "key2", "key1", "key0")
	own := pages(t, 2, func(cursor string, limit int) ([]apikey.Key, string, error) {
		return store.KeysByAccount(t.Context(), "acct_0", cursor, limit)
	})
	wantIDs(t, own, func(k apikey.Key) string { return k.ID }, "key4", "key2", "key0")
}

func TestConfigs(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	wantCatalogVersion(t, store, 0)
	if all, err := store.Configs(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("got %v, %v", all, err)
	}
	if _, err := store.Config(t.Context(), "cfg_1"); !errors.Is(err, journal.ErrNotFound) {
		t.Fatalf("got %v, want ErrNotFound", err)
	}
	for _, id := range []string{"cfg_2", "cfg_1"} {
		must(t, store.PutConfig(t.Context(), settings.Config{ID: id, Name: id, Kind: "image", Data: []byte(`{"a":[1]}`)}, 0))
	}
	wantCatalogVersion(t, store, 2)
	c, err := store.Config(t.Context(), "cfg_1")
	if err != nil || c.Version != 1 || string(c.Data) != `{"a":[1]}` {
		t.Fatalf("got %+v, %v", c, err)
	}
	c.Name = "renamed"
	wantStale(t, store.PutConfig(t.Context(), c, 0))
	wantStale(t, store.PutConfig(t.Context(), c, 7))
	wantStale(t, store.DeleteConfig(t.Context(), "cfg_1", 7))
	wantCatalogVersion(t, store, 2) // what was refused was not counted
	must(t, store.PutConfig(t.Context(), c, 1))
	all, err := store.Configs(t.Context())
	must(t, err)
	wantIDs(t, all, func(c settings.Config) string { return fmt.Sprint(c.ID, " ", c.Name, " ", c.Version) }, "cfg_1 renamed 2", "cfg_2 cfg_2 1")
	must(t, store.DeleteConfig(t.Context(), "cfg_1", 2))
	wantStale(t, store.DeleteConfig(t.Context(), "cfg_1", 2))
	wantCatalogVersion(t, store, 4)
	all, err = store.Configs(t.Context())
	must(t, err)
	wantIDs(t, all, func(c settings.Config) string { return c.ID }, "cfg_2")
}

func TestModels(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	must(t, store.PutConfig(t.Context(), settings.Config{ID: "cfg_1"}, 0))
	for _, name := range []string{"b", "a", "b"} {
		must(t, store.PutModel(t.Context(), catalog.Model{Name: name, Kind: "image", Auto: true}))
	}
	all, err := store.Models(t.Context())
	must(t, err)
	wantIDs(t, all, func(m catalog.Model) string { return m.Name }, "a", "b")
	wantCatalogVersion(t, store, 4)
	must(t, store.DeleteModel(t.Context(), "a"))
	if err := store.DeleteModel(t.Context(), "a"); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	wantCatalogVersion(t, store, 5)
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	for i := range 5 {
		must(t, store.CreateAccount(t.Context(), credits.Account{
			ID: fmt.Sprintf("acct_%d", i), CreatedAt: epoch().Add(time.Duration(i) * time.Hour),
		}))
	}
	must(t, store.Post(t.Context(), credits.ForGrant("acct_3", "1", 7, "", "", epoch())))
	all := pages(t, 2, func(cursor string, limit int) ([]credits.Account, string, error) {
		return store.Accounts(t.Context(), cursor, limit)
	})
	wantIDs(t, all, func(a credits.Account) string { return fmt.Sprint(a.ID, " ", a.Balance.Available) },
		"acct_4 0", "acct_3 7", "acct_2 0", "acct_1 0", "acct_0 0")
}

func TestAmountsCannotOverflow(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	fund(t, store, 1<<60-1)
	wantCode(t, store.Post(t.Context(), credits.ForGrant("acct_1", "2", 1, "", "", epoch())), fault.Conflict)
	wantCode(t, store.Post(t.Context(), credits.ForGrant("acct_1", "2", 1<<62, "", "", epoch())), fault.InvalidInput)
}

func wantStale(t *testing.T, err error) {
	t.Helper()
	wantCode(t, err, fault.StaleVersion)
	if !errors.Is(err, journal.ErrStale) {
		t.Fatalf("%v does not match journal.ErrStale", err)
	}
}

func wantCatalogVersion(t *testing.T, s *dynamo.Store, want int64) {
	t.Helper()
	got, err := s.CatalogVersion(t.Context())
	must(t, err)
	if got != want {
		t.Fatalf("got catalog version %d, want %d", got, want)
	}
}

// pages reads every page and checks that none but the last is short.
func pages[T any](t *testing.T, limit int, page func(cursor string, limit int) ([]T, string, error)) []T {
	t.Helper()
	var all []T
	for cursor := ""; ; {
		rows, next, err := page(cursor, limit)
		must(t, err)
		if len(rows) > limit || (next != "" && len(rows) < limit) || (next == "" && len(rows) == 0 && len(all) > 0) {
			t.Fatalf("got a page of %d rows after %d, with the cursor %q", len(rows), len(all), next)
		}
		all = append(all, rows...)
		if next == "" {
			return all
		}
		cursor = next
	}
}

func wantIDs[T any](t *testing.T, rows []T, id func(T) string, want ...string) {
	t.Helper()
	got := make([]string, 0, len(rows))
	for _, row := range rows {
		got = append(got, id(row))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}
