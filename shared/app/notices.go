package app

import (
	"context"
	"encoding/json"
	"fmt"

	"easel/shared/emf"
	"easel/shared/env"
	"easel/shared/health"
	"easel/shared/lifecycle"
	"easel/shared/notice"
)

// newCourier returns what tells the operator's endpoint of the deployment.
func (a *App) newCourier() *notice.Courier {
	return &notice.Courier{Parts: notice.Parts{
		Store: a.Store, Endpoints: a.Endpoints, Config: a.Views.Notifications, Client: a.Deliver, Queue: a.Queue,
		Retry: lifecycle.RetryAfter, Now: a.Now, Log: a.Log,
	}}
}

// newMonitor returns the health that all instances share, whose changes are told.
func (a *App) newMonitor() *health.Monitor {
	return health.New(a.Store, health.Options{Now: a.Now, Policy: a.Health, Describe: a.describe, OnChange: a.changed})
}

// describe adds what an operator knows a config by. What cannot be read is left
// out: the change itself matters more.
func (a *App) describe(ctx context.Context, e *health.Event) {
	view, err := a.Views.View(ctx)
	if err == nil {
		config, _ := view.Config(e.Config())
		e.Label, e.Provider = config.Name, config.Provider
	}
	to, err := a.Views.Notifications(ctx)
	e.Notify = err == nil && to.URL != ""
}

// changed tells of a change that this instance has written.
func (a *App) changed(ctx context.Context, e health.Event) {
	if !e.Seen() {
		return
	}
	a.Log.InfoContext(ctx, "a breaker changed", "config", e.Config(), "model", e.Model(), "before", e.Before, "after", e.After,
		"class", e.Class, "event", e.ID)
	a.Metrics.breakerChanged(e)
	if e.Notify {
		a.Notices.Announce(ctx, e.ID)
	}
}

func (m *Metrics) breakerChanged(e health.Event) {
	if m == nil {
		return
	}
	provider := e.Provider
	if provider == "" {
		provider = "unknown"
	}
	m.count(env.MetricBreakerChanges, emf.Dimensions{env.DimensionProvider: provider, env.DimensionBreaker: string(e.After)})
}

// Notifications returns where the deployment's notices go, at most about two
// seconds old.
func (v *Views) Notifications(ctx context.Context) (notice.Config, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var c notice.Config
	if err := v.current(ctx); err != nil {
		return c, err
	}
	if v.notifications.Version == 0 {
		return c, nil
	}
	if err := json.Unmarshal(v.notifications.Value, &c); err != nil {
		return c, fmt.Errorf("read the setting of notifications: %w", err)
	}
	return c, nil
}
