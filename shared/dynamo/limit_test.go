package dynamo_test

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"easel/shared/dynamo"
	"easel/shared/limit"
)

// clock is a wall clock that a test moves.
type clock struct{ at atomic.Int64 }

func newClock(at time.Time) *clock {
	c := &clock{}
	c.at.Store(at.UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) forward(d time.Duration) { c.at.Add(int64(d)) }

// instances runs do once for each of n instances at the same time.
func instances(n int, do func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { do(i) })
	}
	group.Wait()
}

func newLimiters(n int, store *dynamo.Store, now func() time.Time) []*limit.Limiter {
	limiters := make([]*limit.Limiter, n)
	for i := range limiters {
		limiters[i] = limit.New(store, now)
	}
	return limiters
}

func TestRateLimitHoldsOverAllInstances(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ perMinute, instances, demand, least int }{
		{perMinute: 60, instances: 64, demand: 5, least: 57},
		{perMinute: 60, instances: 3, demand: 100, least: 57},
		{perMinute: 1000, instances: 8, demand: 300, least: 950},
	} {
		t.Run(fmt.Sprintf("%d per minute, %d instances", test.perMinute, test.instances), func(t *testing.T) {
			t.Parallel()
			counter := &dynamo.Counter{}
			store := newStore(t, dynamo.Options{Counter: counter})
			wall := newClock(epoch().Add(59 * time.Second))
			limiters := newLimiters(test.instances, store, wall.now)
			rules := []limit.Rule{{Name: "config#c", PerMinute: test.perMinute}}
			for range 3 {
				var admitted atomic.Int64
				instances(test.instances, func(i int) {
					for n := range test.demand {
						answer, err := limiters[i].Admit(t.Context(), rules, fmt.Sprintf("%d-%d", i, n), 0)
						if err != nil {
							t.Error(err)
						}
						if answer.OK {
							admitted.Add(1)
						}
					}
				})
				if got := int(admitted.Load()); got > test.perMinute || got < test.least {
					t.Errorf("%d were admitted in one minute, want %d to %d", got, test.least, test.perMinute)
				}
				t.Logf("%d admitted of %d; %d writes so far", admitted.Load(), test.instances*test.demand, counter.Total())
				wall.forward(time.Minute)
			}
			if most := 3 * (test.perMinute + 2*test.instances); counter.Total() > most {
				t.Errorf("%d round trips were made, want at most %d: refusals must cost nothing", counter.Total(), most)
			}
		})
	}
}

func TestLargeLimitsAreLeased(t *testing.T) {
	t.Parallel()
	counter := &dynamo.Counter{}
	store := newStore(t, dynamo.Options{Counter: counter})
	limiter := limit.New(store, newClock(epoch()).now)
	const perMinute = 6000
	admitted := 0
	for range perMinute + 1000 {
		answer, err := limiter.Admit(t.Context(), []limit.Rule{{Name: "config#c", PerMinute: perMinute}}, "id", 0)
		must(t, err)
		if answer.OK {
			admitted++
		}
	}
	if admitted != perMinute {
		t.Errorf("%d were admitted, want all of %d", admitted, perMinute)
	}
	t.Logf("%d requests took %d writes", perMinute, counter.Total())
	if got := counter.Total(); got > 40 {
		t.Errorf("%d requests took %d writes, want at most 40", perMinute, got)
	}
}

func TestOneCheckIsOneWrite(t *testing.T) {
	t.Parallel()
	counter := &dynamo.Counter{}
	store := newStore(t, dynamo.Options{Counter: counter})
	ctx, limiter := t.Context(), limit.New(store, newClock(epoch()).now)
	rate, slots := []limit.Rule{{Name: "r", PerMinute: 2}}, []limit.Rule{{Name: "s", Concurrency: 1}}
	for _, step := range []struct {
		name   string
		do     func() (limit.Admission, error)
		ok     bool
		writes int
	}{
		{"a permit", func() (limit.Admission, error) { return limiter.Admit(ctx, rate, "a", 0) }, true, 1},
		{"the last permit", func() (limit.Admission, error) { return limiter.Admit(ctx, rate, "b", 0) }, true, 1},
		{"a refusal", func() (limit.Admission, error) { return limiter.Admit(ctx, rate, "c", 0) }, false, 1},
		{"a remembered refusal", func() (limit.Admission, error) { return limiter.Admit(ctx, rate, "d", 0) }, false, 0},
		{"a place", func() (limit.Admission, error) { return limiter.Admit(ctx, slots, "a", time.Minute) }, true, 1},
		{"the same holder again", func() (limit.Admission, error) { return limiter.Admit(ctx, slots, "a", time.Minute) }, true, 1},
		{"no place", func() (limit.Admission, error) { return limiter.Admit(ctx, slots, "b", time.Minute) }, false, 1},
		{"still no place", func() (limit.Admission, error) { return limiter.Admit(ctx, slots, "b", time.Minute) }, false, 0},
		{"giving back", func() (limit.Admission, error) { return limit.Admission{}, limiter.Release(ctx, slots, "a") }, false, 1},
		{"a place again", func() (limit.Admission, error) { return limiter.Admit(ctx, slots, "b", time.Minute) }, true, 1},
		{"no limit", func() (limit.Admission, error) { return limiter.Admit(ctx, []limit.Rule{{Name: "x"}}, "b", 0) }, true, 0},
	} {
		counter.Reset()
		got, err := step.do()
		must(t, err)
		want := map[string]int{"UpdateItem": step.writes}
		if step.writes == 0 {
			want = map[string]int{}
		}
		if got.OK != step.ok || !maps.Equal(counter.Calls(), want) {
			t.Errorf("%s: got %+v with the calls %v, want ok %t and %d writes", step.name, got, counter.Calls(), step.ok, step.writes)
		}
	}
}

func TestConcurrencyHoldsOverAllInstances(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	const most = 7
	wall := newClock(epoch())
	rules := []limit.Rule{{Name: "config#c", Concurrency: most}}
	var now, peak, total atomic.Int64
	instances(32, func(i int) {
		limiter := limit.New(store, func() time.Time { wall.forward(60 * time.Millisecond); return wall.now() })
		for n := range 6 {
			id := fmt.Sprintf("%d-%d", i, n)
			answer, err := limiter.Admit(t.Context(), rules, id, 24*time.Hour)
			if err != nil {
				t.Error(err)
			}
			if !answer.OK {
				continue
			}
			in := now.Add(1)
			for old := peak.Load(); in > old && !peak.CompareAndSwap(old, in); old = peak.Load() {
			}
			total.Add(1)
			now.Add(-1)
			if err := limiter.Release(t.Context(), rules, id); err != nil {
				t.Error(err)
			}
		}
	})
	if peak.Load() > most || total.Load() < most {
		t.Errorf("%d held a place at the same time, want at most %d; %d did in all", peak.Load(), most, total.Load())
	}
	uses, err := store.Uses(t.Context(), []string{"config#c"}, wall.now())
	must(t, err)
	if uses[0].InUse != 0 {
		t.Errorf("%d places are still held", uses[0].InUse)
	}
	for i := range most + 3 {
		held, err := store.Hold(t.Context(), limit.Hold{Rule: "config#c", ID: strconv.Itoa(i), Now: wall.now(), Until: wall.now().Add(time.Second), Limit: most})
		must(t, err)
		if held.OK != (i < most) {
			t.Errorf("holder %d of %d: %+v", i, most, held)
		}
	}
}

func TestPlacesOfTheDeadComeBack(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	ctx, start := t.Context(), epoch()
	hold := func(id string, at time.Time, most int) limit.Held {
		t.Helper()
		held, err := store.Hold(ctx, limit.Hold{Rule: "r", ID: id, Now: at, Until: at.Add(time.Minute), Limit: most})
		must(t, err)
		return held
	}
	for i := range 50 {
		if !hold(strconv.Itoa(i), start, 50).OK {
			t.Fatalf("holder %d got no place", i)
		}
	}
	if got := hold("late", start.Add(30*time.Second), 50); got.OK || !got.NextFree.Equal(start.Add(time.Minute)) {
		t.Errorf("a full rule answered %+v, want the end of the first minute", got)
	}
	over := start.Add(time.Minute)
	if !hold("7", over, 50).OK {
		t.Error("a holder whose time was over got no new place")
	}
	if got := hold("lower", over.Add(time.Second), 2); !got.OK {
		t.Errorf("after the limit was lowered, the dead still held places: %+v", got)
	}
	if got := hold("third", over.Add(time.Second), 2); got.OK {
		t.Error("a third holder got a place of two")
	}
	must(t, store.Free(ctx, "r", "lower"))
	must(t, store.Free(ctx, "r", "lower"))
	must(t, store.Free(ctx, "r", "nobody"))
	uses, err := store.Uses(ctx, []string{"other", "r"}, over.Add(time.Second))
	must(t, err)
	if uses[0].InUse != 0 || uses[1].InUse != 1 {
		t.Errorf("got the uses %+v", uses)
	}
}

func TestPermitsAreReturnedOnce(t *testing.T) {
	t.Parallel()
	w := &wire{operation: "UpdateItem"}
	store := newStore(t, dynamo.Options{}, w.use)
	window := limit.Window{Rule: "r", Start: epoch()}
	for range 3 {
		_, ok, err := store.Take(t.Context(), window, 1, 10)
		must(t, err)
		if !ok {
			t.Fatal("refused")
		}
	}
	w.seen, w.times = 0, 1
	if err := store.Return(t.Context(), window, 1); err == nil {
		t.Error("a lost answer was no error")
	}
	w.seen, w.times = 0, 1
	count, ok, err := store.Take(t.Context(), window, 1, 10)
	must(t, err)
	if !ok || count != 4 {
		t.Errorf("got the count %d, want 2 permits and 2 for one whose answer was lost", count)
	}
	must(t, store.Return(context.Background(), limit.Window{Rule: "r", Start: epoch().Add(time.Minute)}, 1))
	uses, err := store.Uses(t.Context(), []string{"r"}, epoch().Add(59*time.Second))
	must(t, err)
	if uses[0].Taken != 4 {
		t.Errorf("got %+v, want 4 taken", uses)
	}
}
