package storetest

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"easel/shared/credits"
	"easel/shared/fault"
	"easel/shared/journal"
	"easel/shared/task"
	"easel/shared/usage"
)

// Memory is a store in memory. Like a real one it keeps copies, made through
// JSON, and makes each change at one moment. It is safe for concurrent use; the
// zero value is an empty store.
type Memory struct {
	// Fail, if set before the first use, is called before and after each write
	// with the operation and the moment: "apply", "post", "create", "batch" or "new batch", then
	// "/before" or "/after". An error from "before" means that nothing was
	// written; from "after", that the write took effect and its answer was lost.
	// A refused write has no "after". Fail may itself use the store.
	Fail func(op string) error

	mu       sync.Mutex
	tasks    map[string]storedTask
	accounts map[string]credits.Account
	ledger   map[string][]credits.Entry
	keys     map[[2]string]journal.Idempotency
	usage    map[string][]byte
	quotas   map[counterKey]int64
	batches  shelf
}

type storedTask struct {
	doc     []byte
	version int64
	due     time.Time
}

var _ Store = (*Memory)(nil)

// write runs the operation between the two calls of Fail.
func (m *Memory) write(ctx context.Context, op string, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.Fail != nil {
		if err := m.Fail(op + "/before"); err != nil {
			return err
		}
	}
	if err := m.locked(do); err != nil {
		return err
	}
	if m.Fail != nil {
		return m.Fail(op + "/after")
	}
	return nil
}

func (m *Memory) locked(do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tasks == nil {
		m.tasks, m.usage = map[string]storedTask{}, map[string][]byte{}
		m.accounts, m.ledger = map[string]credits.Account{}, map[string][]credits.Entry{}
		m.keys, m.quotas = map[[2]string]journal.Idempotency{}, map[counterKey]int64{}
	}
	return do()
}

// Apply does what [Store] says.
func (m *Memory) Apply(ctx context.Context, change journal.Change) error {
	return m.write(ctx, "apply", func() error { return m.apply(change) })
}

func (m *Memory) apply(change journal.Change) error {
	if change.Task.ID == "" || change.Task.Version < 1 {
		return fmt.Errorf("storetest: task %q cannot have version %d", change.Task.ID, change.Task.Version)
	}
	if change.Entry != nil && !change.Entry.Balanced() {
		return fmt.Errorf("storetest: entry %s: %w", change.Entry.ID, credits.ErrUnbalanced)
	}
	if err := m.known(change.Idempotency); err != nil {
		return err
	}
	if m.tasks[change.Task.ID].version != change.Task.Version-1 {
		return fmt.Errorf("storetest: task %s: %w", change.Task.ID, journal.ErrStale)
	}
	stored := storedTask{version: change.Task.Version, due: change.Task.DueAt}
	var record []byte
	var err error
	if stored.doc, err = json.Marshal(change.Task); err != nil {
		return err
	}
	if change.Usage != nil {
		if record, err = json.Marshal(change.Usage); err != nil {
			return err
		}
	}
	if err := m.within(change); err != nil {
		return err
	}
	if change.Entry != nil {
		if err := m.move(*change.Entry); err != nil {
			return err
		}
	}
	m.count(change.Quotas)
	m.tasks[change.Task.ID] = stored
	if change.Idempotency != nil {
		m.keys[[2]string{change.Idempotency.Account, change.Idempotency.Key}] = *change.Idempotency
	}
	if change.Usage != nil {
		m.usage[change.Usage.ID] = record
	}
	return nil
}

func (m *Memory) known(memory *journal.Idempotency) error {
	if memory == nil {
		return nil
	}
	before, used := m.keys[[2]string{memory.Account, memory.Key}]
	if used && before.ExpiresAt.After(time.Now()) {
		return &journal.Duplicate{Idempotency: before}
	}
	return nil
}

// move applies the entry to its account's balance and ledger, or does nothing.
func (m *Memory) move(e credits.Entry) error {
	if m.entry(e.Account, e.ID) != nil {
		return fmt.Errorf("storetest: entry %s: %w", e.ID, journal.ErrStale)
	}
	if e.Delta != (credits.Balance{}) {
		account, exists := m.accounts[e.Account]
		next, err := account.Balance.Apply(e)
		if err != nil || !exists {
			return &journal.Insufficient{
				Account: e.Account, Available: account.Balance.Available, Needed: max(0, -e.Delta.Available),
			}
		}
		account.Balance = next
		m.accounts[e.Account] = account
	}
	m.ledger[e.Account] = append(m.ledger[e.Account], e)
	return nil
}

func (m *Memory) entry(account, id string) *credits.Entry {
	for i, e := range m.ledger[account] {
		if e.ID == id {
			return &m.ledger[account][i]
		}
	}
	return nil
}

// Task does what [Store] says.
func (m *Memory) Task(ctx context.Context, id string) (task.Task, error) {
	if err := ctx.Err(); err != nil {
		return task.Task{}, err
	}
	m.mu.Lock()
	stored, ok := m.tasks[id]
	m.mu.Unlock()
	if !ok {
		return task.Task{}, fmt.Errorf("storetest: task %s: %w", id, journal.ErrNotFound)
	}
	var t task.Task
	return t, json.Unmarshal(stored.doc, &t)
}

// Due does what [Store] says; limit 0 is 100.
func (m *Memory) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = 100
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	ids := []string{}
	for id, stored := range m.tasks {
		if !stored.due.IsZero() && !stored.due.After(now) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(m.tasks[a].due.Compare(m.tasks[b].due), cmp.Compare(a, b))
	})
	return ids[:min(limit, len(ids))], nil
}

// TasksByID does what [Store] says.
func (m *Memory) TasksByID(ctx context.Context, ids []string) ([]task.Task, error) {
	tasks := make([]task.Task, 0, len(ids))
	for _, id := range ids {
		t, err := m.Task(ctx, id)
		switch {
		case err == nil:
			tasks = append(tasks, t)
		case !errors.Is(err, journal.ErrNotFound):
			return nil, err
		}
	}
	return tasks, nil
}

// Remembered does what [Store] says.
func (m *Memory) Remembered(ctx context.Context, account, callerKey string) (journal.Idempotency, bool, error) {
	if err := ctx.Err(); err != nil {
		return journal.Idempotency{}, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	memory, ok := m.keys[[2]string{account, callerKey}]
	return memory, ok && memory.ExpiresAt.After(time.Now()), nil
}

// Account does what [Store] says.
func (m *Memory) Account(ctx context.Context, id string) (credits.Account, error) {
	if err := ctx.Err(); err != nil {
		return credits.Account{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	account, ok := m.accounts[id]
	if !ok {
		return credits.Account{}, fmt.Errorf("storetest: account %s: %w", id, journal.ErrNotFound)
	}
	return account, nil
}

// CreateAccount does what [Store] says.
func (m *Memory) CreateAccount(ctx context.Context, account credits.Account) error {
	return m.write(ctx, "create", func() error {
		if account.ID == "" || account.Balance != (credits.Balance{}) {
			return fault.Invalid("balance", "must be zero, and the id not empty")
		}
		if _, ok := m.accounts[account.ID]; ok {
			return fault.New(fault.Conflict, "there is already an account %s", account.ID)
		}
		m.accounts[account.ID] = account
		return nil
	})
}

// Post does what [Store] says.
func (m *Memory) Post(ctx context.Context, e credits.Entry) error {
	return m.write(ctx, "post", func() error {
		if !e.Balanced() {
			return fmt.Errorf("storetest: entry %s: %w", e.ID, credits.ErrUnbalanced)
		}
		if before := m.entry(e.Account, e.ID); before != nil {
			same := *before
			same.At = e.At
			if same != e {
				return fault.New(fault.Conflict, "there is already another ledger entry %s", e.ID)
			}
			return nil
		}
		if _, ok := m.accounts[e.Account]; !ok {
			return fmt.Errorf("storetest: account %s: %w", e.Account, journal.ErrNotFound)
		}
		return m.move(e)
	})
}

// Ledger does what [Store] says; limit 0 is 20.
func (m *Memory) Ledger(ctx context.Context, account, cursor string, limit int) ([]credits.Entry, string, error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	m.mu.Lock()
	entries := append([]credits.Entry{}, m.ledger[account]...)
	m.mu.Unlock()
	slices.SortFunc(entries, func(a, b credits.Entry) int {
		return -cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})
	if limit <= 0 {
		limit = 20
	}
	if cursor != "" {
		last, err := base64.RawURLEncoding.DecodeString(cursor)
		at := slices.IndexFunc(entries, func(e credits.Entry) bool { return e.ID == string(last) })
		if err != nil || at < 0 {
			return nil, "", fault.Invalid("cursor", "must be the cursor of an earlier page")
		}
		entries = entries[at+1:]
	}
	if len(entries) <= limit {
		return entries, "", nil
	}
	return entries[:limit], base64.RawURLEncoding.EncodeToString([]byte(entries[limit-1].ID)), nil
}

// Tasks returns every task, in order of id.
func (m *Memory) Tasks() []task.Task {
	m.mu.Lock()
	defer m.mu.Unlock()
	tasks := make([]task.Task, 0, len(m.tasks))
	for _, stored := range m.tasks {
		var t task.Task
		if err := json.Unmarshal(stored.doc, &t); err != nil {
			panic(err) // it was made by json.Marshal
		}
		tasks = append(tasks, t)
	}
	slices.SortFunc(tasks, func(a, b task.Task) int { return cmp.Compare(a.ID, b.ID) })
	return tasks
}

// Records returns every usage record, in order of id.
func (m *Memory) Records() []usage.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	records := make([]usage.Record, 0, len(m.usage))
	for _, doc := range m.usage {
		var r usage.Record
		if err := json.Unmarshal(doc, &r); err != nil {
			panic(err) // it was made by json.Marshal
		}
		records = append(records, r)
	}
	slices.SortFunc(records, func(a, b usage.Record) int { return cmp.Compare(a.ID, b.ID) })
	return records
}
