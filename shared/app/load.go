package app

import (
	"context"
	"io"
	"time"

	"easel/shared/assets"
	"easel/shared/dynamo"
	"easel/shared/emf"
	"easel/shared/env"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/lambdahttp"
	"easel/shared/provider/cloudflare"
	"easel/shared/queue"
	"easel/shared/safehttp"
	"easel/shared/secrets"
	"easel/shared/settings"
	"easel/shared/task"
)

// headerMargin is added to the longest timeout of a config, so that the config's
// own timeout is the one that ends a call.
const headerMargin = 10 * time.Second

// gatherAhead is how far ahead of their time a tick takes up look-ups: as long as
// a job without a webhook waits for the next one, so that after a tick or two all of
// a config's jobs are looked up together, and not each by an invocation of its own.
const gatherAhead = 15 * time.Second

// Load returns the gateway of a deployed function, made from its environment and
// its role's credentials. It opens no connection. The log learns every secret that
// the gateway reads.
func Load(ctx context.Context, logs *Log) (*App, env.Deployment, error) {
	d, err := env.Load()
	if err != nil {
		return nil, d, err
	}
	role, err := env.LoadAWS()
	if err != nil {
		return nil, d, err
	}
	clients := newClients(role)
	manager := secrets.NewManager(clients.secrets, secrets.ManagerOptions{Prefix: d.SecretPrefix})
	meter := emf.New(emf.Options{Out: logs.out, Stage: d.Stage, Now: time.Now, Log: logs.Logger})
	metrics := NewMetrics(meter, d.Function, time.Now, logs.Logger)
	longest := settings.MaxTimeout*time.Second + headerMargin
	store := secrets.NewCached(learning{manager, logs.Redactor}, secrets.CachedOptions{})
	return New(Parts{
		Store: dynamo.New(clients.dynamo, dynamo.Options{
			Prefix: d.TablePrefix, TaskTTL: d.TaskRetention, UsageTTL: d.UsageRetention,
		}),
		Secrets:   store,
		Assets:    assets.New(clients.s3, assets.Options{Bucket: d.Bucket}),
		Queue:     queue.NewSQS(clients.sqs, d.QueueURL),
		Providers: Providers(ThroughGateways(safehttp.New(safehttp.Options{AllowLoopback: reachLoopback, AnyPort: true, HeaderTimeout: longest}))),
		Prepare:   Gateway{URL: d.CloudflareGatewayURL, Routes: cloudflare.DefaultRoutes(), Secrets: store}.Prepare,
		Fetch:     safehttp.New(safehttp.Options{AllowLoopback: reachLoopback}),
		Deliver:   safehttp.New(safehttp.Options{AllowLoopback: reachLoopback, NoRedirect: true}),
		CheckURL:  func(raw string) error { return safehttp.CheckURL(raw, safehttp.Options{AllowLoopback: reachLoopback}) },
		PublicURL: d.PublicURL,
		Gather:    gatherAhead,
		PriceCap:  d.PriceCapMicroUSD,
		Metrics:   metrics,
		Now:       time.Now,
		Log:       logs.Logger,
	}), d, nil
}

// Lambda is how a deployed function runs its handler.
func Lambda(d env.Deployment, logs *Log) lambdahttp.Options {
	return lambdahttp.Options{Mode: lambdahttp.Mode(d.ResponseMode), Logger: logs.Logger}
}

// Auth returns an Authenticator over [App.Keys].
func (a *App) Auth() *httpapi.KeyAuth {
	return httpapi.NewKeyAuth(a.Keys, a.Now).WithLimits(a.Limiter)
}

// Lister lists an account's tasks for the task function.
type Lister struct{ Store *dynamo.Store }

// ListTasks returns one page of the account's tasks, newest first.
func (l Lister) ListTasks(ctx context.Context, account string, s task.Status, k generation.Kind, cursor string, limit int) ([]task.Task, string, error) {
	return l.Store.TasksByAccount(ctx, account, dynamo.TaskFilter{Status: s, Kind: k}, cursor, limit)
}

// Files opens stored outputs.
type Files struct{ Assets *assets.Store }

// OpenFile returns the object's bytes. The caller closes the reader.
func (f Files) OpenFile(ctx context.Context, key string) (io.ReadCloser, error) {
	body, _, err := f.Assets.Open(ctx, key)
	return body, err
}
