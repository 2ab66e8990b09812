package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"easel/shared/lifecycle"
	"easel/shared/provider"
	"easel/shared/provider/custom"
)

// Keeper returns what stores providers' files, for who calls a provider without a
// task.
//
//nolint:ireturn // the one type behind it holds nothing that a caller could use
func (a *App) Keeper() lifecycle.Keeper { return keeper{a.Assets, a.Fetch} }

// Descriptions returns what each provider can do, in order of name.
func (a *App) Descriptions() []provider.Description {
	list := make([]provider.Description, 0, len(a.Providers))
	for _, p := range a.Providers {
		list = append(list, p.Describe())
	}
	slices.SortFunc(list, func(x, y provider.Description) int { return cmp.Compare(x.Name, y.Name) })
	return list
}

// CheckData returns an InvalidInput error that names what is wrong with a
// config's data for its provider. Only described APIs have rules for it.
func CheckData(providerName string, data json.RawMessage) error {
	if providerName != (&custom.Provider{}).Describe().Name {
		return nil
	}
	return custom.Validate(data)
}

const (
	rollupTime  = 25 * time.Second
	rollupLimit = 10_000
)

// Rollup counts the tasks that ended since the last time into the statistics, for
// at most 25 seconds. What one run does not reach, the next one does. Run it every
// minute.
func (a *App) Rollup(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rollupTime)
	defer cancel()
	n, err := a.Store.Rollup(ctx, rollupLimit)
	if n > 0 {
		a.Log.InfoContext(ctx, "rolled up", "records", n)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("roll usage up: %w", err)
	}
	return nil
}
