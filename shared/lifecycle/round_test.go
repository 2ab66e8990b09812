package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/failover"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/lifecycle"
	"easel/shared/provider"
	"easel/shared/secret"
	"easel/shared/settings"
	"easel/shared/storetest"
	"easel/shared/task"
)

// studio is a gateway whose every outside step is counted. Its clock moves only
// when told.
type studio struct {
	*storetest.Memory
	*lifecycle.Runner
	engine *lifecycle.Engine
	health *failover.Memory
	now    time.Time
	ids    int

	reads, views, keys int
	// asked are the jobs that were looked up, in order, and says what becomes of
	// one; a job without an entry runs on.
	asked []string
	says  map[string]func() (provider.Answer, error)
	kept  []string
	sent  []sent
}

type sent struct {
	task.Message
	delay time.Duration
}

const pace = 5 * time.Second

func newStudio(t *testing.T) *studio {
	t.Helper()
	s := &studio{
		Memory: &storetest.Memory{}, health: &failover.Memory{}, says: map[string]func() (provider.Answer, error){},
		now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
	}
	clock := func() time.Time { return s.now }
	newID := func(prefix string) string { s.ids++; return fmt.Sprintf("%s%04d", prefix, s.ids) }
	s.engine = lifecycle.NewEngine(s.Memory, clock, newID)
	s.Runner = lifecycle.NewRunner(lifecycle.Parts{
		Engine: s.engine, Store: s, Due: s, Many: s, Gather: 15 * time.Second, Views: s, Providers: map[string]provider.Provider{"vendor": &still{s}},
		Keys: s, Keeper: s, Queue: s, Health: s.health, Now: clock, NewID: newID, Log: slog.New(slog.DiscardHandler),
	})
	must(s.CreateAccount(t.Context(), credits.Account{ID: account}))
	must(s.Post(t.Context(), credits.ForGrant(account, "start", 1000, "", "", s.now)))
	return s
}

// accepted makes a task with a job at the config, to be looked up after due.
func (s *studio) accepted(t *testing.T, config string, due time.Duration) task.Task {
	t.Helper()
	begun, _, err := s.engine.Begin(t.Context(), lifecycle.Order{
		Account: account, Request: generation.Request{Kind: generation.Image, Model: "auto", Prompt: "p"}, Quote: catalog.Quote{Credits: 1},
		First: &lifecycle.Start{Owner: "p", Timeout: time.Minute, Config: config, Provider: "vendor", Model: "m"},
	})
	if err != nil {
		t.Fatal(err)
	}
	next, err := s.engine.Accept(t.Context(), begun, begun.Attempts[0].ID, provider.Answer{Job: provider.Job{ID: "job of " + begun.ID}}, due)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// acceptedMany makes n of them.
func (s *studio) acceptedMany(t *testing.T, n int, config string, due time.Duration) (ids []string) {
	t.Helper()
	for range n {
		ids = append(ids, s.accepted(t, config, due).ID)
	}
	return ids
}

// say sets what the vendor answers about a task's job.
func (s *studio) say(id string, a provider.Answer, err error) {
	s.says["job of "+id] = func() (provider.Answer, error) { return a, err }
}

func (s *studio) stored(t *testing.T, id string) task.Task {
	t.Helper()
	return reread(t, s.Memory, id)
}

// reset forgets what was counted.
func (s *studio) reset() {
	s.reads, s.views, s.keys, s.asked, s.sent = 0, 0, 0, nil, nil
}

func (s *studio) Task(ctx context.Context, id string) (task.Task, error) {
	s.reads++
	return s.Memory.Task(ctx, id)
}

func (s *studio) View(context.Context) (catalog.View, error) {
	s.views++
	configs := make([]settings.Config, 0, 2)
	for _, id := range []string{"cfg_a", "cfg_b"} {
		configs = append(configs, settings.Config{ID: id, Kind: generation.Image, Provider: "vendor", Model: "m", SecretName: "key of " + id, TimeoutSeconds: 30})
	}
	models, err := catalog.New([]catalog.Model{{Name: "auto", Kind: generation.Image, Auto: true, Price: catalog.Price{Known: true, Credits: 1, Unit: catalog.PerImage}}})
	return catalog.View{Models: models, Configs: configs}, err
}

func (s *studio) Get(context.Context, string) (secret.Value, error) {
	s.keys++
	return secret.New("k"), nil
}

func (s *studio) Keep(_ context.Context, key string, _ generation.Kind, _ provider.File) (generation.Asset, error) {
	s.kept = append(s.kept, fmt.Sprintf("after %d looks", len(s.asked)))
	return generation.Asset{Key: key}, nil
}

func (s *studio) Send(_ context.Context, m task.Message, delay time.Duration) error {
	s.sent = append(s.sent, sent{m, delay})
	return nil
}

// still is a vendor whose jobs run until the studio says otherwise. It allows one
// look in five seconds.
type still struct{ *studio }

func (v *still) Describe() provider.Description {
	return provider.Description{Name: "vendor", Kinds: []generation.Kind{generation.Image}, Jobs: true, PollEvery: pace}
}

func (v *still) Poll(_ context.Context, _ provider.Call, j provider.Job) (provider.Answer, error) {
	v.asked = append(v.asked, j.ID)
	if say, ok := v.says[j.ID]; ok {
		return say()
	}
	return provider.Answer{State: provider.Running, Job: j}, nil
}

func (v *still) Submit(context.Context, provider.Call) (provider.Answer, error) {
	return provider.Answer{}, errors.New("nothing is submitted here")
}
func (v *still) Cancel(context.Context, provider.Call, provider.Job) error { return nil }
func (v *still) Notice(context.Context, provider.Message) (provider.Notice, error) {
	return provider.Notice{}, nil
}

func roundOf(ids []string) task.Message {
	return task.Message{Task: ids[0], Tasks: ids, Config: "cfg_a", Reason: "gather"}
}

func TestASweepPutsTheJobsOfAConfigTogether(t *testing.T) {
	t.Parallel()
	s := newStudio(t)
	a := s.acceptedMany(t, 30, "cfg_a", pace)
	b := s.acceptedMany(t, 3, "cfg_b", pace)
	queued, _, err := s.engine.Begin(t.Context(), lifecycle.Order{Account: account, Request: generation.Request{Kind: generation.Image}, Quote: catalog.Quote{Credits: 1}})
	must(err)
	s.now = s.now.Add(time.Minute)
	s.reset()
	if n, err := s.Sweep(t.Context(), 100); n != 34 || err != nil {
		t.Fatalf("Sweep = %d, %v", n, err)
	}
	if len(s.sent) != 4 || s.reads != 0 {
		t.Fatalf("%d messages and %d reads one by one: %+v", len(s.sent), s.reads, s.sent)
	}
	if m := s.sent[0].Message; m.Task != queued.ID || len(m.Tasks) != 0 {
		t.Errorf("what is not a look-up shares a message: %+v", m)
	}
	together := make([]string, 0, 30)
	for _, m := range s.sent[1:3] {
		if m.Config != "cfg_a" || len(m.Tasks) > 25 {
			t.Errorf("message = %+v", m)
		}
		together = append(together, m.Tasks...)
	}
	slices.Sort(together)
	if !slices.Equal(together, a) {
		t.Errorf("of config a: %v, want %v", together, a)
	}
	if m := s.sent[3].Message; m.Config != "cfg_b" || !slices.Equal(m.Tasks, b) {
		t.Errorf("of config b: %+v, want %v", m, b)
	}
}

func TestARoundLoadsConfigAndKeyOnceAndReadsEachTaskOnce(t *testing.T) {
	t.Parallel()
	s := newStudio(t)
	ids := s.acceptedMany(t, 10, "cfg_a", pace)
	s.now = s.now.Add(pace)
	s.reset()
	must(s.Round(t.Context(), roundOf(ids)))
	if s.views != 1 || s.keys != 1 || s.reads != 10 || len(s.asked) != 10 {
		t.Errorf("%d configurations, %d keys and %d tasks were read for %d look-ups", s.views, s.keys, s.reads, len(s.asked))
	}
	if len(s.sent) != 1 || !slices.Equal(s.sent[0].Tasks, ids) || s.sent[0].delay < pace || s.sent[0].delay > 15*time.Second {
		t.Fatalf("the next round is %+v", s.sent)
	}
	// The round goes on as one, more slowly.
	next := s.sent[0]
	s.now = s.now.Add(next.delay)
	s.reset()
	must(s.Round(t.Context(), next.Message))
	if len(s.asked) != 10 || len(s.sent) != 1 || s.sent[0].delay <= next.delay {
		t.Errorf("%d look-ups, then %+v after %v", len(s.asked), s.sent, next.delay)
	}
}

func TestTheRestOfARoundWaitsForAProviderThatAsksForIt(t *testing.T) {
	t.Parallel()
	down := &fault.Failure{Class: fault.ClassUnavailable}
	for _, one := range []struct {
		name    string
		failure *fault.Failure
		cooling bool
		looks   int
		wait    time.Duration
	}{
		{"asked too often", &fault.Failure{Class: fault.ClassRateLimited, RetryAfter: 40 * time.Second}, false, 2, 40 * time.Second},
		{"the key is refused", &fault.Failure{Class: fault.ClassAuth}, false, 2, pace},
		{"does not answer", down, false, 3, pace},
		{"does not answer, and its breaker is open", down, true, 2, pace},
		{"does not know one job", &fault.Failure{Class: fault.ClassNotFound}, false, 8, pace},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			s := newStudio(t)
			ids := s.acceptedMany(t, 8, "cfg_a", pace)
			s.now = s.now.Add(pace)
			for _, id := range ids[1:] {
				s.say(id, provider.Answer{}, one.failure)
			}
			if one.cooling {
				s.health.Report("cfg_a", &fault.Failure{Class: fault.ClassAuth}, s.now)
				s.say(ids[0], provider.Answer{}, one.failure)
				one.looks = 1
			}
			s.reset()
			must(s.Round(t.Context(), roundOf(ids)))
			if len(s.asked) != one.looks {
				t.Errorf("%d look-ups, want %d", len(s.asked), one.looks)
			}
			last := s.stored(t, ids[7])
			if last.DueAt.Before(s.now.Add(one.wait)) {
				t.Errorf("the last is looked at after %v, want %v", last.DueAt.Sub(s.now), one.wait)
			}
			if polls := last.Attempts[0].Polls; polls != 0 && one.looks < 8 {
				t.Errorf("%d look-ups are counted of a job that was not looked up", polls)
			}
			if len(s.sent) != 1 || len(s.sent[0].Tasks) != 8 || s.sent[0].delay < one.wait {
				t.Errorf("the next round is %+v", s.sent)
			}
		})
	}
}

func TestARoundSettlesAfterTheLastLookAndHandsOnWhatTakesLong(t *testing.T) {
	t.Parallel()
	s := newStudio(t)
	ids := s.acceptedMany(t, 4, "cfg_a", pace)
	s.now = s.now.Add(pace)
	s.say(ids[0], provider.Answer{State: provider.Succeeded, Files: []provider.File{{Data: []byte("x")}}}, nil)
	s.say(ids[1], provider.Answer{State: provider.Failed, Failure: &fault.Failure{Class: fault.ClassJobFailed}}, nil)
	s.reset()
	must(s.Round(t.Context(), roundOf(ids)))
	if got := s.stored(t, ids[0]); got.Status != task.Succeeded || got.Charged != 1 || !slices.Equal(s.kept, []string{"after 4 looks"}) {
		t.Errorf("task = %s, charged %d, kept %v", got.Status, got.Charged, s.kept)
	}
	if len(s.sent) != 2 || s.sent[0].Task != ids[1] || s.sent[0].Reason != "handover" || !slices.Equal(s.sent[1].Tasks, ids[2:]) {
		t.Errorf("sent = %+v", s.sent)
	}
}

func TestARoundCopiesAFewResultsAndLeavesTheOthers(t *testing.T) {
	t.Parallel()
	s := newStudio(t)
	ids := s.acceptedMany(t, 6, "cfg_a", pace)
	s.now = s.now.Add(pace)
	for _, id := range ids {
		s.say(id, provider.Answer{State: provider.Succeeded, Files: []provider.File{{Data: []byte("x")}}}, nil)
	}
	s.reset()
	must(s.Round(t.Context(), roundOf(ids)))
	if len(s.kept) != 4 || len(s.sent) != 2 || s.sent[0].Task != ids[4] || s.sent[1].Task != ids[5] || s.sent[1].Reason != "handover" {
		t.Errorf("kept %v, sent %+v", s.kept, s.sent)
	}
	if got := s.stored(t, ids[3]); got.Status != task.Succeeded {
		t.Errorf("task = %s", got.Status)
	}
}

func TestLooksThatSomebodyElseMadeAreNotRepeated(t *testing.T) {
	t.Parallel()
	s := newStudio(t)
	ids := s.acceptedMany(t, 3, "cfg_a", pace)
	s.now = s.now.Add(pace)
	poll := task.Message{Task: ids[0], Reason: "poll"}
	for range 3 { // the queue doubles messages at will
		if _, err := s.Advance(t.Context(), poll); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.asked) != 1 || len(s.sent) != 1 {
		t.Fatalf("%d look-ups and %d messages came of one message", len(s.asked), len(s.sent))
	}
	for range 3 {
		must(s.Round(t.Context(), roundOf(ids)))
	}
	if len(s.asked) != 3 || len(s.sent) != 2 {
		t.Errorf("%d look-ups and %d messages: %+v", len(s.asked), len(s.sent), s.sent)
	}
	if _, err := s.Advance(t.Context(), task.Message{Task: ids[0], Reason: "notice"}); err != nil || len(s.asked) != 4 {
		t.Errorf("a provider's report led to %d look-ups, %v", len(s.asked)-3, err)
	}
}

func TestATickTakesUpJobsBeforeTheirTimeButNotBeforeTheProviders(t *testing.T) {
	t.Parallel()
	s := newStudio(t)
	early := s.acceptedMany(t, 2, "cfg_a", 12*time.Second)
	s.now = s.now.Add(4 * time.Second)
	late := s.accepted(t, "cfg_a", 6*time.Second)
	s.accepted(t, "cfg_b", 6*time.Second) // alone: its own message looks it up
	s.now = s.now.Add(2 * time.Second)
	s.reset()
	if n, err := s.Sweep(t.Context(), 100); n != 3 || err != nil || len(s.sent) != 1 {
		t.Fatalf("Sweep = %d, %v, sent %+v", n, err, s.sent)
	}
	m := s.sent[0].Message
	s.reset()
	must(s.Round(t.Context(), m))
	if len(s.asked) != 2 || slices.Contains(s.asked, "job of "+late.ID) {
		t.Errorf("looked up %v two seconds after %s was accepted", s.asked, late.ID)
	}
	if len(s.sent) != 1 || !slices.Equal(s.sent[0].Tasks, early) {
		t.Errorf("the next round is %+v", s.sent)
	}
}

func TestARoundHandsOverWhatItHasNoTimeFor(t *testing.T) {
	t.Parallel()
	s := newStudio(t)
	ids := s.acceptedMany(t, 3, "cfg_a", pace)
	s.now = s.now.Add(pace)
	ctx, cancel := context.WithDeadline(t.Context(), s.now.Add(10*time.Second))
	defer cancel()
	s.reset()
	err := s.Round(ctx, roundOf(ids))
	if err != nil || len(s.asked) != 0 || len(s.sent) != 1 || !slices.Equal(s.sent[0].Tasks, ids) || s.sent[0].delay != 0 {
		t.Errorf("Round = %v after %d look-ups, sent %+v", err, len(s.asked), s.sent)
	}
}
