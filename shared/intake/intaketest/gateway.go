// Package intaketest is a whole gateway in memory for the tests of the HTTP
// functions: the real engine, runner and desk over a store in memory, with a
// provider that does as it is told.
package intaketest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"easel/shared/apikey"
	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/failover"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/intake"
	"easel/shared/journal"
	"easel/shared/lifecycle"
	"easel/shared/provider"
	"easel/shared/quota"
	"easel/shared/secret"
	"easel/shared/settings"
	"easel/shared/storetest"
	"easel/shared/task"
)

// Account is who pays in these tests, and Credits is what it was granted.
const (
	Account = "acc_demo"
	Credits = 100
)

// Gateway is the whole. Change its parts before the first request.
type Gateway struct {
	Store    *storetest.Memory
	Engine   *lifecycle.Engine
	Runner   *lifecycle.Runner
	Desk     *intake.Desk
	Quotas   *quota.Book
	Provider *Provider
	Queue    *Queue
	Config   Config
	Keys     Keys
	Auth     httpapi.Authenticator
	// Key authenticates Account's requests.
	Key string
	Log *Log
}

// New returns a gateway with one account, one key that may generate, and one
// config per kind, all of them served by Provider.
func New(t *testing.T) *Gateway {
	t.Helper()
	g := &Gateway{
		Store: &storetest.Memory{}, Provider: &Provider{}, Queue: &Queue{}, Log: &Log{}, Keys: Keys{},
		Config: Config{Models: Models(), Configs: Configs()},
	}
	now := time.Now
	g.Key = g.NewKey(Account, apikey.Generate)
	g.Auth = httpapi.NewKeyAuth(g.Keys, now)
	g.Engine = lifecycle.NewEngine(g.Store, now, NewID)
	g.Runner = lifecycle.NewRunner(lifecycle.Parts{
		Engine: g.Engine, Store: g.Store, Due: g.Store, Many: g.Store, Memory: g.Store, Views: &g.Config,
		Providers: map[string]provider.Provider{ProviderName: g.Provider},
		Keys:      noKeys{}, Keeper: keeper{}, Queue: g.Queue, Health: &failover.Memory{},
		Reporter: reporter{}, Now: now, NewID: NewID, Log: g.Log.Logger(),
	})
	g.Quotas = quota.NewBook(g.Store, g.Store, now)
	g.Desk = &intake.Desk{Views: &g.Config, Server: g.Runner, Replays: g.Runner, Tasks: g.Store, Quotas: g.Quotas, Now: now}
	err := errors.Join(
		g.Store.CreateAccount(t.Context(), credits.Account{ID: Account, CreatedAt: now()}),
		g.Store.Post(t.Context(), credits.ForGrant(Account, "start", Credits, "", "test", now())),
	)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// NewID returns an unguessable id.
func NewID(prefix string) string { return prefix + rand.Text() }

// NewKey adds a key of the account and returns its text.
func (g *Gateway) NewKey(account string, scopes ...apikey.Scope) string {
	text, id, hash := apikey.New()
	g.Keys[id] = apikey.Key{ID: id, Account: account, Hash: hash, Scopes: scopes}
	return text
}

// Do sends one request with Key to the handler. The headers are name, value, ….
func (g *Gateway) Do(t *testing.T, h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, target, reader)
	r.Header.Set("Authorization", "Bearer "+g.Key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Balance returns Account's balance.
func (g *Gateway) Balance(t *testing.T) credits.Balance {
	t.Helper()
	account, err := g.Store.Account(context.WithoutCancel(t.Context()), Account)
	if err != nil {
		t.Fatal(err)
	}
	return account.Balance
}

// WantUntouched fails the test if anything was reserved, spent or begun.
func (g *Gateway) WantUntouched(t *testing.T) {
	t.Helper()
	if b := g.Balance(t); b.Available != Credits || b.Reserved != 0 || b.Spent != 0 {
		t.Errorf("balance = %+v, want nothing reserved or spent", b)
	}
	if tasks := g.Store.Tasks(); len(tasks) != 0 {
		t.Errorf("%d tasks were begun, want none", len(tasks))
	}
}

// Work advances every task that has a message, until none is left.
func (g *Gateway) Work(t *testing.T) {
	t.Helper()
	for m, ok := g.Queue.Next(); ok; m, ok = g.Queue.Next() {
		if _, err := g.Runner.Advance(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
}

// Models are the catalog: painter (image, 10 credits), mover (video, 2 per
// second), writer (text, 1), and one model that no config serves.
func Models() []catalog.Model {
	price := func(credits int64, unit catalog.Unit) catalog.Price {
		return catalog.Price{Known: true, Credits: credits, Unit: unit}
	}
	up := []catalog.Upstream{{Provider: ProviderName, Model: "up"}}
	return []catalog.Model{
		{Name: "auto", Kind: generation.Image, Auto: true, Price: price(10, catalog.PerImage), Limits: catalog.Limits{MaxN: 4}},
		{
			Name: "painter", Kind: generation.Image, Upstreams: up, Price: price(10, catalog.PerImage),
			Limits: catalog.Limits{MaxN: 4, MaxSide: 2048}, Aliases: []catalog.Alias{{Name: "gpt-image-1"}, {Name: "old-painter", Retired: true}},
		},
		{Name: "mover", Kind: generation.Video, Upstreams: up, Price: price(2, catalog.PerSecond), Limits: catalog.Limits{MaxDuration: 10}},
		{Name: "writer", Kind: generation.Text, Upstreams: up, Price: price(1, catalog.PerRequest)},
		{Name: "auto-text", Kind: generation.Text, Auto: true, Price: price(1, catalog.PerRequest)},
		{Name: "orphan", Kind: generation.Image, Upstreams: []catalog.Upstream{{Provider: "nobody", Model: "up"}}, Price: price(1, catalog.PerImage)},
		{Name: "priceless", Kind: generation.Image, Upstreams: up},
	}
}

// Configs returns one active config per kind.
func Configs() []settings.Config {
	kinds := generation.Kinds()
	list := make([]settings.Config, len(kinds))
	for i, kind := range kinds {
		list[i] = settings.Config{
			ID: "cfg_" + string(kind), Name: string(kind), Kind: kind, Provider: ProviderName, Model: "up",
			BaseURL: "https://provider.example", TimeoutSeconds: 10, Active: true, Version: 1,
		}
	}
	return list
}

// Config is a fixed configuration.
type Config struct {
	Models  []catalog.Model
	Configs []settings.Config
}

// View returns the configuration.
func (c *Config) View(context.Context) (catalog.View, error) {
	models, err := catalog.New(c.Models)
	return catalog.View{Models: models, Configs: c.Configs}, err
}

// Keys finds keys in memory.
type Keys map[string]apikey.Key

// Key returns the key with the id, or journal.ErrNotFound.
func (k Keys) Key(_ context.Context, id string) (apikey.Key, error) {
	key, ok := k[id]
	if !ok {
		return apikey.Key{}, journal.ErrNotFound
	}
	return key, nil
}

// Signer signs nothing and returns an address that holds the key.
type Signer struct{}

// Sign returns the object's address.
func (Signer) Sign(_ context.Context, key string, _ time.Duration) (string, error) {
	return "https://assets.example/" + key + "?signed=1", nil
}

// Log collects what is logged.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all that was logged.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Logger returns a logger that writes JSON lines here.
func (l *Log) Logger() *slog.Logger { return slog.New(slog.NewJSONHandler(l, nil)) }

type noKeys struct{}

func (noKeys) Get(context.Context, string) (secret.Value, error) { return secret.Value{}, nil }

type keeper struct{}

func (keeper) Keep(_ context.Context, key string, kind generation.Kind, f provider.File) (generation.Asset, error) {
	contentType := "image/png"
	if kind == generation.Video {
		contentType = "video/mp4"
	}
	return generation.Asset{Key: key, ContentType: contentType, Bytes: int64(len(f.Data)), Width: 8, Height: 8, SHA256: "00"}, nil
}

type reporter struct{}

func (reporter) Report(context.Context, task.Task) (int, error) { return http.StatusOK, nil }
