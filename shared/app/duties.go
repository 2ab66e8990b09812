package app

import (
	"context"
	"time"

	"easel/shared/drift"
	"easel/shared/env"
	"easel/shared/probe"
	"easel/shared/retire"
)

// NewProber returns what probes configs that are left alone, where that is free:
// make one per process, and run it every minute.
func (a *App) NewProber() *probe.Prober {
	return probe.New(probe.Parts{
		Monitor: a.Monitor, Views: a.Views, Providers: a.Providers, Keys: a.Secrets, Prepare: a.Prepare, Now: a.Now, Log: a.Log,
	})
}

// NewModelCheck returns the daily check of the catalog against the vendors' lists
// of models, which begins after the delay: make one per process, and run it every
// minute.
func (a *App) NewModelCheck(delay time.Duration) *retire.Checker {
	return retire.New(retire.Parts{
		Store: a.Metrics.findings(a.Store), Views: a.Views, Providers: a.Providers, Keys: a.Secrets, Trail: a.Store, Prepare: a.Prepare,
		Delay: delay, Now: a.Now, NewID: NewID, Log: a.Log,
	})
}

// findings counts what the reports that next keeps have found.
func (m *Metrics) findings(next retire.Store) retire.Store { //nolint:ireturn // a decorator
	if m == nil {
		return next
	}
	return countedFindings{next, m}
}

type countedFindings struct {
	retire.Store

	metrics *Metrics
}

// SaveCheck counts the findings of a report that was kept.
func (c countedFindings) SaveCheck(ctx context.Context, r retire.Report, next time.Time) error {
	if err := c.Store.SaveCheck(ctx, r, next); err != nil {
		return err
	}
	c.metrics.meter.Add(env.MetricModelFindings, float64(len(r.Findings)), nil)
	return nil
}

// NewBookCheck returns the check of accounts' books, which comes round to all of
// them: make one per process, and run it every minute.
func (a *App) NewBookCheck() *drift.Checker {
	return drift.New(drift.Parts{Store: a.Store, Checked: a.Metrics.drifted, Now: a.Now, Log: a.Log})
}

func (m *Metrics) drifted(off int64) {
	if m != nil {
		m.meter.Add(env.MetricCreditDrift, float64(off), nil)
	}
}
