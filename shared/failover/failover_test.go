package failover_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"easel/shared/catalog"
	"easel/shared/failover"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/settings"
	"easel/shared/task"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func candidates(retries int, ids ...string) []failover.Candidate {
	list := make([]failover.Candidate, len(ids))
	for i, id := range ids {
		list[i] = failover.Candidate{Config: settings.Config{ID: id, MaxRetries: retries, TimeoutSeconds: 10}, Model: "m"}
	}
	return list
}

func refused(config string, class fault.Class, at time.Time) task.Attempt {
	return task.Attempt{ID: "att_" + config + at.String(), Config: config, Outcome: task.Rejected, Class: class, EndedAt: at}
}

func situation(cands []failover.Candidate, attempts ...task.Attempt) failover.Situation {
	return failover.Situation{Candidates: cands, Attempts: attempts, Now: start, Deadline: start.Add(time.Minute)}
}

func TestNextTriesConfigsInOrder(t *testing.T) {
	t.Parallel()
	var p failover.Policy
	cands := candidates(0, "a", "b", "c")
	d := p.Next(situation(cands))
	if d.Action != failover.Try || d.Candidate.Config.ID != "a" {
		t.Fatalf("first decision = %+v, want try a", d)
	}
	d = p.Next(situation(cands, refused("a", fault.ClassRateLimited, start), refused("b", fault.ClassUnavailable, start)))
	if d.Action != failover.Try || d.Candidate.Config.ID != "c" {
		t.Fatalf("third decision = %+v, want try c", d)
	}
}

func TestNextByClass(t *testing.T) {
	t.Parallel()
	tests := []struct {
		class       fault.Class
		next, again bool // whether another config is asked, and whether the same one is
	}{
		{fault.ClassRateLimited, true, false},
		{fault.ClassConnect, true, true},
		{fault.ClassUnavailable, true, true},
		{fault.ClassAuth, true, false},
		{fault.ClassOutOfCredit, true, false},
		{fault.ClassModelGone, true, false},
		{fault.ClassModerated, false, false},
		{fault.ClassInvalidInput, false, false},
		{fault.ClassUnsupported, true, false},
		{fault.ClassJobFailed, true, false},
		{fault.ClassBadAnswer, true, false},
		{fault.ClassStorage, false, false},
	}
	for _, tt := range tests {
		t.Run(string(tt.class), func(t *testing.T) {
			t.Parallel()
			var p failover.Policy
			first := refused("a", tt.class, start)
			d := p.Next(situation(candidates(2, "a", "b"), first))
			if got := d.Action == failover.Try && d.Candidate.Config.ID == "b"; got != tt.next {
				t.Errorf("another config asked = %v, want %v (%+v)", got, tt.next, d)
			}
			d = p.Next(situation(candidates(2, "a"), first))
			if got := d.Action != failover.Stop; got != tt.again {
				t.Errorf("same config asked again = %v, want %v (%+v)", got, tt.again, d)
			}
			if d.Action == failover.Stop && d.Class != tt.class {
				t.Errorf("stopped for %q, want %q", d.Class, tt.class)
			}
		})
	}
}

func TestNextWaitsForTheCooldownOfTheOnlyConfig(t *testing.T) {
	t.Parallel()
	health := &failover.Memory{}
	health.Report("a", &fault.Failure{Class: fault.ClassRateLimited, RetryAfter: 7 * time.Second}, start)
	s := situation(candidates(0, "a"))
	s.Health = health
	d := failover.Policy{}.Next(s)
	if d.Action != failover.Wait || !d.At.Equal(start.Add(7*time.Second)) {
		t.Fatalf("decision = %+v, want wait of 7s", d)
	}
	health.Report("a", nil, start)
	if d := (failover.Policy{}).Next(s); d.Action != failover.Try {
		t.Fatalf("after a success: %+v, want try", d)
	}
}

func TestNextSkipsAConfigThatCoolsDown(t *testing.T) {
	t.Parallel()
	health := &failover.Memory{}
	health.Report("a", &fault.Failure{Class: fault.ClassAuth}, start)
	s := situation(candidates(0, "a", "b"))
	s.Health = health
	if d := (failover.Policy{}).Next(s); d.Action != failover.Try || d.Candidate.Config.ID != "b" {
		t.Fatalf("decision = %+v, want try b", d)
	}
}

func TestNextNeverStartsAfterTheDeadline(t *testing.T) {
	t.Parallel()
	s := situation(candidates(3, "a"))
	s.Now = s.Deadline.Add(-time.Second)
	if d := (failover.Policy{}).Next(s); d.Action != failover.Stop {
		t.Fatalf("decision = %+v, want stop", d)
	}
}

// TestNextProperties checks rules that hold for every history.
func TestNextProperties(t *testing.T) {
	t.Parallel()
	classes := []fault.Class{
		fault.ClassRateLimited, fault.ClassConnect, fault.ClassUnavailable, fault.ClassAuth, fault.ClassModerated,
		fault.ClassInvalidInput, fault.ClassJobFailed, fault.ClassUnsupported, fault.ClassModelGone,
	}
	rapid.Check(t, func(rt *rapid.T) {
		retries := rapid.IntRange(0, 3).Draw(rt, "retries")
		n := rapid.IntRange(0, 4).Draw(rt, "configs")
		ids := make([]string, 0, n)
		for i := range n {
			ids = append(ids, fmt.Sprint("cfg", i))
		}
		s := situation(candidates(retries, ids...))
		p := failover.Policy{MaxAttempts: 12}
		seen := map[string]int{}
		for range 40 {
			d := p.Next(s)
			if again := p.Next(s); again.Action != d.Action || again.At != d.At {
				rt.Fatalf("two decisions from one history: %+v and %+v", d, again)
			}
			if d.Action == failover.Stop {
				return
			}
			if d.Action == failover.Wait {
				if !d.At.After(s.Now) || d.At.After(s.Deadline) {
					rt.Fatalf("wait until %v outside (%v, %v]", d.At, s.Now, s.Deadline)
				}
				s.Now = d.At
				continue
			}
			id := d.Candidate.Config.ID
			class := rapid.SampledFrom(classes).Draw(rt, "class")
			for _, a := range s.Attempts {
				if failover.Final(a.Class) || a.Config == id && !failover.SameAgain(a.Class) {
					rt.Fatalf("config %s asked again after %s", id, a.Class)
				}
			}
			if seen[id]++; seen[id] > retries+1 {
				rt.Fatalf("config %s asked %d times with %d retries", id, seen[id], retries)
			}
			a := refused(id, class, s.Now)
			a.ID = fmt.Sprint("att", len(s.Attempts))
			s.Attempts = append(s.Attempts, a)
		}
		rt.Fatal("failover never stopped")
	})
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	configs := []settings.Config{
		{ID: "c", Kind: generation.Image, Provider: "openai", Model: "gpt-image-2", Priority: 1, Active: true},
		{ID: "b", Kind: generation.Image, Provider: "replicate", Model: "black-forest-labs/flux-schnell", Priority: 1, Active: true},
		{ID: "a", Kind: generation.Image, Provider: "replicate", Priority: 0, Active: true},
		{ID: "off", Kind: generation.Image, Provider: "replicate", Model: "x", Active: false},
		{ID: "video", Kind: generation.Video, Provider: "replicate", Model: "x", Active: true},
		{ID: "own", Kind: generation.Image, Provider: "custom", Priority: 9, Active: true, Data: []byte(`{"models":{"flux-dev":"my/flux"}}`)},
	}
	auto := catalog.Model{Name: "auto", Kind: generation.Image, Auto: true}
	if got := names(failover.Candidates(auto, configs)); got != "b:black-forest-labs/flux-schnell c:gpt-image-2 " {
		t.Errorf("auto is served by %q", got)
	}
	flux := catalog.Model{Name: "flux-dev", Kind: generation.Image, Upstreams: []catalog.Upstream{{Provider: "replicate", Model: "bfl/flux-dev"}}}
	if got := names(failover.Candidates(flux, configs)); got != "a:bfl/flux-dev b:bfl/flux-dev own:my/flux " {
		t.Errorf("flux-dev is served by %q", got)
	}
}

func names(list []failover.Candidate) string {
	var s strings.Builder
	for _, c := range list {
		s.WriteString(c.Config.ID + ":" + c.Model + " ")
	}
	return s.String()
}

func TestNextStopsAtAnOpenAttempt(t *testing.T) {
	t.Parallel()
	for _, outcome := range []task.Outcome{task.Started, task.Accepted, task.Unknown} {
		open := task.Attempt{ID: "att", Config: "a", Outcome: outcome}
		if d := (failover.Policy{}).Next(situation(candidates(3, "a", "b"), open)); d.Action != failover.Stop {
			t.Errorf("with an attempt %s: %+v, want stop", outcome, d)
		}
	}
}

func TestNextStaysWithinThePriceCap(t *testing.T) {
	t.Parallel()
	cands := candidates(1, "cheap", "dear", "unknown")
	cands[0].CostMicroUSD, cands[1].CostMicroUSD = 10, 100
	for name, test := range map[string]struct {
		priceCap, spent, units int64
		want                   string
	}{
		"no cap":                        {0, 1000, 9, "cheap"},
		"the cheap one fits exactly":    {100, 90, 1, "cheap"},
		"only an unknown price is left": {100, 91, 1, "unknown"},
		"for two units":                 {100, 90, 2, "unknown"},
		"nothing is left":               {100, 100, 1, ""},
	} {
		s := situation(cands)
		s.Spent, s.Units = test.spent, test.units
		d := failover.Policy{PriceCap: test.priceCap}.Next(s)
		if d.Candidate.Config.ID != test.want || (d.Action == failover.Stop) != (test.want == "") || d.Capped != (test.want == "") {
			t.Errorf("%s: %+v, want %q", name, d, test.want)
		}
	}
}
