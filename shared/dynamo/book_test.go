package dynamo_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"easel/shared/credits"
	"easel/shared/dynamo"
)

func TestBooksAreReadWithTheirLedgers(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	ctx := t.Context()
	for _, id := range []string{"a", "b", "c"} {
		if err := store.CreateAccount(ctx, credits.Account{ID: id, CreatedAt: epoch()}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		if err := store.Post(ctx, credits.ForGrant("b", strconv.Itoa(i), 10, "", "", epoch())); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Post(ctx, credits.ForAdjust("b", "x", -5, "", "", epoch())); err != nil {
		t.Fatal(err)
	}
	b, err := store.Book(ctx, "b", 4)
	want := credits.Balance{Granted: 25, Available: 25}
	if err != nil || b.Balance != want || b.Sum != want || !b.Whole || b.Off() != 0 {
		t.Errorf("book %+v, %v", b, err)
	}
	if b, err := store.Book(ctx, "b", 3); err != nil || b.Balance != want || b.Whole || b.Off() != 0 {
		t.Errorf("a ledger that is too long: %+v, %v", b, err)
	}
	var ids []string
	for cursor, n := "", 0; n == 0 || cursor != ""; n++ {
		books, next, err := store.Books(ctx, cursor, 2, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range books {
			ids = append(ids, b.Account)
		}
		cursor = next
	}
	if !slices.Equal(ids, []string{"a", "b", "c"}) {
		t.Errorf("books of %v", ids)
	}
}

func TestOneProcessChecksBooksAtATime(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	ctx := t.Context()
	cursor, ok, _, err := store.ClaimBooks(ctx, epoch(), epoch().Add(time.Minute))
	if err != nil || !ok || cursor != "" {
		t.Fatalf("%q, %v, %v", cursor, ok, err)
	}
	if _, ok, next, err := store.ClaimBooks(ctx, epoch(), epoch().Add(time.Hour)); err != nil || ok || !next.Equal(epoch().Add(time.Minute)) {
		t.Errorf("a second claim: %v, %v, %v", ok, next, err)
	}
	if err := store.SaveBooks(ctx, "here", epoch().Add(10*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if cursor, ok, _, err := store.ClaimBooks(ctx, epoch().Add(10*time.Minute), epoch().Add(time.Hour)); err != nil || !ok || cursor != "here" {
		t.Errorf("the next check: %q, %v, %v", cursor, ok, err)
	}
}
