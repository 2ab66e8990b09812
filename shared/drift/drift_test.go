package drift_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"easel/shared/credits"
	"easel/shared/drift"
)

// shelf keeps books in order. Money that moves while a book is read shows as a
// book that is right the next time.
type shelf struct {
	books  []drift.Book
	moving map[string]int // how often a book reads wrong
	cursor int
	next   time.Time
	read   []string
}

func (s *shelf) ClaimBooks(_ context.Context, now, until time.Time) (string, bool, time.Time, error) {
	if now.Before(s.next) {
		return "", false, s.next, nil
	}
	s.next = until
	return strconv.Itoa(s.cursor), true, until, nil
}

func (s *shelf) Books(ctx context.Context, cursor string, limit, entries int) ([]drift.Book, string, error) {
	from, _ := strconv.Atoi(cursor)
	to := min(len(s.books), from+limit)
	some := make([]drift.Book, 0, to-from)
	for _, b := range s.books[from:to] {
		b, _ = s.Book(ctx, b.Account, entries)
		some = append(some, b)
	}
	if to == len(s.books) {
		return some, "", nil
	}
	return some, strconv.Itoa(to), nil
}

func (s *shelf) Book(_ context.Context, account string, _ int) (drift.Book, error) {
	s.read = append(s.read, account)
	i := slices.IndexFunc(s.books, func(b drift.Book) bool { return b.Account == account })
	b := s.books[i]
	if s.moving[account] > 0 {
		s.moving[account]--
		b.Sum.Available--
	}
	return b, nil
}

func (s *shelf) SaveBooks(_ context.Context, cursor string, next time.Time) error {
	s.cursor, _ = strconv.Atoi(cursor)
	s.next = next
	return nil
}

func book(n int) drift.Book {
	b := credits.Balance{Granted: 10, Available: 5, Reserved: 2, Spent: 3}
	return drift.Book{Account: "account " + strconv.Itoa(n), Balance: b, Sum: b, Whole: true}
}

type bundle struct {
	*shelf

	at   time.Time
	told []int64
	log  bytes.Buffer
}

func setup(n int) *bundle {
	b := &bundle{shelf: &shelf{moving: map[string]int{}}, at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	for i := range n {
		b.books = append(b.books, book(i))
	}
	return b
}

func (b *bundle) checker() *drift.Checker {
	return drift.New(drift.Parts{
		Store: b.shelf, Checked: func(off int64) { b.told = append(b.told, off) }, Now: func() time.Time { return b.at },
		Log: slog.New(slog.NewTextHandler(&b.log, nil)),
	})
}

func (b *bundle) check(t *testing.T, c *drift.Checker) {
	t.Helper()
	if err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestABookThatDoesNotAddUpIsToldWithItsAccount(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spoil func(b *drift.Book)
		off   int64
	}{
		"right":                           {func(*drift.Book) {}, 0},
		"a credit that nobody was given":  {func(b *drift.Book) { b.Balance.Available++ }, 2},
		"a credit that is spent twice":    {func(b *drift.Book) { b.Balance.Spent += 4; b.Balance.Available -= 4 }, 8},
		"a line that the ledger lacks":    {func(b *drift.Book) { b.Sum = credits.Balance{Granted: 9, Available: 4, Reserved: 2, Spent: 3} }, 2},
		"a part below zero":               {func(b *drift.Book) { b.Balance.Reserved, b.Balance.Available = -1, 8; b.Whole = false }, 1},
		"a ledger that is too long":       {func(b *drift.Book) { b.Sum, b.Whole = credits.Balance{}, false }, 0},
		"a balance without a long ledger": {func(b *drift.Book) { b.Sum, b.Whole = credits.Balance{}, false; b.Balance.Granted += 7 }, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(3)
			test.spoil(&b.books[1])
			b.check(t, b.checker())
			if !slices.Equal(b.told, []int64{test.off}) {
				t.Errorf("told %v, want %d", b.told, test.off)
			}
			if logged := strings.Contains(b.log.String(), `account="account 1"`); logged != (test.off != 0) {
				t.Errorf("logged %q", b.log.String())
			}
		})
	}
}

func TestMoneyThatMovesMeanwhileIsNoDrift(t *testing.T) {
	t.Parallel()
	b := setup(2)
	b.moving["account 0"] = 2
	b.check(t, b.checker())
	if !slices.Equal(b.told, []int64{0}) || b.log.Len() > 0 {
		t.Errorf("told %v, logged %q", b.told, b.log.String())
	}
}

func TestTheCheckComesRoundToEveryAccount(t *testing.T) {
	t.Parallel()
	b := setup(50)
	instances := []*drift.Checker{b.checker(), b.checker()}
	for range 60 { // an hour of ticks
		for _, c := range instances {
			b.check(t, c)
		}
		b.at = b.at.Add(time.Minute)
	}
	if len(b.told) != 6 || len(b.read) != 100 {
		t.Fatalf("%d checks read %d books in an hour, want 6 and 20 each time but where the accounts end", len(b.told), len(b.read))
	}
	for i := range 50 {
		if n := len(slices.DeleteFunc(slices.Clone(b.read), func(a string) bool { return a != "account "+strconv.Itoa(i) })); n != 2 {
			t.Errorf("account %d was read %d times", i, n)
		}
	}
}
