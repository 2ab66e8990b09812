package replycache_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"easel/shared/catalog"
	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/replycache"
	"easel/shared/settings"
	"easel/shared/task"
)

// memory is a store and its files.
type memory struct {
	entries map[string]replycache.Entry
	gone    map[string]bool
	fail    error
}

func (m *memory) Reply(ctx context.Context, key string) (replycache.Entry, error) {
	e, ok := m.entries[key]
	switch {
	case m.fail != nil:
		return e, m.fail
	case !ok:
		return e, journal.ErrNotFound
	}
	return e, ctx.Err()
}

func (m *memory) PutReply(_ context.Context, key string, e replycache.Entry) error {
	if m.fail == nil {
		m.entries[key] = e
	}
	return m.fail
}

func (m *memory) Exists(_ context.Context, key string) (bool, error) {
	return !m.gone[key], m.fail
}

type bundle struct {
	*memory

	cache *replycache.Cache
	at    time.Time
	log   *bytes.Buffer
}

func setup() *bundle {
	b := &bundle{
		memory: &memory{entries: map[string]replycache.Entry{}, gone: map[string]bool{}},
		at:     time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), log: &bytes.Buffer{},
	}
	b.cache = &replycache.Cache{
		Store: b.memory, Files: b.memory, Now: func() time.Time { return b.at }, Log: slog.New(slog.NewTextHandler(b.log, nil)),
	}
	return b
}

// painted is a task that succeeded with two pictures.
func painted() task.Task {
	return task.Task{
		ID: "task_1", Account: "acc", Kind: generation.Image, Status: task.Succeeded,
		Request: generation.Request{Kind: generation.Image, Prompt: "canary prompt", N: 2}, Metadata: map[string]string{"x": "canary"},
		Outputs: []generation.Asset{{Key: "out/1"}, {Key: "out/2"}}, Usage: generation.Usage{Images: 2, CostMicroUSD: 9},
		Caching: task.Caching{Key: "k", Seconds: 60},
	}
}

func TestWhatSucceededIsFoundUntilItIsOver(t *testing.T) {
	t.Parallel()
	b := setup()
	b.cache.Keep(t.Context(), painted())
	e, ok := b.cache.Find(t.Context(), "k", "acc")
	if !ok || e.Task != "task_1" || len(e.Outputs) != 2 || e.Usage.Images != 2 || e.Usage.CostMicroUSD != 0 {
		t.Fatalf("found %+v, %t", e, ok)
	}
	if doc, err := json.Marshal(e); err != nil || strings.Contains(string(doc), "canary") {
		t.Errorf("the entry holds what was asked for: %s, %v", doc, err)
	}
	if _, ok := b.cache.Find(t.Context(), "k", "other"); ok {
		t.Error("another account is answered")
	}
	if _, ok := b.cache.Find(t.Context(), "other", "acc"); ok {
		t.Error("another request is answered")
	}
	b.at = b.at.Add(time.Minute)
	if _, ok := b.cache.Find(t.Context(), "k", "acc"); ok {
		t.Error("an answer is used that is over")
	}
}

func TestOnlyWholeAnswersThatWereMadeAreKept(t *testing.T) {
	t.Parallel()
	for what, edit := range map[string]func(*task.Task){
		"a key that does not opt in": func(t *task.Task) { t.Caching = task.Caching{} },
		"an answer from the cache":   func(t *task.Task) { t.Caching.From = "task_0" },
		"a failed task":              func(t *task.Task) { t.Status = task.Failed },
		"half of the pictures":       func(t *task.Task) { t.Outputs = t.Outputs[:1] },
		"a text without words":       func(t *task.Task) { t.Kind = generation.Text },
	} {
		b := setup()
		made := painted()
		edit(&made)
		b.cache.Keep(t.Context(), made)
		if len(b.entries) != 0 {
			t.Errorf("%s is kept: %+v", what, b.entries)
		}
	}
}

func TestAnAnswerWhoseFileIsGoneIsNotUsed(t *testing.T) {
	t.Parallel()
	b := setup()
	b.cache.Keep(t.Context(), painted())
	b.gone["out/2"] = true
	if _, ok := b.cache.Find(t.Context(), "k", "acc"); ok {
		t.Error("it is used")
	}
}

func TestACacheThatFailsIsNone(t *testing.T) {
	t.Parallel()
	b := setup()
	b.fail = errors.New("down")
	b.cache.Keep(t.Context(), painted())
	if _, ok := b.cache.Find(t.Context(), "k", "acc"); ok || strings.Count(b.log.String(), "level=WARN") != 2 {
		t.Errorf("found %t; the log says %s", ok, b.log)
	}
}

func subject() replycache.Subject {
	return replycache.Subject{
		Account: "acc",
		Request: generation.Request{
			Kind: generation.Image, Model: "painter", Prompt: "a fox", Seed: new(int64(7)),
			Options: map[string]json.RawMessage{"a": json.RawMessage(`{"x":1,"y":[1,2]}`), "b": json.RawMessage(`1`)},
		},
		Model:   catalog.Model{Name: "painter", Kind: generation.Image},
		Configs: []settings.Config{{ID: "c", Kind: generation.Image, Active: true, Version: 1}, {ID: "d", Kind: generation.Text, Active: true}},
	}
}

func key(t *testing.T, s replycache.Subject) string {
	t.Helper()
	k, err := s.Key()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTheSameRequestHasTheSameKey(t *testing.T) {
	t.Parallel()
	first, second := subject(), subject()
	second.Request.Options = map[string]json.RawMessage{"b": json.RawMessage(` 1 `), "a": json.RawMessage(`{ "y": [1, 2], "x": 1 }`)}
	second.Configs[1].Version = 9 // of another kind
	second.Configs = append(second.Configs, settings.Config{ID: "e", Kind: generation.Image})
	if a, b := key(t, first), key(t, second); a != b || len(a) != 64 {
		t.Errorf("keys %s and %s", a, b)
	}
}

func TestEverythingThatMattersIsInTheKey(t *testing.T) {
	t.Parallel()
	seen := map[string]string{key(t, subject()): "the first"}
	for what, edit := range map[string]func(*replycache.Subject){
		"account":  func(s *replycache.Subject) { s.Account = "other" },
		"prompt":   func(s *replycache.Subject) { s.Request.Prompt = "a cat" },
		"negative": func(s *replycache.Subject) { s.Request.NegativePrompt = "blur" },
		"model":    func(s *replycache.Subject) { s.Request.Model = "other" },
		"number":   func(s *replycache.Subject) { s.Request.N = 2 },
		"size":     func(s *replycache.Subject) { s.Request.Size = "512x512" },
		"ratio":    func(s *replycache.Subject) { s.Request.AspectRatio = "1:1" },
		"quality":  func(s *replycache.Subject) { s.Request.Quality = "low" },
		"format":   func(s *replycache.Subject) { s.Request.Format = "png" },
		"duration": func(s *replycache.Subject) { s.Request.Duration = 5 },
		"fps":      func(s *replycache.Subject) { s.Request.FPS = 24 },
		"seed":     func(s *replycache.Subject) { s.Request.Seed = new(int64(8)) },
		"no seed":  func(s *replycache.Subject) { s.Request.Seed = nil },
		"image":    func(s *replycache.Subject) { s.Request.Image = "asset:in/1" },
		"mask":     func(s *replycache.Subject) { s.Request.Mask = "asset:in/1" },
		"strength": func(s *replycache.Subject) { s.Request.Strength = new(0.5) },
		"lora":     func(s *replycache.Subject) { s.Request.Loras = []generation.Lora{{Path: "a/b"}} },
		"options":  func(s *replycache.Subject) { s.Request.Options["b"] = json.RawMessage(`2`) },
		"messages": func(s *replycache.Subject) { s.Request.Messages = []generation.Message{{Role: "user", Content: "a"}} },
		"system":   func(s *replycache.Subject) { s.Request.System = "a" },
		"tokens":   func(s *replycache.Subject) { s.Request.MaxTokens = 5 },
		"heat":     func(s *replycache.Subject) { s.Request.Temperature = new(0.5) },
		"kind":     func(s *replycache.Subject) { s.Request.Kind = generation.Video },
		"an edited model": func(s *replycache.Subject) {
			s.Model.Upstreams = []catalog.Upstream{{Provider: "p", Model: "new"}}
		},
		"an edited config":  func(s *replycache.Subject) { s.Configs[0].Version = 2 },
		"a config switched": func(s *replycache.Subject) { s.Configs[0].Active = false },
	} {
		s := subject()
		edit(&s)
		k := key(t, s)
		if other, ok := seen[k]; ok {
			t.Errorf("%s and %s have one key", what, other)
		}
		seen[k] = what
	}
}

func TestWhichAnswersAreRemembered(t *testing.T) {
	t.Parallel()
	seeded, unseeded, text := generation.Request{Kind: generation.Image, Seed: new(int64(1))}, generation.Request{Kind: generation.Video}, generation.Request{Kind: generation.Text}
	for _, tt := range []struct {
		wish                   replycache.Wish
		seeded, unseeded, text bool
	}{
		{replycache.Wish{}, false, false, false},
		{replycache.Wish{Seconds: 60}, true, false, true},
		{replycache.Wish{Seconds: 60, NoCache: true}, true, false, true},
		{replycache.Wish{Seconds: 60, NoStore: true}, false, false, false},
		{replycache.Wish{Seconds: 60, Unseeded: true}, true, true, true},
	} {
		if tt.wish.Remembers(seeded) != tt.seeded || tt.wish.Remembers(unseeded) != tt.unseeded || tt.wish.Remembers(text) != tt.text {
			t.Errorf("%+v remembers otherwise", tt.wish)
		}
	}
}
