package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"easel/shared/fault"
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

// CheckData returns one InvalidInput error that names everything that is wrong
// with a config's data: with the members that the gateway itself reads, "models"
// and "cloudflare", and with the description of a custom API.
func CheckData(providerName string, data json.RawMessage) error {
	var f fault.Fields
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) == nil { // else the driver says so, or nobody needs it
		checkModels(&f, members["models"])
		checkCloudflare(&f, members["cloudflare"])
	}
	if providerName != customName {
		return f.Err()
	}
	err := custom.Validate(data)
	wrong, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return errors.Join(err, f.Err())
	}
	for _, field := range wrong.Fields {
		f.Add(field.Name, "%s", field.Message)
	}
	return f.Err()
}

// checkModels checks which models a config says that it serves: public names and
// what its API calls them.
func checkModels(f *fault.Fields, raw json.RawMessage) {
	if len(raw) == 0 {
		return
	}
	var models map[string]string
	if err := json.Unmarshal(raw, &models); err != nil {
		f.Add("config_data.models", "must be an object of public names and what the provider calls them, both as strings")
		return
	}
	for _, public := range slices.Sorted(maps.Keys(models)) {
		f.Check(public != "" && models[public] != "", "config_data.models."+public, "must not be empty")
	}
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
