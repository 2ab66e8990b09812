// Package local runs the whole gateway in one process: every function on one
// mux, the worker on a queue in memory, the embedded database engine as a child
// process, assets on disk behind the S3 API, and simulated providers. The code
// that serves a request is the code that runs deployed; only what it talks to
// is near.
package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"easel/functions/worker/workerjob"
	"easel/shared/app"
	"easel/shared/assets/disk"
	"easel/shared/dynamo"
	"easel/shared/dynamo/engine"
	"easel/shared/env"
	"easel/shared/health"
	"easel/shared/provider/simulator"
	"easel/shared/queue"
	"easel/shared/secret"
	"easel/shared/secrets"
)

// Options say how to run. The zero value of a field is its default.
type Options struct {
	env.Local

	// Console serves the operator's console; nil leaves it out.
	Console http.Handler
	// Log receives the gateway's log.
	Log *slog.Logger
	// Redactor learns every key that is used, so that Log can hide them.
	Redactor *secret.Redactor
	// Counter, if set, counts the store's round trips.
	Counter *dynamo.Counter
	// Draft makes the simulated providers draw small, coarsely and fast, for tests
	// and measurements.
	Draft bool
	// Health holds the breakers' constants; the zero value uses the defaults.
	Health health.Policy
	// SweepEvery is how often due tasks are looked for; 0 is two seconds. Deployed
	// it is a minute: here a restart shall show its effect at once.
	SweepEvery time.Duration
}

// FromEnvironment returns the options that the environment asks for.
func FromEnvironment() (Options, error) {
	l, err := env.LoadLocal()
	return Options{Local: l}, err
}

// Gateway is a running gateway. Close it when done.
type Gateway struct {
	// URL is where it listens, without a trailing slash.
	URL string
	// AdminKey opens the admin API and the console; APIKey is a caller's, of the
	// account Account.
	AdminKey, APIKey, Account string
	// Simulator is the set of simulated providers.
	Simulator *simulator.Server
	// App is the gateway's inside.
	App *app.App
	// Queue is the worker's queue.
	Queue *queue.Local

	options  Options
	folder   string
	removed  bool
	client   *dynamodb.Client
	engine   *engine.Engine
	listener net.Listener
	server   *http.Server
	disk     *disk.Server
	stop     context.CancelFunc
	running  sync.WaitGroup
	failed   chan error
}

const (
	defaultSweep  = 2 * time.Second
	sweepLimit    = 200
	drainFor      = 10 * time.Second
	retryDelay    = 2 * time.Second
	visibility    = 6 * time.Minute
	headerTimeout = 10 * time.Second
	// modelCheckDelay keeps the daily check of models away from the first requests.
	modelCheckDelay = time.Minute
	// TablePrefix precedes the names of the tables of local mode.
	TablePrefix = "easel-local-"
)

// Start runs a gateway and returns when it answers requests. ctx bounds the
// start alone. On an error nothing is left running.
func Start(ctx context.Context, o Options) (*Gateway, error) {
	g := &Gateway{options: o.withDefaults(), failed: make(chan error, 1)}
	for _, step := range []func(context.Context) error{
		g.openFolder, g.listen, g.openStore, g.connect, g.seed, g.serve,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, g.Close())
		}
	}
	return g, nil
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Redactor == nil {
		o.Redactor = secret.NewRedactor()
	}
	if o.SweepEvery == 0 {
		o.SweepEvery = defaultSweep
	}
	if o.Addr == "" {
		o.Addr = env.DefaultAddr
	}
	return o
}

// openFolder makes the folder that everything is kept in.
func (g *Gateway) openFolder(context.Context) error {
	if g.options.Data == "" {
		folder, err := os.MkdirTemp("", "easel-")
		if err != nil {
			return fmt.Errorf("make a temporary folder: %w", err)
		}
		g.folder, g.removed = folder, true
		return nil
	}
	folder, err := filepath.Abs(g.options.Data)
	if err == nil {
		err = os.MkdirAll(folder, 0o700)
	}
	if err != nil {
		return fmt.Errorf("make the folder that %s names: %w", env.Data, err)
	}
	g.folder = folder
	return nil
}

// listen takes the address, so that the URL is known to everything that follows.
func (g *Gateway) listen(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", g.options.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s (set %s to use another address): %w", g.options.Addr, env.Addr, err)
	}
	g.listener = listener
	g.URL = "http://" + listener.Addr().String()
	return nil
}

// openStore starts the database engine, unless another is named, and makes the tables.
func (g *Gateway) openStore(ctx context.Context) error {
	endpoint := g.options.DynamoEndpoint
	if endpoint == "" {
		running, err := engine.Start(ctx, engine.Options{
			Binary: g.options.Engine, DBPath: filepath.Join(g.folder, "easel.db"),
		})
		if err != nil {
			return err
		}
		g.engine, endpoint = running, running.Endpoint()
	}
	g.client = dynamoClient(endpoint)
	if err := dynamo.New(g.client, dynamo.Options{Prefix: TablePrefix}).CreateTables(ctx); err != nil {
		return fmt.Errorf("make the tables at %s: %w", endpoint, err)
	}
	return nil
}

// connect builds the gateway from parts that are near.
func (g *Gateway) connect(context.Context) error {
	files, err := disk.New(filepath.Join(g.folder, "assets"))
	if err != nil {
		return err
	}
	g.disk = files
	keys, err := secrets.OpenFile(filepath.Join(g.folder, "secrets"))
	if err != nil {
		return err
	}
	g.Queue = queue.NewLocal(queue.LocalOptions{Visibility: visibility, RetryDelay: retryDelay, Workers: workers, Logger: g.options.Log})
	parts := g.parts(keys)
	g.App = app.New(parts)
	return nil
}

// serve starts answering, working and sweeping.
func (g *Gateway) serve(context.Context) error {
	ctx, stop := context.WithCancel(context.Background())
	g.stop = stop
	worker := workerjob.New(g.App.Runner, g.options.Log,
		workerjob.Duty{Name: "batches", Run: g.App.Batches.Sweep},
		workerjob.Duty{Name: "rollup", Run: g.App.Rollup},
		workerjob.Duty{Name: "probes", Run: g.App.NewProber().Run},
		workerjob.Duty{Name: "notices", Run: g.App.Notices.Sweep},
		workerjob.Duty{Name: "books", Run: g.App.NewBookCheck().Check},
		workerjob.Duty{Name: "models", Run: g.App.NewModelCheck(modelCheckDelay).Check},
	)
	g.server = &http.Server{Handler: g.mux(), ReadHeaderTimeout: headerTimeout}
	g.running.Go(func() {
		if err := g.server.Serve(g.listener); !errors.Is(err, http.ErrServerClosed) {
			g.failed <- fmt.Errorf("serve: %w", err)
		}
	})
	g.running.Go(func() { g.Queue.Run(ctx, g.App.Message(worker.Handle)) })
	g.running.Go(func() { g.sweep(ctx, worker) })
	return nil
}

// sweep looks for due tasks until ctx ends.
func (g *Gateway) sweep(ctx context.Context, worker *workerjob.Worker) {
	ticker := time.NewTicker(g.options.SweepEvery)
	defer ticker.Stop()
	for {
		if err := worker.Tick(ctx); err != nil && ctx.Err() == nil {
			g.options.Log.WarnContext(ctx, "sweep failed", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// Wait returns when ctx ends, with nil, or when a part of the gateway died, with
// the reason.
func (g *Gateway) Wait(ctx context.Context) error {
	var died <-chan struct{}
	if g.engine != nil {
		died = g.engine.Done()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-g.failed:
		return err
	case <-died:
		return errors.New("the database engine ended by itself")
	}
}

// Close stops everything: requests and messages that are being worked on get ten
// seconds. What they leave behind, the next start finishes.
func (g *Gateway) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	var errs []error
	// The simulated providers are behind the server, so work ends before it does.
	if g.stop != nil {
		_ = g.Queue.Drain(ctx)
	}
	if g.server != nil {
		if err := g.server.Shutdown(ctx); err != nil {
			errs = append(errs, g.server.Close())
		}
	} else if g.listener != nil {
		errs = append(errs, g.listener.Close())
	}
	if g.stop != nil {
		g.stop()
		g.running.Wait()
	}
	if g.Simulator != nil {
		g.Simulator.Close()
	}
	if g.engine != nil {
		errs = append(errs, g.engine.Stop())
	}
	if g.removed {
		errs = append(errs, os.RemoveAll(g.folder))
	}
	return errors.Join(errs...)
}
