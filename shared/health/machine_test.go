package health

import (
	"testing"
	"time"

	"easel/shared/fault"
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestMachine(t *testing.T) {
	t.Parallel()
	p := Policy{}.withDefaults()
	open := func(class fault.Class, opens int) Record {
		return Record{Phase: Open, Since: start.Add(-time.Minute), Until: start.Add(time.Second), Class: class, Opens: opens}
	}
	due := func(class fault.Class, opens int) Record {
		r := open(class, opens)
		r.Until = start
		return r
	}
	probing := func(class fault.Class, opens int) Record {
		return open(class, opens).probe("me", start.Add(-time.Second), p)
	}
	ramping := Record{Phase: Ramping, Since: start.Add(-time.Second), RampedAt: start.Add(-time.Second), Opens: 1, Class: "unavailable"}
	ramped := Record{Phase: Ramping, Since: start.Add(-time.Minute), RampedAt: start.Add(-time.Minute), Opens: 2, Class: "unavailable"}
	long := Record{Phase: Ramping, Since: start.Add(-time.Hour), RampedAt: start.Add(-time.Hour), Opens: 4, Class: "unavailable"}
	cooling := Record{Phase: Closed, Until: start.Add(10 * time.Second), Class: fault.ClassRateLimited}
	said := func(v verdict) outcome {
		return outcome{verdict: v, at: start, by: "me", class: fault.ClassUnavailable}
	}
	trip := func() outcome { o := said(bad); o.trips = true; return o }
	holds := func(c fault.Class) outcome { return outcome{verdict: held, at: start, by: "me", class: c} }
	limits := func(wait time.Duration) outcome {
		return outcome{verdict: limited, at: start, by: "me", class: fault.ClassRateLimited, wait: wait}
	}
	for _, test := range []struct {
		name    string
		from    Record
		outcome outcome
		changed bool
		to      Phase
		until   time.Duration
		class   fault.Class
		opens   int
	}{
		{"a success changes nothing", Record{}, said(good), false, "", 0, "", 0},
		{"a refusal of the request changes nothing", Record{}, said(alive), false, "", 0, "", 0},
		{"one failure changes nothing", Record{}, said(bad), false, "", 0, "", 0},
		{"one failure too many opens", Record{}, trip(), true, Open, 10 * time.Second, "unavailable", 1},
		{"a wrong key opens at once", Record{}, holds("auth"), true, Open, time.Minute, "auth", 1},
		{"an empty account opens at once", Record{}, holds("out_of_credit"), true, Open, time.Minute, "out_of_credit", 1},
		{"a limit cools down", Record{}, limits(7 * time.Second), true, Closed, 7 * time.Second, "rate_limited", 0},
		{"a longer cool-down replaces a shorter", cooling, limits(20 * time.Second), true, Closed, 20 * time.Second, "rate_limited", 0},
		{"the same cool-down is not written again", cooling, limits(10 * time.Second), false, Closed, 10 * time.Second, "rate_limited", 0},
		{"a success ends no cool-down", cooling, said(good), false, Closed, 10 * time.Second, "rate_limited", 0},
		{"late failures leave an open breaker", open("unavailable", 1), trip(), false, Open, time.Second, "unavailable", 1},
		{"late successes leave an open breaker", open("auth", 1), said(good), false, Open, time.Second, "auth", 1},
		{"a wrong key holds an open breaker", open("unavailable", 3), holds("auth"), true, Open, time.Minute, "auth", 1},
		{"a second wrong key does not", open("auth", 1), holds("auth"), false, Open, time.Second, "auth", 1},
		{"a success when due begins the ramp", due("unavailable", 1), said(good), true, Ramping, 0, "unavailable", 1},
		{"a failure when due opens for longer", due("unavailable", 1), said(bad), true, Open, 20 * time.Second, "unavailable", 2},
		{"opening has a longest time", due("unavailable", 30), said(bad), true, Open, 5 * time.Minute, "unavailable", 31},
		{"holding has a longest time", due("auth", 30), holds("auth"), true, Open, 15 * time.Minute, "auth", 31},
		{"a probe's success begins the ramp", probing("auth", 1), said(good), true, Ramping, 0, "auth", 1},
		{"a probe's failure opens for longer", probing("unavailable", 2), said(bad), true, Open, 40 * time.Second, "unavailable", 3},
		{"a held probe that fails stays held", probing("auth", 1), said(bad), true, Open, 2 * time.Minute, "auth", 2},
		{"a probe that reached the provider will do", probing("unavailable", 1), said(alive), true, Ramping, 0, "unavailable", 1},
		{"but not where a key was wrong", probing("auth", 1), said(alive), true, Open, 0, "auth", 1},
		{"a canceled probe makes room for another", probing("unavailable", 1), said(nothing), true, Open, 0, "unavailable", 1},
		{"a limited probe ramps and cools down", probing("unavailable", 1), limits(9 * time.Second), true, Ramping, 9 * time.Second, "unavailable", 1},
		{"a limited probe of a held one waits", probing("auth", 1), limits(9 * time.Second), true, Open, 9 * time.Second, "auth", 1},
		{"a failure in a ramp is one too many soon", ramping, trip(), true, Open, 20 * time.Second, "unavailable", 2},
		{"a success in a ramp changes nothing", ramping, said(good), false, Ramping, 0, "unavailable", 1},
		{"soon after a ramp it opens for longer", ramped, trip(), true, Open, 40 * time.Second, "unavailable", 3},
		{"long after a ramp it opens as if for the first time", long, trip(), true, Open, 10 * time.Second, "unavailable", 1},
		{"a canceled call says nothing", ramping, said(nothing), false, Ramping, 0, "unavailable", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, changed := test.from.after(test.outcome, p)
			until := time.Duration(0)
			if !got.Until.IsZero() {
				until = got.Until.Sub(start)
			}
			if changed != test.changed || got.Phase != test.to || until != test.until || got.Class != test.class || got.Opens != test.opens {
				t.Errorf("got %+v (until +%v), changed %t", got, until, changed)
			}
			if changed && got.Phase != test.from.Phase && got.Window != 0 {
				t.Error("the counts outlived the phase")
			}
		})
	}
}

func TestOthersOutcomesDoNotAnswerAProbe(t *testing.T) {
	t.Parallel()
	p := Policy{}.withDefaults()
	r := Record{Phase: Open, Until: start, Opens: 1}.probe("me", start, p)
	for _, v := range []verdict{nothing, good, alive, bad, limited, held} {
		if _, changed := r.after(outcome{verdict: v, at: start.Add(time.Second), by: "other"}, p); changed {
			t.Errorf("verdict %d of another instance changed the probe", v)
		}
		if _, changed := r.after(outcome{verdict: v, at: start.Add(-time.Second), by: "me"}, p); changed {
			t.Errorf("verdict %d from before the probe changed it", v)
		}
	}
	if r.due(start.Add(p.ProbeFor-1), p) || !r.due(start.Add(p.ProbeFor), p) {
		t.Error("a probe must time out after ProbeFor, and not before")
	}
}

func TestCommonCounts(t *testing.T) {
	t.Parallel()
	p := Policy{}.withDefaults()
	w := p.window(start)
	for _, test := range []struct {
		name   string
		phase  Phase
		counts Counts
		want   bool
	}{
		{"few failures", Closed, Counts{Window: w, Bad: 4}, false},
		{"enough failures", Closed, Counts{Window: w, Bad: 5}, true},
		{"enough over two windows", Closed, Counts{Window: w, Bad: 2, PastBad: 3}, true},
		{"as many successes", Closed, Counts{Window: w, Bad: 5, Good: 5}, true},
		{"more successes", Closed, Counts{Window: w, Bad: 5, Good: 6}, false},
		{"more successes before", Closed, Counts{Window: w, Bad: 50, PastGood: 51}, false},
		{"the last window", Closed, Counts{Window: w - 1, Bad: 5, PastGood: 100}, true},
		{"an older window", Closed, Counts{Window: w - 2, Bad: 500}, false},
		{"failures that just began", Closed, Counts{Window: w, Bad: 500, First: start.Add(-5 * time.Second)}, false},
		{"less is enough in a ramp", Ramping, Counts{Window: w, Bad: 3, First: start}, true},
		{"an open breaker", Open, Counts{Window: w, Bad: 500}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := Record{Phase: test.phase, RampedAt: start, Until: start.Add(time.Hour), Counts: test.counts}
			if got := r.overloaded(start, p); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestEveryClassHasAVerdict(t *testing.T) {
	t.Parallel()
	for class, want := range map[fault.Class]verdict{
		fault.ClassRateLimited: limited, fault.ClassConnect: bad, fault.ClassTimeout: bad, fault.ClassUnavailable: bad,
		fault.ClassAuth: held, fault.ClassOutOfCredit: held, fault.ClassModelGone: held, fault.ClassModerated: alive,
		fault.ClassInvalidInput: alive, fault.ClassUnsupported: alive, fault.ClassJobFailed: bad, fault.ClassBadAnswer: bad,
		fault.ClassNotFound: nothing, fault.ClassStorage: nothing, fault.ClassCanceled: nothing,
	} {
		if got := judge(&fault.Failure{Class: class}); got != want {
			t.Errorf("%s: got verdict %d, want %d", class, got, want)
		}
	}
	if judge(nil) != good {
		t.Error("no failure is no success")
	}
}
