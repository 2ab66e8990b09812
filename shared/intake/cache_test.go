package intake_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/intake"
	"easel/shared/intake/intaketest"
	"easel/shared/journal"
	"easel/shared/provider"
	"easel/shared/replycache"
	"easel/shared/task"
)

// replies is a store of answers whose files are always there.
type replies struct {
	mu      sync.Mutex
	entries map[string]replycache.Entry
	reads   int
}

func (r *replies) Reply(_ context.Context, key string) (replycache.Entry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads++
	e, ok := r.entries[key]
	if !ok {
		return e, journal.ErrNotFound
	}
	return e, nil
}

func (r *replies) PutReply(_ context.Context, key string, e replycache.Entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries[key] = e
	return nil
}

func (r *replies) Exists(context.Context, string) (bool, error) { return true, nil }

// remembering is a gateway with a cache, and what the cache said so far.
type remembering struct {
	*intaketest.Gateway

	store *replies
	said  []string
}

func newRemembering(t *testing.T) *remembering {
	t.Helper()
	g := &remembering{Gateway: intaketest.New(t), store: &replies{entries: map[string]replycache.Entry{}}}
	cache := &replycache.Cache{Store: g.store, Files: g.store, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	g.Runner.Results = cache
	g.Desk.Results, g.Desk.Answerer = cache, g.Runner
	return g
}

// ask places a request that waits for its end, with the wish.
func (g *remembering) ask(t *testing.T, r generation.Request, edit func(*intake.Ticket)) intake.Placed {
	t.Helper()
	ticket := intake.Ticket{Request: r, Wait: time.Minute, Cache: replycache.Wish{
		Seconds: 60, Tell: func(o replycache.Outcome) { g.said = append(g.said, string(o)) },
	}}
	if edit != nil {
		edit(&ticket)
	}
	placed, err := place(t, g.Gateway, ticket)
	if err != nil {
		t.Fatal(err)
	}
	return placed
}

func (g *remembering) wantSaid(t *testing.T, want string) {
	t.Helper()
	if got := strings.Join(g.said, " "); got != want {
		t.Errorf("the cache said %q, want %q", got, want)
	}
}

func seeded() generation.Request {
	return generation.Request{Kind: generation.Image, Model: "painter", Prompt: "a fox", N: 2, Seed: new(int64(7))}
}

func TestTheSameRequestIsAnsweredFromTheCacheForNothing(t *testing.T) {
	t.Parallel()
	g := newRemembering(t)
	first := g.ask(t, seeded(), nil)
	again := g.ask(t, seeded(), func(k *intake.Ticket) {
		k.User, k.Metadata, k.CallbackURL = "ann", map[string]string{"order": "7"}, "https://example.com/done"
	})
	g.wantSaid(t, "MISS HIT")
	made := again.Task
	if made.ID == first.Task.ID || made.Status != task.Succeeded || made.Caching.From != first.Task.ID || len(made.Outputs) != 2 ||
		made.Outputs[0].Key != first.Task.Outputs[0].Key || made.Price != 0 || made.Charged != 0 || made.Reserved != 0 || made.Metadata["order"] != "7" {
		t.Errorf("the answer is %+v", made)
	}
	if calls := len(g.Provider.Calls()); calls != 1 {
		t.Errorf("the provider was called %d times", calls)
	}
	if b := g.Balance(t); b.Spent != 20 || b.Reserved != 0 || b.Check() != nil {
		t.Errorf("balance = %+v", b)
	}
	stored, err := g.Store.Task(t.Context(), made.ID)
	if err != nil || stored.Status != task.Succeeded || stored.Delivery.NextAt.IsZero() {
		t.Errorf("stored is %+v, %v", stored, err)
	}
	// Whoever asked for a report gets one.
	if m, ok := g.Queue.Next(); !ok || m.Task != made.ID {
		t.Errorf("the worker is told %+v", m)
	}
}

func TestAReplayWinsOverTheCache(t *testing.T) {
	t.Parallel()
	g := newRemembering(t)
	once := func(key, hash string) func(*intake.Ticket) {
		return func(k *intake.Ticket) { k.IdempotencyKey, k.Hash = key, hash }
	}
	first := g.ask(t, seeded(), once("a", "h"))
	if again := g.ask(t, seeded(), once("a", "h")); !again.Replayed || again.Task.ID != first.Task.ID {
		t.Errorf("a replay is %+v", again)
	}
	hit := g.ask(t, seeded(), once("b", "h"))
	if again := g.ask(t, seeded(), once("b", "h")); !again.Replayed || again.Task.ID != hit.Task.ID || hit.Task.ID == first.Task.ID {
		t.Errorf("the replay of a hit is %+v", again)
	}
	g.wantSaid(t, "MISS HIT")
	ticket := intake.Ticket{Request: seeded(), IdempotencyKey: "b", Hash: "other", Cache: replycache.Wish{Seconds: 60}}
	if _, err := place(t, g.Gateway, ticket); fault.CodeOf(err) != fault.IdempotencyMismatch {
		t.Errorf("error = %v", err)
	}
}

func TestWhatARequestMaySayToTheCache(t *testing.T) {
	t.Parallel()
	g := newRemembering(t)
	seeded := func() generation.Request {
		r := seeded()
		r.N = 1
		return r
	}
	g.ask(t, seeded(), func(k *intake.Ticket) { k.Cache.NoStore = true })
	g.ask(t, seeded(), nil)
	g.ask(t, seeded(), func(k *intake.Ticket) { k.Cache.NoCache = true })
	g.ask(t, seeded(), nil)
	unseeded := seeded()
	unseeded.Seed = nil
	g.ask(t, unseeded, nil)
	g.ask(t, unseeded, func(k *intake.Ticket) { k.Cache.Unseeded = true })
	g.ask(t, unseeded, func(k *intake.Ticket) { k.Cache.Unseeded = true })
	byURL := seeded()
	byURL.Image = "https://example.com/a.png" // nothing fetches it here, so its content is not known
	g.ask(t, byURL, nil)
	g.wantSaid(t, "BYPASS MISS BYPASS HIT BYPASS MISS HIT BYPASS")
	if reads := g.store.reads; reads != 4 {
		t.Errorf("the cache was read %d times, want 4", reads)
	}
	g.ask(t, seeded(), func(k *intake.Ticket) { k.Cache.Seconds = 0 })
	if g.wantSaid(t, "BYPASS MISS BYPASS HIT BYPASS MISS HIT BYPASS"); g.store.reads != 4 {
		t.Error("a key without a cache reads it")
	}
}

func TestWhatFailedOrCostsOtherwiseIsNotAnswered(t *testing.T) {
	t.Parallel()
	g := newRemembering(t)
	g.Provider.OnSubmit = func(context.Context, provider.Call) (provider.Answer, error) {
		return provider.Answer{}, &fault.Failure{Class: fault.ClassModerated}
	}
	g.ask(t, seeded(), nil)
	g.Provider.OnSubmit = nil
	g.ask(t, seeded(), nil)
	g.Config.Configs[0].Version++ // an operator has changed the config
	g.ask(t, seeded(), nil)
	g.Config.Models[1].Price.Credits = 7 // and the model's price
	g.ask(t, seeded(), nil)
	g.wantSaid(t, "MISS MISS MISS MISS")
}

func TestAnotherAccountIsNotAnswered(t *testing.T) {
	t.Parallel()
	g := newRemembering(t)
	g.ask(t, seeded(), nil)
	ticket := intake.Ticket{Account: "acc_other", Request: seeded(), Wait: time.Minute, Cache: replycache.Wish{Seconds: 60}}
	checked, err := g.Desk.Check(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	if placed, err := g.Desk.Place(t.Context(), checked); fault.CodeOf(err) != fault.InsufficientCredits {
		t.Errorf("an account without credits gets %+v, %v", placed.Task, err)
	}
}

func TestARefusedPromptIsNotAnsweredFromTheCache(t *testing.T) {
	t.Parallel()
	g := newRemembering(t)
	g.ask(t, seeded(), nil)
	g.Desk.Filter = refusing{}
	ticket := intake.Ticket{Request: seeded(), Cache: replycache.Wish{Seconds: 60}}
	if _, err := place(t, g.Gateway, ticket); fault.CodeOf(err) != fault.ContentRejected {
		t.Errorf("error = %v", err)
	}
}

// refusing refuses every prompt.
type refusing struct{}

func (refusing) Check(context.Context, intake.Ticket) error {
	return fault.New(fault.ContentRejected, "refused")
}

func TestAStreamIsAnsweredFromTheCacheInOnePiece(t *testing.T) {
	t.Parallel()
	g := newRemembering(t)
	g.Desk.Streamer = g.Runner
	for i, want := range []string{"MISS", "MISS HIT"} {
		ticket := intake.Ticket{
			Account: intaketest.Account, Request: generation.Request{Kind: generation.Text, Prompt: "hello"}, Wait: time.Minute,
			Cache: replycache.Wish{Seconds: 60, Tell: func(o replycache.Outcome) { g.said = append(g.said, string(o)) }},
		}
		checked, err := g.Desk.Check(t.Context(), ticket)
		if err != nil {
			t.Fatal(err)
		}
		var pieces []string
		placed, err := g.Desk.Stream(t.Context(), checked, func(text string) error {
			g.wantSaid(t, want) // while headers can still be set
			pieces = append(pieces, text)
			return nil
		})
		if err != nil || strings.Join(pieces, "") != "some words" || placed.Task.Usage.OutputTokens != 2 || placed.Replayed {
			t.Errorf("stream %d = %q, %+v, %v", i, pieces, placed, err)
		}
	}
	if len(g.Provider.Calls()) != 1 || g.Balance(t).Spent != 1 {
		t.Errorf("%d calls, balance %+v", len(g.Provider.Calls()), g.Balance(t))
	}
}
