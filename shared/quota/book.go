package quota

import (
	"context"
	"errors"
	"fmt"
	"time"

	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/journal"
	"easel/shared/task"
)

// Accounts reads accounts, as of a few seconds ago at most: *preference.Book is the
// one. Account returns journal.ErrNotFound for one that does not exist.
type Accounts interface {
	Account(ctx context.Context, id string) (credits.Account, error)
}

// Counters reads where limits stand; *dynamo.Store is the one.
type Counters interface {
	QuotaUse(ctx context.Context, account, month string, counters []string) ([]int64, error)
}

// Book says which limits apply, and how far they are used. It is safe for
// concurrent use.
type Book struct {
	accounts Accounts
	counters Counters
	now      func() time.Time
}

// NewBook returns a book. It asks accounts for every task that costs credits: give
// it one that remembers.
func NewBook(accounts Accounts, counters Counters, now func() time.Time) *Book {
	return &Book{accounts: accounts, counters: counters, now: now}
}

// Limits returns the monthly limits that a task at this price counts against,
// none held yet.
func (b *Book) Limits(ctx context.Context, account, user string, m catalog.Model, price int64) ([]task.Quota, error) {
	var limits []task.Quota
	if q, ok := ofModel(m, user, b.now()); ok {
		limits = append(limits, q)
	}
	if price <= 0 {
		return limits, nil
	}
	monthly, err := b.monthly(ctx, account)
	if err != nil {
		return nil, err
	}
	if q, ok := ofAccount(monthly, b.now()); ok {
		limits = append(limits, q)
	}
	return limits, nil
}

// monthly returns the account's limit; one that does not exist has none, and
// cannot pay anyway.
func (b *Book) monthly(ctx context.Context, account string) (int64, error) {
	a, err := b.accounts.Account(ctx, account)
	if errors.Is(err, journal.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the monthly limit of an account: %w", err)
	}
	return a.MonthlyQuota, nil
}

// Report is how far the monthly limits of an account and one of its users are used.
type Report struct {
	// Month is the current one, which ends at ResetsAt.
	Month    string    `json:"month"`
	ResetsAt time.Time `json:"resets_at"`
	Limits   []Use     `json:"limits"`
}

// Use is one limit and how much of it is used.
type Use struct {
	// Unit is "credits" for the account's own limit, "tasks" for a model's.
	Unit task.QuotaUnit `json:"unit"`
	// Model is the limited model, "" for the account's own limit.
	Model string `json:"model,omitempty"`
	// User is whose tasks are counted, "" for those that name no user.
	User  string `json:"user,omitempty"`
	Limit int64  `json:"limit"`
	Used  int64  `json:"used"`
	// Left is what new tasks may still take, never below 0.
	Left int64 `json:"left"`
}

// Report returns the use of every limit that the account and the user have among
// the models, the account's own first.
func (b *Book) Report(ctx context.Context, a credits.Account, user string, models []catalog.Model) (Report, error) {
	now := b.now()
	report := Report{Month: MonthOf(now), ResetsAt: ResetsAt(now), Limits: []Use{}}
	var counters []string
	add := func(q task.Quota, u Use) {
		u.Unit, u.Limit = q.Unit, q.Limit
		counters, report.Limits = append(counters, q.Counter), append(report.Limits, u)
	}
	if q, ok := ofAccount(a.MonthlyQuota, now); ok {
		add(q, Use{})
	}
	for _, m := range models {
		if q, ok := ofModel(m, user, now); ok {
			add(q, Use{Model: m.Name, User: user})
		}
	}
	used, err := b.counters.QuotaUse(ctx, a.ID, report.Month, counters)
	if err != nil {
		return report, fmt.Errorf("read monthly limits: %w", err)
	}
	for i := range report.Limits {
		u := &report.Limits[i]
		u.Used, u.Left = used[i], max(0, u.Limit-used[i])
	}
	return report, nil
}
