package adminapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"easel/shared/audit"
	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
)

// Where a model comes from.
const (
	sourceBuiltin = "builtin"
	sourceEdited  = "edited"
	sourceCustom  = "custom"
)

// modelView is a model and where it comes from. A built-in one that nobody
// edited has version 0.
type modelView struct {
	catalog.Model

	Version int64  `json:"version"`
	Source  string `json:"source"`
}

// models returns every model as it is in force, and what operators wrote of them.
func (h *handler) models(r *http.Request) (views []modelView, stored []audit.Model, err error) {
	builtin, err := catalog.Builtin()
	if err != nil {
		return nil, nil, err
	}
	if stored, err = h.Store.ModelRecords(r.Context()); err != nil {
		return nil, nil, err
	}
	for _, m := range builtin {
		views = append(views, modelView{Model: m, Source: sourceBuiltin})
	}
	for _, m := range stored {
		i := slices.IndexFunc(views, func(v modelView) bool { return v.Name == m.Name })
		if i < 0 {
			views = append(views, modelView{Model: m.Model, Version: m.Version, Source: sourceCustom})
			continue
		}
		views[i] = modelView{Model: m.Model, Version: m.Version, Source: sourceEdited}
	}
	slices.SortStableFunc(views, func(a, b modelView) int {
		kind := func(v modelView) int { return slices.Index(generation.Kinds(), v.Kind) }
		if d := kind(a) - kind(b); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	return views, stored, nil
}

func (h *handler) listModels(w http.ResponseWriter, r *http.Request) error {
	get, err := queryOf(r, "kind")
	if err != nil {
		return err
	}
	var f fault.Fields
	kind := generation.Kind(get("kind"))
	checkKind(&f, kind)
	if err := f.Err(); err != nil {
		return err
	}
	views, _, err := h.models(r)
	if err != nil {
		return err
	}
	return list(w, slices.DeleteFunc(views, func(v modelView) bool { return kind != "" && v.Kind != kind }))
}

func modelObject(m catalog.Model) audit.Object {
	return audit.Object{Type: "model", ID: m.Name, Name: m.Title}
}

// checkModel returns an InvalidInput error that names what is wrong with a model,
// its members named after prefix.
func (h *handler) checkModel(m catalog.Model, prefix string) error {
	var f fault.Fields
	if other := fieldsOf(&f, prefix, m.Validate()); other != nil {
		return other
	}
	for i, u := range m.Upstreams {
		_, ok := h.describe(u.Provider)
		f.Check(ok || u.Provider == "", prefix+"upstreams["+itoa(i)+"].provider", "is not a provider that this gateway speaks")
		f.Check(u.CostMicroUSD >= 0, prefix+"upstreams["+itoa(i)+"].cost_micro_usd", "must not be negative")
	}
	f.Check(m.MonthlyPerUser >= 0, prefix+"monthly_per_user", "must not be negative; 0 is no limit")
	return f.Err()
}

// together returns an InvalidInput error when the models do not fit into one
// catalog, such as for an alias that is another's name.
func together(field string, models []catalog.Model) error {
	if _, err := catalog.New(models); err != nil {
		return fault.Invalid(field, "does not fit to the other models: %s", err.Error())
	}
	return nil
}

// withModel returns the models that are in force once m is written.
func withModel(views []modelView, m catalog.Model) []catalog.Model {
	models := make([]catalog.Model, len(views))
	for i, v := range views {
		models[i] = v.Model
	}
	return catalog.Overlay(models, []catalog.Model{m})
}

func (h *handler) putModel(w http.ResponseWriter, r *http.Request) error {
	var m catalog.Model
	if err := decode(w, r, &m); err != nil {
		return err
	}
	name := r.PathValue("name")
	if m.Name == "" {
		m.Name = name
	}
	if m.Name != name {
		return fault.Invalid("name", "must be the name in the path, %q; a model cannot be renamed", name)
	}
	views, _, err := h.models(r)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(views, func(v modelView) bool { return v.Name == name })
	before := modelView{Source: sourceCustom}
	if i >= 0 {
		before = views[i]
	}
	if err := checkModelVersion(r, before, i >= 0); err != nil {
		return err
	}
	if err := h.checkModel(m, ""); err != nil {
		return err
	}
	if err := together("aliases", withModel(views, m)); err != nil {
		return err
	}
	after := modelView{Model: m, Version: before.Version + 1, Source: before.Source}
	if before.Source == sourceBuiltin {
		after.Source = sourceEdited
	}
	var old any
	if i >= 0 {
		old = before.Model
	}
	err = h.commit(r, "model.put", modelObject(m), old, m, audit.Change{Models: []audit.ModelWrite{{Model: m, Expect: before.Version}}})
	if err != nil {
		return h.staleModel(r, name, err)
	}
	etag(w, after.Version)
	status := http.StatusOK
	if i < 0 {
		status = http.StatusCreated
	}
	return httpapi.Write(w, status, after)
}

// checkModelVersion wants If-None-Match: * for a name that nobody wrote yet, or
// If-Match with the version, which is 0 for a built-in model.
func checkModelVersion(r *http.Request, before modelView, exists bool) error {
	if r.Header.Get("If-None-Match") == "*" {
		if before.Version > 0 {
			return stale(before)
		}
		return nil
	}
	if !exists {
		if h := r.Header.Get("If-Match"); h == "*" || h == `"0"` {
			return nil
		}
		return fault.New(fault.NotFound, "there is no such model; send If-None-Match: * to create it")
	}
	return checkVersion(r, before.Version, before)
}

func (h *handler) staleModel(r *http.Request, name string, err error) error {
	return withCurrent(r.Context(), err, func(ctx context.Context) (any, error) {
		views, _, err := h.models(r)
		if err != nil {
			return nil, err
		}
		for _, v := range views {
			if v.Name == name {
				return v, nil
			}
		}
		return nil, errors.New("the model is gone")
	})
}

func (h *handler) deleteModel(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	views, _, err := h.models(r)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(views, func(v modelView) bool { return v.Name == name })
	if i < 0 {
		return fault.New(fault.NotFound, "there is no such model")
	}
	before := views[i]
	if before.Source == sourceBuiltin {
		return fault.New(fault.Conflict, "a built-in model cannot be deleted; edit it and set hidden")
	}
	if err := checkVersion(r, before.Version, before); err != nil {
		return err
	}
	rest := slices.Delete(slices.Clone(views), i, i+1)
	builtin, err := catalog.Builtin()
	if err != nil {
		return err
	}
	for _, m := range builtin {
		if m.Name == name { // it returns to its built-in form
			if err := together("name", withModel(rest, m)); err != nil {
				return err
			}
		}
	}
	err = h.commit(r, "model.delete", modelObject(before.Model), before.Model, nil,
		audit.Change{Models: []audit.ModelWrite{{Model: before.Model, Expect: before.Version, Delete: true}}})
	if err != nil {
		return h.staleModel(r, name, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
