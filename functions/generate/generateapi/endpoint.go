package generateapi

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"easel/shared/endpoint"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/journal"
)

// webhookSecret is what signs an account's reports, as its caller sees it.
type webhookSecret struct {
	// Own is false while the deployment's secret signs.
	Own bool `json:"own"`
	// Secret is shown once, by the request that made it.
	Secret    string    `json:"secret,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	// PreviousUntil is how long the secrets before it sign too.
	PreviousUntil time.Time          `json:"previous_until,omitzero"`
	Disabled      []disabledEndpoint `json:"disabled_endpoints"`
}

// disabledEndpoint is one that gets no more reports.
type disabledEndpoint struct {
	Endpoint   string    `json:"endpoint"`
	DisabledAt time.Time `json:"disabled_at"`
}

func webhookSecretOf(b endpoint.Book, now time.Time) webhookSecret {
	v := webhookSecret{Disabled: []disabledEndpoint{}}
	for i, s := range b.Signing(now) {
		if i == 0 {
			v.Own, v.CreatedAt = s.Name != "", s.Since
		} else if s.Until.After(v.PreviousUntil) {
			v.PreviousUntil = s.Until
		}
	}
	for _, where := range slices.Sorted(maps.Keys(b.Places)) {
		if at := b.Places[where].DisabledAt; !at.IsZero() {
			v.Disabled = append(v.Disabled, disabledEndpoint{where, at})
		}
	}
	return v
}

func (h *handler) webhookSecret(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	b, err := h.Endpoints.Book(r.Context(), c.Account)
	if err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusOK, webhookSecretOf(b, h.Now()))
}

// rotateWebhookSecret makes the account's first secret, or its next one.
func (h *handler) rotateWebhookSecret(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	if _, err := h.Accounts.Account(r.Context(), c.Account); errors.Is(err, journal.ErrNotFound) {
		return fault.New(fault.NotFound, "there is no such account")
	} else if err != nil {
		return err
	}
	value, b, err := h.Endpoints.Rotate(r.Context(), c.Account)
	if err != nil {
		return err
	}
	view := webhookSecretOf(b, h.Now())
	view.Secret = value.Reveal()
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.Write(w, http.StatusCreated, view)
}
