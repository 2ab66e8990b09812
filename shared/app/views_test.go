package app

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"easel/shared/catalog"
	"easel/shared/generation"
	"easel/shared/settings"
)

// source counts how often each part is read.
type source struct {
	version        int64
	configs        []settings.Config
	models         []catalog.Model
	err            error
	versions, rest int
}

func (s *source) CatalogVersion(context.Context) (int64, error) {
	s.versions++
	return s.version, s.err
}

func (s *source) Configs(context.Context) ([]settings.Config, error) {
	s.rest++
	return s.configs, s.err
}

func (s *source) Models(context.Context) ([]catalog.Model, error) { return s.models, s.err }

func (s *source) Setting(_ context.Context, name string) (settings.Setting, error) {
	return settings.Setting{Name: name, Version: s.version}, s.err
}

func TestViewsReadLittleAndNoticeAChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &source{version: 1, configs: []settings.Config{{ID: "a"}}}
		v := NewViews(s, time.Now)
		for range 100 {
			if view, err := v.View(t.Context()); err != nil || len(view.Configs) != 1 {
				t.Fatalf("view = %+v, %v", view.Configs, err)
			}
		}
		if s.versions != 1 || s.rest != 1 {
			t.Errorf("%d and %d reads for 100 views at once, want one each", s.versions, s.rest)
		}
		<-time.After(viewTTL)
		if _, err := v.View(t.Context()); err != nil || s.versions != 2 || s.rest != 1 {
			t.Errorf("%d and %d reads, %v; want the version alone", s.versions, s.rest, err)
		}
		s.version, s.configs = 2, nil
		<-time.After(viewTTL)
		if view, err := v.View(t.Context()); err != nil || len(view.Configs) != 0 {
			t.Errorf("view = %+v, %v; want the change", view.Configs, err)
		}
	})
}

func TestViewsGoOnWithWhatTheyKnow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &source{version: 1, configs: []settings.Config{{ID: "a"}}, err: errors.New("down")}
		v := NewViews(s, time.Now)
		if _, err := v.View(t.Context()); !errors.Is(err, s.err) {
			t.Errorf("error = %v, want the source's while nothing is known", err)
		}
		down := s.err
		s.err = nil
		if _, err := v.View(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.err = down
		<-time.After(viewTTL)
		if view, err := v.View(t.Context()); err != nil || len(view.Configs) != 1 {
			t.Errorf("view = %+v, %v; want the last one", view.Configs, err)
		}
	})
}

func TestAStoredModelTakesTheBuiltInOnesPlace(t *testing.T) {
	t.Parallel()
	s := &source{version: 1, models: []catalog.Model{{
		Name: "flux-dev", Kind: generation.Image, Auto: true, Title: "Ours", Price: catalog.Price{Known: true, Credits: 3, Unit: catalog.PerImage},
	}}}
	view, err := NewViews(s, time.Now).View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m, err := view.Models.Resolve(generation.Image, "flux-dev"); err != nil || m.Title != "Ours" {
		t.Errorf("model = %+v, %v", m, err)
	}
	if _, err := view.Models.Resolve(generation.Image, "flux-pro"); err != nil {
		t.Errorf("a built-in model is gone: %v", err)
	}
}

func TestForgottenViewsAreReadAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &source{version: 1}
		v := NewViews(s, time.Now)
		for _, want := range []int{1, 1, 2} {
			if _, err := v.View(t.Context()); err != nil || s.rest != want {
				t.Fatalf("%d reads, %v; want %d", s.rest, err, want)
			}
			if s.version == 2 {
				v.Forget()
			}
			s.version = 2
		}
	})
}
