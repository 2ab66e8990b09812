package generateapi

import (
	"errors"
	"net/http"

	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/journal"
	"easel/shared/preference"
)

func (h *handler) preferences(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	now, err := h.Preferences.Current(r.Context(), c.Account)
	if err != nil {
		return err
	}
	return answerPreferences(w, now.Set, now.Version)
}

func answerPreferences(w http.ResponseWriter, s preference.Set, version int64) error {
	httpapi.SetETag(w.Header(), version)
	return httpapi.Write(w, http.StatusOK, s)
}

// putPreferences replaces all that the account prefers.
func (h *handler) putPreferences(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	var next preference.Set
	if err := httpapi.Decode(w, r, httpapi.MaxBody, &next); err != nil {
		return err
	}
	return h.changePreferences(w, r, c, func(preference.Set) (preference.Set, error) { return next, nil })
}

// patchPreferences changes the members that the body has; null takes one away.
func (h *handler) patchPreferences(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	patch, err := httpapi.ReadPatch(w, r, httpapi.MaxBody)
	if err != nil {
		return err
	}
	return h.changePreferences(w, r, c, func(before preference.Set) (next preference.Set, err error) {
		return next, patch.Apply(before, &next)
	})
}

// changes bounds how often a change without If-Match is made again on what
// somebody else wrote meanwhile.
const changes = 3

// changePreferences writes what change makes of what is stored. With If-Match the
// stored version must be that one; without it the last writer wins.
func (h *handler) changePreferences(w http.ResponseWriter, r *http.Request, c httpapi.Caller, change func(preference.Set) (preference.Set, error)) error {
	if _, err := h.Accounts.Account(r.Context(), c.Account); errors.Is(err, journal.ErrNotFound) {
		return fault.New(fault.NotFound, "there is no such account")
	} else if err != nil {
		return err
	}
	for try := 1; ; try++ {
		before, err := h.Preferences.Current(r.Context(), c.Account)
		if err != nil {
			return err
		}
		asked, err := httpapi.IfMatch(r, before.Version)
		if err != nil {
			return err
		}
		next, err := change(before.Set)
		if err == nil {
			err = h.Desk.CheckPreferences(r.Context(), next)
		}
		if err == nil {
			err = h.Preferences.Save(r.Context(), c.Account, next, before.Version)
		}
		if errors.Is(err, journal.ErrStale) && !asked && try < changes {
			continue
		}
		if err != nil {
			return err
		}
		return answerPreferences(w, next, before.Version+1)
	}
}
