package adminapi

import (
	"context"
	"net/http"

	"easel/shared/audit"
	"easel/shared/httpapi"
	"easel/shared/preference"
)

func (h *handler) getPreferences(w http.ResponseWriter, r *http.Request) error {
	a, err := h.account(r)
	if err != nil {
		return err
	}
	now, err := h.Store.Preferences(r.Context(), a.ID)
	if err != nil {
		return err
	}
	return answerPreferences(w, now.Set, now.Version)
}

func answerPreferences(w http.ResponseWriter, s preference.Set, version int64) error {
	etag(w, version)
	return httpapi.Write(w, http.StatusOK, s)
}

func (h *handler) putPreferences(w http.ResponseWriter, r *http.Request) error {
	var next preference.Set
	if err := decode(w, r, &next); err != nil {
		return err
	}
	return h.changePreferences(w, r, func(preference.Set) (preference.Set, error) { return next, nil })
}

// patchPreferences changes the members that the body has; null takes one away.
func (h *handler) patchPreferences(w http.ResponseWriter, r *http.Request) error {
	patch, err := httpapi.ReadPatch(w, r, httpapi.MaxBody)
	if err != nil {
		return err
	}
	return h.changePreferences(w, r, func(before preference.Set) (next preference.Set, err error) {
		return next, patch.Apply(before, &next)
	})
}

func (h *handler) changePreferences(w http.ResponseWriter, r *http.Request, change func(preference.Set) (preference.Set, error)) error {
	a, err := h.account(r)
	if err != nil {
		return err
	}
	before, err := h.Store.Preferences(r.Context(), a.ID)
	if err != nil {
		return err
	}
	if err := checkVersion(r, before.Version, before.Set); err != nil {
		return err
	}
	next, err := change(before.Set)
	if err == nil {
		err = h.Desk.CheckPreferences(r.Context(), next)
	}
	if err != nil {
		return err
	}
	var old any
	if before.Version > 0 {
		old = before.Set
	}
	err = h.commit(r, "account.preferences", accountObject(a), old, next, audit.Change{
		Preferences: []audit.PreferenceWrite{{Account: a.ID, Set: next, Expect: before.Version}},
	})
	if err != nil {
		return withCurrent(r.Context(), err, func(ctx context.Context) (any, error) {
			now, err := h.Store.Preferences(ctx, a.ID)
			return now.Set, err
		})
	}
	return answerPreferences(w, next, before.Version+1)
}
