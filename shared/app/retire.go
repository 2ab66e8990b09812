package app

import (
	"time"

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
		Store: a.Store, Views: a.Views, Providers: a.Providers, Keys: a.Secrets, Trail: a.Store, Prepare: a.Prepare,
		Delay: delay, Now: a.Now, NewID: NewID, Log: a.Log,
	})
}
