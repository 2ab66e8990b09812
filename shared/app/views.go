package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"easel/shared/catalog"
	"easel/shared/moderation"
	"easel/shared/notice"
	"easel/shared/settings"
)

// Source is where the configuration is kept. CatalogVersion changes with every
// change of a config, a model or a setting.
type Source interface {
	CatalogVersion(ctx context.Context) (int64, error)
	Configs(ctx context.Context) ([]settings.Config, error)
	Models(ctx context.Context) ([]catalog.Model, error)
	Setting(ctx context.Context, name string) (settings.Setting, error)
}

// Views remembers the configuration and notices a change within two seconds:
// then it reads one number, and the rest only when that has changed. When the
// source cannot be read it goes on with what it knows. It is safe for concurrent use.
type Views struct {
	source Source
	now    func() time.Time

	mu         sync.Mutex
	known      bool
	version    int64
	view       catalog.View
	moderation settings.Setting
	checked    time.Time

	notifications settings.Setting
}

// viewTTL is how long a view is used without asking whether it changed.
const viewTTL = 2 * time.Second

// NewViews returns a cache that reads from source when it is first asked.
func NewViews(source Source, now func() time.Time) *Views {
	return &Views{source: source, now: now}
}

// Forget makes the next question read the configuration again, where it has
// changed: for whoever has just changed it in this process.
func (v *Views) Forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.checked = time.Time{}
}

// View returns the configuration, at most about two seconds old.
func (v *Views) View(ctx context.Context) (catalog.View, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	err := v.current(ctx)
	return v.view, err
}

// Moderation returns the content filter's setting, at most about two seconds old.
func (v *Views) Moderation(ctx context.Context) (settings.Setting, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	err := v.current(ctx)
	return v.moderation, err
}

// current sees to it that what is known is not too old. It needs the lock, and
// fails only when nothing is known yet.
func (v *Views) current(ctx context.Context) error {
	now := v.now()
	if v.known && now.Sub(v.checked) < viewTTL {
		return nil
	}
	if err := v.refresh(ctx); err != nil && !v.known {
		return err
	}
	v.checked = now
	return nil
}

// refresh reads the version before the lists, so that a change in between is
// noticed the next time.
func (v *Views) refresh(ctx context.Context) error {
	version, err := v.source.CatalogVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the version of the configuration: %w", err)
	}
	if v.known && version == v.version {
		return nil
	}
	configs, err := v.source.Configs(ctx)
	if err != nil {
		return fmt.Errorf("read the configs: %w", err)
	}
	stored, err := v.source.Models(ctx)
	if err != nil {
		return fmt.Errorf("read the models: %w", err)
	}
	filter, err := v.source.Setting(ctx, moderation.Setting)
	if err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	notifications, err := v.source.Setting(ctx, notice.Setting)
	if err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	builtin, err := catalog.Builtin()
	if err != nil {
		return err
	}
	models, err := catalog.New(catalog.Overlay(builtin, stored))
	if err != nil {
		return fmt.Errorf("the stored models do not fit together: %w", err)
	}
	v.view, v.moderation = catalog.View{Models: models, Configs: configs}, filter
	v.notifications = notifications
	v.version, v.known = version, true
	return nil
}
