package storetest

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"easel/shared/batch"
	"easel/shared/fault"
	"easel/shared/journal"
)

// Batches is the part of a store that keeps batches. It is safe for concurrent use.
type Batches interface {
	Store
	batch.Store
	batch.Creator
	batch.Due
	// BatchesByAccount returns a page of an account's batches, newest first, and the
	// cursor of the next page, "" when there is none.
	BatchesByAccount(ctx context.Context, account, cursor string, limit int) ([]batch.Batch, string, error)
	// BatchNames returns the custom ids of a batch's requests in their order, nil when
	// none has one.
	BatchNames(ctx context.Context, id string) ([]string, error)
}

var _ Batches = (*Memory)(nil)

// shelf is what a store in memory knows of batches.
type shelf struct {
	docs   map[string][]byte
	chunks map[string][][]byte
	names  map[string][]string
	open   map[string]int
}

// onShelf runs do with the batches locked.
func (m *Memory) onShelf(do func(s *shelf) error) error {
	return m.locked(func() error {
		if m.batches.docs == nil {
			m.batches = shelf{
				docs: map[string][]byte{}, chunks: map[string][][]byte{}, names: map[string][]string{}, open: map[string]int{},
			}
		}
		return do(&m.batches)
	})
}

// Batch does what [batch.Store] says.
func (m *Memory) Batch(ctx context.Context, id string) (b batch.Batch, err error) {
	if err := ctx.Err(); err != nil {
		return b, err
	}
	return b, m.onShelf(func(s *shelf) error {
		doc, ok := s.docs[id]
		if !ok {
			return fmt.Errorf("storetest: batch %s: %w", id, journal.ErrNotFound)
		}
		return json.Unmarshal(doc, &b)
	})
}

// PutBatch does what [batch.Store] says.
func (m *Memory) PutBatch(ctx context.Context, c batch.Change) error {
	return m.write(ctx, "batch", func() error {
		stored, err := m.unlockedBatch(c.Batch.ID)
		if err != nil || stored.Version != c.Batch.Version-1 {
			return fmt.Errorf("storetest: batch %s: %w", c.Batch.ID, journal.ErrStale)
		}
		if m.batches.docs[c.Batch.ID], err = json.Marshal(c.Batch); err != nil {
			return err
		}
		if c.Closes {
			m.batches.open[c.Batch.Account]--
		}
		return nil
	})
}

// unlockedBatch needs the lock.
func (m *Memory) unlockedBatch(id string) (b batch.Batch, err error) {
	doc, ok := m.batches.docs[id]
	if !ok {
		return b, journal.ErrNotFound
	}
	return b, json.Unmarshal(doc, &b)
}

// BatchRequests does what [batch.Store] says.
func (m *Memory) BatchRequests(ctx context.Context, id string, chunk int) (requests []batch.Request, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return requests, m.onShelf(func(s *shelf) error {
		if chunk < 0 || chunk >= len(s.chunks[id]) {
			return fmt.Errorf("storetest: chunk %d of batch %s: %w", chunk, id, journal.ErrNotFound)
		}
		return json.Unmarshal(s.chunks[id][chunk], &requests)
	})
}

// CreateBatch does what [batch.Creator] says.
func (m *Memory) CreateBatch(ctx context.Context, c batch.Creation) error {
	chunks := make([][]byte, len(c.Chunks))
	for n, chunk := range c.Chunks {
		var err error
		if chunks[n], err = json.Marshal(chunk); err != nil {
			return err
		}
	}
	if err := m.onShelf(func(*shelf) error { return nil }); err != nil {
		return err
	}
	return m.write(ctx, "new batch", func() error {
		s, b := &m.batches, c.Batch
		if err := m.known(c.Memory); err != nil {
			return err
		}
		if _, ok := s.docs[b.ID]; ok {
			return fmt.Errorf("storetest: batch %s: %w", b.ID, journal.ErrStale)
		}
		if s.open[b.Account] >= batch.MaxOpen {
			return fmt.Errorf("storetest: account %s: %w", b.Account, batch.ErrFull)
		}
		doc, err := json.Marshal(b)
		if err != nil {
			return err
		}
		s.docs[b.ID], s.chunks[b.ID], s.names[b.ID] = doc, chunks, c.Names()
		s.open[b.Account]++
		if c.Memory != nil {
			m.keys[[2]string{c.Memory.Account, c.Memory.Key}] = *c.Memory
		}
		return nil
	})
}

// DueBatches does what [batch.Due] says.
func (m *Memory) DueBatches(ctx context.Context, now time.Time, limit int) ([]string, error) {
	due, err := m.allBatches(ctx, func(b batch.Batch) bool { return !b.DueAt.IsZero() && !b.DueAt.After(now) })
	slices.SortFunc(due, func(a, b batch.Batch) int { return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID)) })
	ids := make([]string, 0, min(limit, len(due)))
	for _, b := range due[:min(limit, len(due))] {
		ids = append(ids, b.ID)
	}
	return ids, err
}

func (m *Memory) allBatches(ctx context.Context, keep func(batch.Batch) bool) (list []batch.Batch, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return list, m.onShelf(func(s *shelf) error {
		for id := range s.docs {
			b, err := m.unlockedBatch(id)
			if err != nil {
				return err
			}
			if keep(b) {
				list = append(list, b)
			}
		}
		return nil
	})
}

// BatchesByAccount does what [Batches] says; limit 0 is 20.
func (m *Memory) BatchesByAccount(ctx context.Context, account, cursor string, limit int) ([]batch.Batch, string, error) {
	list, err := m.allBatches(ctx, func(b batch.Batch) bool { return b.Account == account })
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(list, func(a, b batch.Batch) int { return -cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID)) })
	if cursor != "" {
		last, err := base64.RawURLEncoding.DecodeString(cursor)
		at := slices.IndexFunc(list, func(b batch.Batch) bool { return b.ID == string(last) })
		if err != nil || at < 0 {
			return nil, "", fault.Invalid("cursor", "must be the cursor of an earlier page")
		}
		list = list[at+1:]
	}
	limit = cmp.Or(limit, 20)
	if len(list) <= limit {
		return list, "", nil
	}
	return list[:limit], base64.RawURLEncoding.EncodeToString([]byte(list[limit-1].ID)), nil
}

// BatchNames does what [Batches] says.
func (m *Memory) BatchNames(ctx context.Context, id string) (names []string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return names, m.onShelf(func(s *shelf) error {
		names = slices.Clone(s.names[id])
		return nil
	})
}
