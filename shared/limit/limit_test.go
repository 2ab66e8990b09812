package limit_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"easel/shared/apikey"
	"easel/shared/fault"
	"easel/shared/limit"
	"easel/shared/settings"
)

// memory is a store in memory.
type memory struct {
	mu     sync.Mutex
	counts map[limit.Window]int
	places map[string]map[string]time.Time
	writes int
	fail   error
}

func (m *memory) begin() (unlock func(), err error) {
	m.mu.Lock()
	m.writes++
	if m.counts == nil {
		m.counts, m.places = map[limit.Window]int{}, map[string]map[string]time.Time{}
	}
	return m.mu.Unlock, m.fail
}

func (m *memory) Take(_ context.Context, w limit.Window, n, most int) (int, bool, error) {
	unlock, err := m.begin()
	defer unlock()
	if err != nil || m.counts[w]+n > most {
		return m.counts[w], false, err
	}
	m.counts[w] += n
	return m.counts[w], true, nil
}

func (m *memory) Return(_ context.Context, w limit.Window, n int) error {
	unlock, err := m.begin()
	defer unlock()
	m.counts[w] -= n
	return err
}

func (m *memory) Hold(_ context.Context, h limit.Hold) (limit.Held, error) {
	unlock, err := m.begin()
	defer unlock()
	if err != nil {
		return limit.Held{}, err
	}
	held := m.places[h.Rule]
	if held == nil {
		held = map[string]time.Time{}
		m.places[h.Rule] = held
	}
	_, mine := held[h.ID]
	if !mine && len(held) >= h.Limit {
		return limit.Held{InUse: len(held)}, nil
	}
	held[h.ID] = h.Until
	return limit.Held{OK: true, Before: mine, InUse: len(held)}, nil
}

func (m *memory) Free(_ context.Context, rule, id string) error {
	unlock, err := m.begin()
	defer unlock()
	delete(m.places[rule], id)
	return err
}

type bundle struct {
	store   *memory
	limiter *limit.Limiter
	at      time.Time
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{store: &memory{}, at: time.Date(2026, 11, 22, 12, 0, 20, 0, time.UTC)}
	b.limiter = limit.New(b.store, func() time.Time { return b.at })
	return b
}

func (b *bundle) admit(t *testing.T, id string, rules ...limit.Rule) limit.Admission {
	t.Helper()
	answer, err := b.limiter.Admit(t.Context(), rules, id, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestNothingLimitsByDefault(t *testing.T) {
	t.Parallel()
	b := setup(t)
	answer := b.admit(t, "a", limit.ForKey(apikey.Key{ID: "k"}), limit.ForConfig(settings.Config{ID: "c"}), limit.ForUser("a", "u", 0, 0))
	if !answer.OK || answer.Err() != nil || len(answer.Fields()) != 0 || b.store.writes != 0 {
		t.Errorf("got %+v after %d writes", answer, b.store.writes)
	}
}

func TestMinuteEndsAtTheWallClock(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rule := limit.ForConfig(settings.Config{ID: "c", RatePerMinute: 2})
	b.admit(t, "a", rule)
	if got := b.admit(t, "b", rule); !got.OK || got.Remaining != 0 || got.Limit != 2 || got.Reset != 40*time.Second {
		t.Errorf("got %+v", got)
	}
	refused := b.admit(t, "c", rule)
	if refused.OK || refused.RetryAfter != 40*time.Second {
		t.Errorf("got %+v, want a refusal for 40 s", refused)
	}
	end := b.at.Add(40 * time.Second)
	if got := b.limiter.ReadyAt("c", b.at); !got.Equal(end) {
		t.Errorf("ready at %v, want %v", got, end)
	}
	if got := b.limiter.ReadyAt("other", b.at); !got.IsZero() {
		t.Errorf("a config without a refusal is ready at %v", got)
	}
	before := b.store.writes
	b.at = b.at.Add(39*time.Second + 500*time.Millisecond)
	if got := b.admit(t, "d", rule); got.OK || got.RetryAfter != 500*time.Millisecond || b.store.writes != before {
		t.Errorf("got %+v with %d writes, want a refusal that costs nothing", got, b.store.writes-before)
	}
	b.at = end
	if got := b.admit(t, "e", rule); !got.OK || got.Remaining != 1 {
		t.Errorf("the next minute answered %+v", got)
	}
}

func TestRaisedLimitWorksAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.admit(t, "a", limit.Rule{Name: "r", PerMinute: 1})
	if b.admit(t, "b", limit.Rule{Name: "r", PerMinute: 1}).OK {
		t.Fatal("two were admitted")
	}
	if got := b.admit(t, "c", limit.Rule{Name: "r", PerMinute: 2}); !got.OK {
		t.Errorf("got %+v", got)
	}
}

func TestRefusalGivesBackWhatOthersGave(t *testing.T) {
	t.Parallel()
	b := setup(t)
	wide, narrow := limit.Rule{Name: "wide", PerMinute: 10, Concurrency: 5}, limit.Rule{Name: "narrow", PerMinute: 1}
	if got := b.admit(t, "a", wide, narrow); !got.OK || got.Rule != "narrow" {
		t.Errorf("got %+v, want the tighter rule", got)
	}
	b.at = b.at.Add(time.Millisecond)
	other := limit.New(b.store, func() time.Time { return b.at }) // remembers nothing
	for i := range 3 {
		answer, err := other.Admit(t.Context(), []limit.Rule{wide, narrow}, strconv.Itoa(i), time.Hour)
		if err != nil || answer.OK || answer.Rule != "narrow" {
			t.Errorf("got %+v, %v", answer, err)
		}
	}
	window := limit.Window{Rule: "wide", Start: b.at.Truncate(time.Minute)}
	if got := b.store.counts[window]; got != 1 || len(b.store.places["wide"]) != 1 {
		t.Errorf("the wide rule counts %d permits and %d places, want 1 and 1", got, len(b.store.places["wide"]))
	}
}

func TestRefusedRepeatKeepsItsPlace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rule := limit.Rule{Name: "r", PerMinute: 1, Concurrency: 5}
	b.admit(t, "a", rule)
	if b.admit(t, "a", rule).OK {
		t.Fatal("a repeat took a second permit of one")
	}
	if len(b.store.places["r"]) != 1 {
		t.Error("a refused repeat gave the place of the first away")
	}
}

func TestPlacesComeBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rule := limit.ForConfig(settings.Config{ID: "c", Concurrency: 1})
	b.admit(t, "a", rule)
	if !b.admit(t, "a", rule).OK {
		t.Error("the holder itself was refused")
	}
	refused := b.admit(t, "b", rule)
	if refused.OK || refused.RetryAfter != time.Second || fault.CodeOf(refused.Err()) != fault.RateLimited {
		t.Errorf("got %+v", refused)
	}
	for range 2 {
		if err := b.limiter.Release(t.Context(), []limit.Rule{rule}, "a"); err != nil {
			t.Fatal(err)
		}
	}
	if !b.admit(t, "b", rule).OK {
		t.Error("a place that came back was not given")
	}
}

func TestStoreFailure(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	t.Run("lets callers through", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.fail = down
		got := b.admit(t, "a", limit.ForKey(apikey.Key{ID: "k", RatePerMinute: 1, Concurrency: 1}), limit.ForUser("a", "u", 1, 0))
		if !got.OK || !got.Unchecked {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("skips a config and asks again soon", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.fail = down
		rule := limit.ForConfig(settings.Config{ID: "c", RatePerMinute: 60})
		got, err := b.limiter.Admit(t.Context(), []limit.Rule{rule}, "a", 0)
		if got.OK || !errors.Is(err, down) {
			t.Errorf("got %+v, %v", got, err)
		}
		if at := b.limiter.ReadyAt("c", b.at); !at.Equal(b.at.Add(time.Second)) {
			t.Errorf("ready at %v", at)
		}
		b.store.fail, b.at = nil, b.at.Add(time.Second)
		if !b.admit(t, "b", rule).OK {
			t.Error("refused after the store came back")
		}
	})
}

func TestFieldsAreWholeSeconds(t *testing.T) {
	t.Parallel()
	got := limit.Admission{Limit: 60, Remaining: 0, Reset: 1500 * time.Millisecond, RetryAfter: 10 * time.Millisecond}.Fields()
	want := []limit.Field{{"RateLimit-Limit", "60"}, {"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "2"}, {"Retry-After", "1"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if fields := (limit.Admission{OK: true, Limit: 60}).Fields(); len(fields) != 3 {
		t.Errorf("an admission has the fields %v", fields)
	}
}

func TestUsersOfTwoAccountsNeverMeet(t *testing.T) {
	t.Parallel()
	if limit.ForUser("a#b", "c", 1, 1).Name == limit.ForUser("a", "b#c", 1, 1).Name {
		t.Error("two users share one name")
	}
}

func TestAUsersNameIsInNoKey(t *testing.T) {
	t.Parallel()
	if name := limit.ForUser("acc", "ann@example.com", 1, 1).Name; strings.Contains(name, "ann") || !strings.Contains(name, "acc") {
		t.Errorf("the rule is named %q", name)
	}
}

func TestARefusalSaysWhichLimit(t *testing.T) {
	t.Parallel()
	key := apikey.Key{ID: "k", RatePerMinute: 1, Concurrency: 1}
	for want, rule := range map[string]limit.Rule{
		"rate_per_minute":      {Name: limit.ForKey(key).Name, PerMinute: 1},
		"concurrency":          {Name: limit.ForKey(key).Name, Concurrency: 1},
		"user_rate_per_minute": limit.ForUser("a", "u", 1, 0),
		"user_concurrency":     limit.ForUser("a", "u", 0, 1),
	} {
		b := setup(t)
		b.admit(t, "first", rule)
		for _, what := range []string{"asked", "remembered"} {
			got, _ := errors.AsType[*fault.Error](b.admit(t, "second", rule).Err())
			if got == nil || got.Code != fault.RateLimited || got.Details["limited_by"] != want || got.Details["limit"] != 1 || got.RetryAfter <= 0 {
				t.Errorf("%s, %s: %+v", want, what, got)
			}
		}
	}
}

// TestALeaseOfAHigherLimitServesNoLowerOne is about two keys of one user whose
// numbers differ.
func TestALeaseOfAHigherLimitServesNoLowerOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	high, low := limit.ForUser("a", "u", 1000, 0), limit.ForUser("a", "u", 10, 0)
	for i := range 40 {
		b.admit(t, strconv.Itoa(i), high)
	}
	if got := b.admit(t, "low", low); got.OK {
		t.Errorf("after 40 requests a limit of 10 admits: %+v", got)
	}
	if !b.admit(t, "high", high).OK {
		t.Error("the refusal under the lower limit holds for the higher one")
	}
}
