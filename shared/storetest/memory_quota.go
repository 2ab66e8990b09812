package storetest

import (
	"context"
	"fmt"

	"easel/shared/journal"
)

// counterKey is a counter's account, month and name.
type counterKey [3]string

func counterOf(move journal.QuotaMove) counterKey {
	return counterKey{move.Account, move.Month, move.Counter}
}

// within refuses a change whose limits do not hold, or whose entry is known,
// which is the stronger reason.
func (m *Memory) within(change journal.Change) error {
	if e := change.Entry; e != nil && m.entry(e.Account, e.ID) != nil {
		return fmt.Errorf("storetest: entry %s: %w", e.ID, journal.ErrStale)
	}
	for _, move := range change.Quotas {
		used := m.quotas[counterOf(move)]
		if move.By > 0 && move.Limit > 0 && used+move.By > move.Limit {
			return &journal.OverQuota{QuotaMove: move, Used: used}
		}
	}
	return nil
}

func (m *Memory) count(moves []journal.QuotaMove) {
	for _, move := range moves {
		m.quotas[counterOf(move)] += move.By
	}
}

// QuotaUse does what [Store] says.
func (m *Memory) QuotaUse(ctx context.Context, account, month string, counters []string) ([]int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	used := make([]int64, len(counters))
	for n, counter := range counters {
		used[n] = m.quotas[counterKey{account, month, counter}]
	}
	return used, nil
}
