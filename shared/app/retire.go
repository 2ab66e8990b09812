package app

import (
	"time"

	"easel/shared/retire"
)

// NewModelCheck returns the daily check of the catalog against the vendors' lists
// of models, which begins after the delay: make one per process, and run it every
// minute.
func (a *App) NewModelCheck(delay time.Duration) *retire.Checker {
	return retire.New(retire.Parts{
		Store: a.Store, Views: a.Views, Providers: a.Providers, Keys: a.Secrets, Trail: a.Store, Prepare: a.Prepare,
		Delay: delay, Now: a.Now, NewID: NewID, Log: a.Log,
	})
}
