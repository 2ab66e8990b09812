package quota_test

import (
	"errors"
	"testing"
	"time"

	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/lifecycle"
	"easel/shared/quota"
	"easel/shared/storetest"
	"easel/shared/task"
)

// bundle is an engine and a book over one store in memory.
type bundle struct {
	store  *storetest.Memory
	engine *lifecycle.Engine
	book   *quota.Book
	model  catalog.Model
	now    time.Time
	ids    int
}

func setup(t *testing.T, monthlyCredits int64) *bundle {
	t.Helper()
	b := &bundle{
		store: &storetest.Memory{}, now: time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC),
		model: catalog.Model{Name: "free", Kind: generation.Image, MonthlyPerUser: 2},
	}
	clock := func() time.Time { return b.now }
	b.book = quota.NewBook(b.store, b.store, clock)
	b.engine = lifecycle.NewEngine(b.store, clock, func(prefix string) string {
		b.ids++
		return prefix + string(rune('a'+b.ids))
	})
	err := errors.Join(
		b.store.CreateAccount(t.Context(), credits.Account{ID: "acct", MonthlyQuota: monthlyCredits, CreatedAt: b.now}),
		b.store.Post(t.Context(), credits.ForGrant("acct", "start", 1000, "", "test", b.now)),
	)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// begin begins a task of the user at the price.
func (b *bundle) begin(t *testing.T, user string, price int64, key string) (task.Task, error) {
	t.Helper()
	limits, err := b.book.Limits(t.Context(), "acct", user, b.model, price)
	if err != nil {
		t.Fatal(err)
	}
	began, _, err := b.engine.Begin(t.Context(), lifecycle.Order{
		Account: "acct", User: user, Request: generation.Request{Kind: generation.Image, Model: b.model.Name},
		Quote: catalog.Quote{Credits: price}, Quotas: limits, IdempotencyKey: key, Hash: "h",
	})
	return began, err
}

func (b *bundle) mustBegin(t *testing.T, user string, price int64) task.Task {
	t.Helper()
	began, err := b.begin(t, user, price, "")
	if err != nil {
		t.Fatal(err)
	}
	return began
}

// used returns what is counted: the account's credits and ann's tasks of the model.
func (b *bundle) used(t *testing.T) (spent, tasks int64) {
	t.Helper()
	account, err := b.store.Account(t.Context(), "acct")
	if err != nil {
		t.Fatal(err)
	}
	report, err := b.book.Report(t.Context(), account, "ann", []catalog.Model{b.model})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range report.Limits {
		if u.Unit == task.QuotaCredits {
			spent = u.Used
		} else {
			tasks = u.Used
		}
	}
	return spent, tasks
}

func TestAModelsLimitHoldsPerUserAndMonth(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	b.mustBegin(t, "ann", 0)
	b.mustBegin(t, "ann", 0)
	_, err := b.begin(t, "ann", 0, "")
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Code != fault.QuotaExceeded || e.RetryAfter != time.Hour {
		t.Fatalf("error = %v, want the quota exceeded for an hour", err)
	}
	if e.Details["limit"] != int64(2) || e.Details["used"] != int64(2) || e.Details["resets_at"] != "2026-12-01T00:00:00Z" {
		t.Errorf("details = %v", e.Details)
	}
	b.mustBegin(t, "bob", 0)
	b.now = b.now.Add(time.Hour)
	b.mustBegin(t, "ann", 0)
	if _, tasks := b.used(t); tasks != 1 {
		t.Errorf("%d are counted in the new month, want 1", tasks)
	}
}

func TestARepeatIsNotCountedAndWorksWhenTheMonthIsUsedUp(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	first, err := b.begin(t, "ann", 0, "key")
	if err != nil {
		t.Fatal(err)
	}
	b.mustBegin(t, "ann", 0)
	again, err := b.begin(t, "ann", 0, "key")
	if err != nil || again.ID != first.ID {
		t.Fatalf("the repeat is %s, %v; want %s", again.ID, err, first.ID)
	}
	if _, tasks := b.used(t); tasks != 2 {
		t.Errorf("%d are counted, want 2", tasks)
	}
}

func TestWhatEndsWithoutAChargeGivesItsCountBackOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		end  func(t *testing.T, b *bundle, began task.Task) (task.Task, error)
	}{
		{"failed", func(t *testing.T, b *bundle, began task.Task) (task.Task, error) {
			t.Helper()
			return b.engine.Fail(t.Context(), began, task.Error{Code: fault.ProviderFailed})
		}},
		{"canceled", func(t *testing.T, b *bundle, began task.Task) (task.Task, error) {
			t.Helper()
			return b.engine.Cancel(t.Context(), began)
		}},
		{"expired in another month", func(t *testing.T, b *bundle, began task.Task) (task.Task, error) {
			t.Helper()
			b.now = b.now.Add(48 * time.Hour)
			defer func() { b.now = b.now.Add(-48 * time.Hour) }()
			return b.engine.Expire(t.Context(), began)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 100)
			began := b.mustBegin(t, "ann", 10)
			if spent, tasks := b.used(t); spent != 10 || tasks != 1 {
				t.Fatalf("begun, %d credits and %d tasks are counted; want 10 and 1", spent, tasks)
			}
			ended, err := tt.end(t, b, began)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = tt.end(t, b, began) // late, on what it read before
			_, _ = tt.end(t, b, ended)
			if spent, tasks := b.used(t); spent != 0 || tasks != 0 {
				t.Errorf("%d credits and %d tasks are counted, want none", spent, tasks)
			}
		})
	}
}

func TestCreditsAreCountedAsTheyAreCharged(t *testing.T) {
	t.Parallel()
	b := setup(t, 25)
	began := b.mustBegin(t, "ann", 20)
	if _, err := b.begin(t, "bob", 6, ""); fault.CodeOf(err) != fault.QuotaExceeded {
		t.Fatalf("error = %v, want the quota exceeded", err)
	}
	began, err := b.engine.Start(t.Context(), began, lifecycle.Start{Owner: "me", Timeout: time.Minute, Config: "c", Provider: "p"})
	if err != nil {
		t.Fatal(err)
	}
	charge := int64(15)
	if _, err := b.engine.Finish(t.Context(), began, began.Attempts[0].ID, lifecycle.Delivery{Charge: &charge}); err != nil {
		t.Fatal(err)
	}
	if spent, tasks := b.used(t); spent != 15 || tasks != 1 {
		t.Errorf("%d credits and %d tasks are counted, want 15 and 1", spent, tasks)
	}
	b.mustBegin(t, "bob", 10)
	if _, err := b.begin(t, "cyd", 1, ""); fault.CodeOf(err) != fault.QuotaExceeded {
		t.Errorf("error = %v, want the quota exceeded", err)
	}
}

func TestALateSuccessIsCountedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, 20)
	began := b.mustBegin(t, "ann", 20)
	began, err := b.engine.Start(t.Context(), began, lifecycle.Start{Owner: "me", Timeout: time.Minute, Config: "c", Provider: "p"})
	if err != nil {
		t.Fatal(err)
	}
	start := b.now
	b.now = began.ExpiresAt.Add(time.Minute)
	expired, err := b.engine.Expire(t.Context(), began)
	if err != nil {
		t.Fatal(err)
	}
	b.now = start
	b.mustBegin(t, "bob", 20) // takes what the first gave back
	charge := int64(20)
	if _, err := b.engine.Finish(t.Context(), expired, expired.Attempts[0].ID, lifecycle.Delivery{Charge: &charge}); err != nil {
		t.Fatal(err)
	}
	if spent, _ := b.used(t); spent != 40 {
		t.Errorf("%d credits are counted, want 40: both were delivered or may be", spent)
	}
}
