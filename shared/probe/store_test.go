package probe_test

import (
	"context"
	"sync"

	"easel/shared/health"
)

// store is a [health.Store] in memory.
type store struct {
	mu      sync.Mutex
	records map[string]health.Record
	writes  int
}

func (s *store) HealthRecords(context.Context) ([]health.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]health.Record, 0, len(s.records))
	for _, r := range s.records {
		all = append(all, r)
	}
	return all, nil
}

func (s *store) SaveHealth(_ context.Context, r health.Record, _ *health.Event) (health.Record, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	if old := s.records[r.Name]; old.Version != r.Version {
		return old, false, nil
	}
	r.Version++
	s.records[r.Name] = r
	return r, true, nil
}

func (s *store) CountHealth(_ context.Context, d health.Delta) (health.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[d.Name]
	r.Name, r.Last = d.Name, d.Last
	s.records[d.Name] = r
	return r, nil
}
