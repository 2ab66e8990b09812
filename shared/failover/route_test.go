package failover_test

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"easel/shared/catalog"
	"easel/shared/failover"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/settings"
)

func weighted(weights map[string]int) []failover.Candidate {
	list := candidates(0, "a", "b", "c")
	for i := range list {
		list[i].Config.Weight = weights[list[i].Config.ID]
	}
	return list
}

func TestWeightedRoutesInProportion(t *testing.T) {
	t.Parallel()
	list := weighted(map[string]int{"a": 60, "b": 30, "c": 10})
	first := map[string]int{}
	const draws = 20_000
	for i := range draws {
		order := failover.Route(catalog.Routing{Policy: catalog.Weighted}, list, fmt.Sprint("task_", i), nil)
		first[order[0].Config.ID]++
	}
	for id, want := range map[string]float64{"a": 0.6, "b": 0.3, "c": 0.1} {
		if got := float64(first[id]) / draws; math.Abs(got-want) > 0.02 {
			t.Errorf("config %s came first in %.3f of the draws, want %.2f", id, got, want)
		}
	}
}

func TestWeightZeroComesLast(t *testing.T) {
	t.Parallel()
	list := weighted(map[string]int{"a": 0, "b": 1, "c": 1})
	for i := range 100 {
		if order := failover.Route(catalog.Routing{Policy: catalog.Weighted}, list, strconv.Itoa(i), nil); order[2].Config.ID != "a" {
			t.Fatalf("order = %s", names(order))
		}
	}
}

func TestSplitGivesTheCanaryItsShareAndFailsOverToTheRest(t *testing.T) {
	t.Parallel()
	routing := catalog.Routing{Policy: catalog.Split, Arms: []catalog.Arm{{Config: "c", Percent: 5}}}
	canary := 0
	const draws = 20_000
	for i := range draws {
		order := failover.Route(routing, candidates(0, "a", "b", "c"), fmt.Sprint("task_", i), nil)
		if len(order) != 3 {
			t.Fatalf("order = %s", names(order))
		}
		if order[0].Config.ID == "c" {
			canary++
		} else if order[0].Config.ID != "a" {
			t.Fatalf("order = %s, want by priority behind the canary", names(order))
		}
	}
	if share := float64(canary) / draws; math.Abs(share-0.05) > 0.01 {
		t.Errorf("the canary came first in %.3f of the draws, want 0.05", share)
	}
}

func TestOnlyTheCandidateThatWasDrawnHasTheArm(t *testing.T) {
	t.Parallel()
	split := catalog.Routing{Policy: catalog.Split, Arms: []catalog.Arm{{Config: "c", Percent: 30, Label: "canary"}, {Config: "gone", Percent: 30}}}
	seen := map[string]int{}
	for i := range 1000 {
		order := failover.Route(split, candidates(0, "a", "b", "c"), fmt.Sprint("task_", i), nil)
		seen[order[0].Config.ID+" "+order[0].Arm]++
		for _, c := range order[1:] {
			if c.Arm != "" {
				t.Fatalf("%s, which comes later, has the arm %q", c.Config.ID, c.Arm)
			}
		}
	}
	// Where the arm's own config cannot serve, the task is no arm's.
	if len(seen) != 3 || seen["c canary"] < 200 || seen["a rest"] < 300 || seen["a "] < 200 {
		t.Errorf("drawn %v", seen)
	}
	order := failover.Route(catalog.Routing{Policy: catalog.Weighted}, weighted(map[string]int{"a": 1, "b": 0}), "s", nil)
	if order[0].Arm != "a" || order[1].Arm != "" {
		t.Errorf("weighted: %+v", order)
	}
	if order := failover.Route(catalog.Routing{}, candidates(0, "a"), "s", nil); order[0].Arm != "" {
		t.Errorf("by priority there are no arms: %+v", order)
	}
}

func TestTheSameSeedRoutesTheSame(t *testing.T) {
	t.Parallel()
	list := weighted(map[string]int{"a": 1, "b": 1, "c": 1})
	for i := range 50 {
		seed := fmt.Sprint("user_", i)
		routing := catalog.Routing{Policy: catalog.Weighted}
		if a, b := names(failover.Route(routing, list, seed, nil)), names(failover.Route(routing, list, seed, nil)); a != b {
			t.Fatalf("one seed gave %s and %s", a, b)
		}
	}
}

func TestLowestCostPutsUnknownCostsLast(t *testing.T) {
	t.Parallel()
	list := candidates(0, "a", "b", "c")
	list[1].CostMicroUSD, list[2].CostMicroUSD = 900, 300
	order := failover.Route(catalog.Routing{Policy: catalog.LowestCost}, list, "s", nil)
	if got := names(order); got != "c:m b:m a:m " {
		t.Errorf("order = %s", got)
	}
}

func TestLowestLatencyTriesTheUnknownFirst(t *testing.T) {
	t.Parallel()
	memory := &failover.Memory{}
	memory.Observe("a", 900*time.Millisecond)
	memory.Observe("b", 100*time.Millisecond)
	order := failover.Route(catalog.Routing{Policy: catalog.LowestLatency}, candidates(0, "a", "b", "c"), "s", memory)
	if got := names(order); got != "c:m b:m a:m " {
		t.Errorf("order = %s", got)
	}
	// A config that has become slow loses its place within a few calls.
	for range 8 {
		memory.Observe("b", 5*time.Second)
	}
	memory.Observe("c", 2*time.Second)
	order = failover.Route(catalog.Routing{Policy: catalog.LowestLatency}, candidates(0, "a", "b", "c"), "s", memory)
	if got := names(order); got != "a:m c:m b:m " {
		t.Errorf("order = %s", got)
	}
}

func TestExplainNamesEveryConfig(t *testing.T) {
	t.Parallel()
	memory := &failover.Memory{}
	memory.Report("cold", &fault.Failure{Class: fault.ClassAuth}, start)
	configs := []settings.Config{
		{ID: "first", Kind: generation.Image, Provider: "openai", Model: "x", Active: true},
		{ID: "cold", Kind: generation.Image, Provider: "openai", Model: "x", Active: true, Priority: 1},
		{ID: "off", Kind: generation.Image, Provider: "openai", Model: "x"},
		{ID: "video", Kind: generation.Video, Provider: "runway", Model: "x", Active: true},
		{ID: "bare", Kind: generation.Image, Provider: "openai", Active: true},
	}
	m := catalog.Model{Name: "auto", Kind: generation.Image, Auto: true}
	got := map[string]failover.Verdict{}
	for _, v := range failover.Explain(m, configs, "s", memory, memory, start) {
		got[v.Config] = v
	}
	for id, want := range map[string]struct {
		place  int
		reason string
	}{
		"first": {1, "priority 0"},
		"cold":  {0, "cools down for 1m0s after a failure"},
		"off":   {0, "is not active"},
		"video": {0, "serves video, not image"},
		"bare":  {0, "has no upstream model for the default model"},
	} {
		if v := got[id]; v.Place != want.place || v.Reason != want.reason {
			t.Errorf("config %s: %+v, want %+v", id, v, want)
		}
	}
}
