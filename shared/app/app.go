// Package app puts the gateway together. It is wiring alone: what differs
// between a deployed function and a laptop comes in through [Parts], and both
// get the same lifecycle, the same store and the same handlers' dependencies.
package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"easel/shared/assets"
	"easel/shared/batch"
	"easel/shared/dynamo"
	"easel/shared/endpoint"
	"easel/shared/env"
	"easel/shared/failover"
	"easel/shared/health"
	"easel/shared/httpapi"
	"easel/shared/intake"
	"easel/shared/journal"
	"easel/shared/lifecycle"
	"easel/shared/limit"
	"easel/shared/notice"
	"easel/shared/preference"
	"easel/shared/provider"
	"easel/shared/quota"
	"easel/shared/replycache"
	"easel/shared/secret"
	"easel/shared/secrets"
	"easel/shared/settings"
	"easel/shared/task"
)

// Sender puts messages on the worker's queue.
type Sender interface {
	Send(ctx context.Context, body []byte, delay time.Duration) error
}

// Parts are what a gateway is made of. All are required but where it says so.
type Parts struct {
	Store     *dynamo.Store
	Secrets   secrets.Store
	Assets    *assets.Store
	Queue     Sender
	Providers map[string]provider.Provider
	// Fetch downloads providers' files and callers' images, and Deliver reports to callers' endpoints;
	// both keep away from private addresses.
	Fetch, Deliver *http.Client
	// CheckURL says what is wrong with a URL that a caller chose; nil accepts all.
	CheckURL func(raw string) error
	// PublicURL is where providers and callers reach the gateway, without a
	// trailing slash; "" turns webhooks from providers off.
	PublicURL string
	// Gather is lifecycle's: how far ahead of their time a sweep takes up look-ups.
	Gather time.Duration
	// Health holds the breakers' constants; the zero value uses the defaults.
	Health health.Policy
	// PriceCap is the most that all attempts of a task may cost together, in
	// micro-USD; 0 is no cap.
	PriceCap int64
	// Metrics may be nil: then nothing is published.
	Metrics *Metrics
	// Prepare completes calls, such as for a proxy; it may be nil.
	Prepare func(ctx context.Context, c *provider.Call, config settings.Config) error
	Now     func() time.Time
	Log     *slog.Logger
}

// App is a gateway whose parts are connected. It is safe for concurrent use.
type App struct {
	Parts

	Views  *Views
	Engine *lifecycle.Engine
	Runner *lifecycle.Runner
	Desk   *intake.Desk
	Quotas *quota.Book
	// Preferences remember what requests need to know of accounts.
	Preferences *preference.Book
	// Results remember what requests were answered with, where keys opt in.
	Results *replycache.Cache
	// Monitor knows the health of configs, and Limiter their limits and the callers'.
	Monitor *health.Monitor
	Limiter *limit.Limiter
	// Latencies are how quick configs were, as this process saw it.
	Latencies *failover.Memory
	// Keys are the API keys, each remembered for a few seconds.
	Keys *httpapi.KeyCache
	// Endpoints know where callers take reports and what signs them.
	Endpoints *endpoint.Registry
	// Notices tells the operator's endpoint of the deployment.
	Notices *notice.Courier

	awaited *awaited
	// Batches take many requests at once and carry them out.
	Batches *batch.Engine
}

// NewID returns an id that nobody can guess, ordered by time: a prefix and a
// UUID of version 7 without its dashes.
func NewID(prefix string) string {
	id, err := uuid.NewV7()
	if err != nil {
		id = uuid.New() // panics when the system has no randomness, as nothing can go on then
	}
	return prefix + strings.ReplaceAll(id.String(), "-", "")
}

// New connects the parts. It opens no connection.
func New(p Parts) *App {
	limiter := limit.New(p.Store, p.Now)
	a := &App{Latencies: &failover.Memory{}, Limiter: limiter, Parts: p, Views: NewViews(p.Store, p.Now), Preferences: preference.NewBook(p.Store, p.Now)}
	a.Quotas = quota.NewBook(a.Preferences, p.Store, p.Now)
	a.Keys = httpapi.NewKeyCache(p.Store, p.Now)
	a.Endpoints = &endpoint.Registry{Store: p.Store, Secrets: p.Secrets, Now: p.Now, NewID: NewID}
	a.Monitor, a.Notices = a.newMonitor(), a.newCourier()
	guard := &gate{monitor: a.Monitor, limiter: limiter, log: p.Log}
	inputs := images{store: p.Assets, providers: p.Providers, client: p.Fetch}
	a.Results = &replycache.Cache{Store: p.Store, Files: p.Assets, Now: p.Now, Log: p.Log}
	a.awaited = &awaited{store: p.Store, queue: p.Queue, metrics: p.Metrics, promised: a.promised, now: p.Now, log: p.Log}
	store := p.Metrics.store(p.Store, a.awaited, a.bookCost)
	reports := &reporter{assets: p.Assets, endpoints: a.Endpoints, client: p.Deliver, now: p.Now, log: p.Log}
	a.Engine = lifecycle.NewEngine(store, p.Now, NewID)
	a.Runner = lifecycle.NewRunner(lifecycle.Parts{
		Engine: a.Engine, Store: store, Due: p.Metrics.due(p.Store, p.Store), Many: p.Store, Gather: p.Gather, Memory: p.Store, Views: a.Views, Providers: p.Providers, Keys: p.Secrets,
		Keeper: keeper{p.Assets, p.Fetch}, Queue: Queue{p.Queue}, Health: guard, Gate: guard, Callers: callers{limiter, p.Log}, Latencies: a.Latencies,
		Results:     a.Results,
		Reporter:    reports,
		Policy:      failover.Policy{PriceCap: p.PriceCap},
		CallbackURL: a.callbackURL, Prepare: inputs.before(p.Prepare), Now: p.Now, NewID: NewID, Log: p.Log,
	})
	a.Desk = &intake.Desk{
		Views: a.Views, Server: a.Runner, Streamer: a.Runner, Replays: a.Runner, Tasks: p.Store, CheckURL: p.CheckURL, Uploads: inputs, Quotas: a.Quotas,
		Preferences: a.Preferences, Results: a.Results, Answerer: a.Runner, Now: p.Now,
		Filter: &contentFilter{views: a.Views, keys: a.Keys, secrets: p.Secrets, client: p.Deliver, log: p.Log},
	}
	a.Batches = a.newBatches(reports)
	return a
}

// callbackURL is where a provider reports about an attempt.
func (a *App) callbackURL(providerName, taskID, attemptID string) string {
	if a.PublicURL == "" {
		return ""
	}
	query := url.Values{"task": {taskID}, "attempt": {attemptID}}
	return a.PublicURL + "/api/webhooks/" + providerName + "?" + query.Encode()
}

// bookCost is what the price book says that an attempt costs; 0 is not known.
func (a *App) bookCost(ctx context.Context, t task.Task, attempt task.Attempt) int64 {
	view, err := a.Views.View(ctx)
	if err != nil {
		return 0
	}
	m, err := view.Models.Resolve(t.Kind, t.Model)
	if err != nil {
		return 0
	}
	return lifecycle.BookCost(t, attempt, m.Model)
}

// promised reports whether a provider reports the ends of its jobs to us.
func (a *App) promised(providerName string) bool {
	p, ok := a.Providers[providerName]
	return ok && a.PublicURL != "" && p.Describe().Webhooks
}

// KeySecret is the name of a config's key in the secret store.
func KeySecret(configID string) string { return env.ConfigSecrets + configID }

// WebhookSecretName is the name of what a config's webhooks are signed with.
func WebhookSecretName(configID string) string { return env.ConfigSecrets + configID + "-webhook" }

// ProviderWebhookSecretName is the secret of the webhooks of a whole provider,
// where a config has none of its own.
func ProviderWebhookSecretName(providerName string) string {
	return env.ConfigSecrets + "webhook-" + providerName
}

// WebhookSecret gives the secret that a config's webhooks are signed with: the
// config's own, else its provider's, else none.
func (a *App) WebhookSecret(ctx context.Context, c settings.Config) (secret.Value, error) {
	for _, name := range []string{WebhookSecretName(c.ID), ProviderWebhookSecretName(c.Provider)} {
		value, err := a.Secrets.Get(ctx, name)
		if err == nil || !errors.Is(err, secrets.ErrNotFound) {
			return value, err
		}
	}
	return secret.Value{}, nil
}

// Queue sends tasks' messages as JSON.
type Queue struct{ Sender }

// Send puts a message on the worker's queue.
func (q Queue) Send(ctx context.Context, m task.Message, delay time.Duration) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	return q.Sender.Send(ctx, body, min(delay, maxDelay))
}

// maxDelay is the longest delay of the queue; who needs more is swept.
const maxDelay = 15 * time.Minute

// Missing reports whether err says that a thing is not in the store.
func Missing(err error) bool { return errors.Is(err, journal.ErrNotFound) }
