// Package probe finds out at no cost whether a config that is left alone works
// again: it asks its vendor for the list of models, or for the account behind the
// key. A vendor without such a call is left to the next real request.
package probe

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/health"
	"easel/shared/provider"
	"easel/shared/secret"
	"easel/shared/settings"
)

// Views gives what the operator has configured.
type Views interface {
	View(ctx context.Context) (catalog.View, error)
}

// Keys gives the providers' keys by their names in the secret store.
type Keys interface {
	Get(ctx context.Context, name string) (secret.Value, error)
}

// Parts are what a Prober works with. All are required but where it says so.
type Parts struct {
	Monitor   *health.Monitor
	Views     Views
	Providers map[string]provider.Provider
	Keys      Keys
	// Prepare completes a call for its config, such as for a proxy; nil does nothing.
	Prepare func(ctx context.Context, c *provider.Call, config settings.Config) error
	Now     func() time.Time
	Log     *slog.Logger
}

const (
	// most is how many names one run probes; the others are due longer by the next.
	most = 8
	// callTime bounds one free call.
	callTime = 10 * time.Second
)

// Prober probes configs. It is safe for concurrent use, in one process or many:
// of all of them one makes a probe.
type Prober struct {
	Parts

	mu sync.Mutex
	// mute are the versions of configs whose vendor has no free call after all.
	mute map[string]int64
}

// New returns a prober of the parts.
func New(p Parts) *Prober { return &Prober{Parts: p, mute: map[string]int64{}} }

// Run writes down which breakers have closed, and probes what is due and has a free
// call, at most eight names at the same time and for at most ten seconds. It costs one query when nothing is known of
// the health lately, and nothing more while nothing is due. Run it every minute.
func (p *Prober) Run(ctx context.Context) error {
	if err := p.Monitor.Refresh(ctx); err != nil {
		return err
	}
	if err := p.Monitor.Settle(ctx); err != nil {
		return err
	}
	due := p.Monitor.Due(p.Now())
	if len(due) == 0 {
		return nil
	}
	view, err := p.Views.View(ctx)
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	var group sync.WaitGroup
	started := 0
	for _, down := range due {
		config, ok := view.Config(down.Config)
		if !ok || !config.Active || started == most {
			continue
		}
		ask := p.question(down, config)
		if ask == nil {
			continue
		}
		started++
		group.Go(func() { p.probe(ctx, down, config, ask) })
	}
	group.Wait()
	return p.Monitor.Flush(ctx)
}

// probe makes one probe, unless another instance makes it.
func (p *Prober) probe(ctx context.Context, down health.Down, config settings.Config, ask question) {
	if !p.Monitor.Probe(ctx, down.Name) {
		return
	}
	f := p.answer(ctx, config, ask)
	p.Monitor.Report(down.Name, f, p.Now())
	outcome := fault.Class("works")
	if f != nil {
		outcome = f.Class
	}
	p.Log.InfoContext(ctx, "probed", "config", down.Config, "model", down.Model, "was", down.Class, "is", outcome)
}

// nothing is the failure that says nothing about a config: the probe was not made.
func nothing(detail string, cause error) *fault.Failure {
	return &fault.Failure{Class: fault.ClassCanceled, Detail: detail, Cause: cause}
}

// answer asks the question and returns what the answer says about the config; nil
// is that it works.
func (p *Prober) answer(ctx context.Context, config settings.Config, ask question) *fault.Failure {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	now := p.Now()
	call := provider.Call{BaseURL: config.BaseURL, Data: config.Data, StartedAt: now, ExpiresAt: now.Add(callTime)}
	if config.SecretName != "" {
		key, err := p.Keys.Get(ctx, config.SecretName)
		if err != nil {
			return nothing("the config's key could not be read", err)
		}
		call.Key = key
	}
	if p.Prepare != nil {
		if err := p.Prepare(ctx, &call, config); err != nil {
			return nothing("the call could not be prepared", err)
		}
	}
	f := ask(ctx, call)
	if f != nil && f.Class == fault.ClassUnsupported {
		p.silence(config)
		return nothing("the vendor has no free call", f)
	}
	return f
}

// silence remembers that the config, as it is now, has no free call.
func (p *Prober) silence(config settings.Config) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute[config.ID] = config.Version
}

func (p *Prober) silent(config settings.Config) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	version, ok := p.mute[config.ID]
	return ok && version == config.Version
}
