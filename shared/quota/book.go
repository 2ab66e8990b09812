package quota

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/journal"
	"easel/shared/task"
)

// Store reads accounts and counters; *dynamo.Store is the one. Account returns
// journal.ErrNotFound for one that does not exist.
type Store interface {
	Account(ctx context.Context, id string) (credits.Account, error)
	QuotaUse(ctx context.Context, account, month string, counters []string) ([]int64, error)
}

const (
	// accountTTL is how long a changed limit of an account may take to be noticed.
	accountTTL = 10 * time.Second
	// maxAccounts bounds the memory of a process that serves very many accounts.
	maxAccounts = 10_000
)

// Book says which limits apply, and how far they are used. It remembers an
// account's limit for ten seconds. It is safe for concurrent use.
type Book struct {
	store Store
	now   func() time.Time

	mu       sync.Mutex
	accounts map[string]remembered
}

type remembered struct {
	monthly int64
	at      time.Time
}

// NewBook returns a book over the store.
func NewBook(store Store, now func() time.Time) *Book {
	return &Book{store: store, now: now, accounts: map[string]remembered{}}
}

// Limits returns the monthly limits that a task at this price counts against,
// none held yet. It asks the store only for an account that it does not remember.
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
	now := b.now()
	b.mu.Lock()
	known, ok := b.accounts[account]
	b.mu.Unlock()
	if ok && now.Sub(known.at) < accountTTL {
		return known.monthly, nil
	}
	a, err := b.store.Account(ctx, account)
	if errors.Is(err, journal.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the monthly limit of an account: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.accounts) >= maxAccounts {
		clear(b.accounts)
	}
	b.accounts[account] = remembered{monthly: a.MonthlyQuota, at: now}
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
	used, err := b.store.QuotaUse(ctx, a.ID, report.Month, counters)
	if err != nil {
		return report, fmt.Errorf("read monthly limits: %w", err)
	}
	for i := range report.Limits {
		u := &report.Limits[i]
		u.Used, u.Left = used[i], max(0, u.Limit-used[i])
	}
	return report, nil
}
