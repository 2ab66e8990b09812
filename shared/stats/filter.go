package stats

import (
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/task"
	"easel/shared/usage"
)

// UsageFilter narrows the usage log; zero values do not. From is inclusive and To
// exclusive, by the time at which a task was created.
type UsageFilter struct {
	From, To                              time.Time
	Status                                task.Status
	Kind                                  generation.Kind
	Model, Provider, Config, Account, Key string
	Code                                  string
}

// Matches reports whether a record passes everything but From and To.
func (f UsageFilter) Matches(r usage.Record) bool {
	return (f.Status == "" || f.Status == r.Status) && (f.Kind == "" || f.Kind == r.Kind) &&
		is(f.Model, r.Model) && is(f.Account, r.Account) && is(f.Key, r.KeyID) && is(f.Code, r.ErrorCode) &&
		f.attempted(r)
}

// attempted reports whether the config and the provider took part in the task.
func (f UsageFilter) attempted(r usage.Record) bool {
	if f.Config == "" && f.Provider == "" || is(f.Config, r.Config) && is(f.Provider, r.Provider) {
		return true
	}
	for _, a := range r.Attempts {
		if is(f.Config, a.Config) && is(f.Provider, a.Provider) {
			return true
		}
	}
	return false
}

func is(want, have string) bool { return want == "" || want == have }

// TaskFilter narrows a list of tasks; zero values do not. From is inclusive and
// To exclusive, by the time of creation.
type TaskFilter struct {
	From, To       time.Time
	Status         task.Status
	Kind           generation.Kind
	Model, Account string
}

// Matches reports whether a task passes the filter.
func (f TaskFilter) Matches(t task.Task) bool {
	return (f.Status == "" || f.Status == t.Status) && (f.Kind == "" || f.Kind == t.Kind) &&
		is(f.Model, t.Model) && is(f.Account, t.Account) &&
		!t.CreatedAt.Before(f.From) && (f.To.IsZero() || t.CreatedAt.Before(f.To))
}

// CheckWindow returns an InvalidInput error unless from is before to and at most
// a year lies between them; zero times are not checked.
func CheckWindow(from, to time.Time) error {
	const year = 366 * 24 * time.Hour
	switch {
	case from.IsZero() || to.IsZero():
		return nil
	case !from.Before(to):
		return fault.Invalid("from", "must be before to")
	case to.Sub(from) > year:
		return fault.Invalid("from", "must be within a year before to")
	}
	return nil
}
