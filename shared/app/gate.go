package app

import (
	"context"
	"log/slog"
	"time"

	"easel/shared/apikey"
	"easel/shared/failover"
	"easel/shared/fault"
	"easel/shared/health"
	"easel/shared/lifecycle"
	"easel/shared/limit"
	"easel/shared/settings"
)

// gate is what stands before every call of a provider: the health of its config
// and the config's limits, both shared by all processes.
type gate struct {
	monitor *health.Monitor
	limiter *limit.Limiter
	log     *slog.Logger
}

var (
	_ lifecycle.Health = (*gate)(nil)
	_ lifecycle.Gate   = (*gate)(nil)
)

// ReadyAt is when both the config's health and its limits allow another call.
func (g *gate) ReadyAt(config string, now time.Time) time.Time {
	healthy, free := g.monitor.ReadyAt(config, now), g.limiter.ReadyAt(config, now)
	if healthy.After(free) {
		return healthy
	}
	return free
}

// Report tells how a call ended.
func (g *gate) Report(config string, f *fault.Failure, now time.Time) {
	g.monitor.Report(config, f, now)
}

// Sync shares what was learned. A store that fails costs knowledge, not requests.
func (g *gate) Sync(ctx context.Context) {
	if err := g.monitor.Flush(ctx); err != nil {
		g.log.WarnContext(ctx, "the health of configs could not be shared", "error", err)
	}
	if err := g.monitor.Refresh(ctx); err != nil {
		g.log.WarnContext(ctx, "the health of configs could not be read", "error", err)
	}
}

// Enter takes a permit and a place from the config's limits, and the probe of a
// config that was down.
func (g *gate) Enter(ctx context.Context, c failover.Candidate, id string, hold time.Duration) bool {
	rule := limit.ForConfig(c.Config)
	if !rule.Unlimited() {
		admission, err := g.limiter.Admit(ctx, []limit.Rule{rule}, id, hold)
		if err != nil {
			g.log.WarnContext(ctx, "the limits of a config could not be checked", "config", c.Config.ID, "error", err)
		}
		if !admission.OK {
			return false
		}
	}
	if !g.monitor.Enter(ctx, c.Config.ID, c.Key()) {
		g.Leave(ctx, c.Config, id)
		return false
	}
	return true
}

// Leave gives the place back.
func (g *gate) Leave(ctx context.Context, c settings.Config, id string) {
	rule := limit.ForConfig(c)
	if rule.Concurrency == 0 {
		return
	}
	if err := g.limiter.Release(ctx, []limit.Rule{rule}, id); err != nil {
		g.log.WarnContext(ctx, "a place of a config falls free later: it could not be given back", "config", c.ID, "error", err)
	}
}

// callers holds API keys and end users to the tasks that they may have open at once.
type callers struct {
	limiter *limit.Limiter
	log     *slog.Logger
}

// placesOf are the rules that a task's places are under, the narrower one first.
func placesOf(p lifecycle.Places) []limit.Rule {
	rules := make([]limit.Rule, 0, 2)
	if p.PerUser > 0 {
		rules = append(rules, limit.ForUser(p.Account, p.User, 0, p.PerUser))
	}
	if p.PerKey > 0 {
		rules = append(rules, limit.ForKey(apikey.Key{ID: p.KeyID, Concurrency: p.PerKey}))
	}
	return rules
}

// Begin implements [lifecycle.Callers]. A limit that cannot be checked lets the
// task begin.
func (c callers) Begin(ctx context.Context, p lifecycle.Places, taskID string, hold time.Duration) error {
	admission, err := c.limiter.Admit(ctx, placesOf(p), taskID, hold)
	if err != nil {
		c.log.WarnContext(ctx, "the open tasks of a key or a user could not be counted", "key", p.KeyID, "error", err)
	}
	return admission.Err()
}

// End implements [lifecycle.Callers].
func (c callers) End(ctx context.Context, p lifecycle.Places, taskID string) {
	if err := c.limiter.Release(ctx, placesOf(p), taskID); err != nil {
		c.log.WarnContext(ctx, "a place of a key or a user falls free later: it could not be given back", "key", p.KeyID, "error", err)
	}
}
