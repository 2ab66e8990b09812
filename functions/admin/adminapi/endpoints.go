package adminapi

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"easel/shared/audit"
	"easel/shared/endpoint"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/secret"
)

// Endpoints changes where accounts take the reports of their tasks, and what
// signs them; *endpoint.Registry is the one.
type Endpoints interface {
	Book(ctx context.Context, account string) (endpoint.Book, error)
	Rotate(ctx context.Context, account string) (secret.Value, endpoint.Book, error)
	Works(ctx context.Context, account, callbackURL string) error
}

var _ Endpoints = (*endpoint.Registry)(nil)

// webhooksView is what is known of an account's webhooks.
type webhooksView struct {
	Account string `json:"account"`
	// Own is false while the deployment's secret signs.
	Own bool `json:"own"`
	// Secret is shown once, by the request that made it.
	Secret    string    `json:"secret,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	// PreviousUntil is how long the secrets before it sign too.
	PreviousUntil time.Time   `json:"previous_until,omitzero"`
	Endpoints     []placeView `json:"endpoints"`
}

// placeView is an endpoint that failed lately.
type placeView struct {
	Endpoint string `json:"endpoint"`
	// Failed are the tasks in a row whose reports were given up.
	Failed       []string  `json:"failed"`
	LastFailedAt time.Time `json:"last_failed_at,omitzero"`
	// DisabledAt is since when the endpoint gets no reports; zero while it gets them.
	DisabledAt time.Time `json:"disabled_at,omitzero"`
}

func webhooksOf(b endpoint.Book, now time.Time) webhooksView {
	v := webhooksView{Account: b.Account, Endpoints: []placeView{}}
	for i, s := range b.Signing(now) {
		if i == 0 {
			v.Own, v.CreatedAt = s.Name != "", s.Since
		} else if s.Until.After(v.PreviousUntil) {
			v.PreviousUntil = s.Until
		}
	}
	for _, where := range slices.Sorted(maps.Keys(b.Places)) {
		p := b.Places[where]
		v.Endpoints = append(v.Endpoints, placeView{where, append([]string{}, p.Failed...), p.At, p.DisabledAt})
	}
	return v
}

// accountBook reads the path's account and what is known of its endpoints.
func (h *handler) accountBook(r *http.Request) (audit.Object, endpoint.Book, error) {
	account, err := h.Store.AccountRecord(r.Context(), r.PathValue("id"))
	if err := found(err, "account"); err != nil {
		return audit.Object{}, endpoint.Book{}, err
	}
	b, err := h.Endpoints.Book(r.Context(), account.ID)
	return audit.Object{Type: "account", ID: account.ID, Name: account.Name}, b, err
}

func (h *handler) getWebhooks(w http.ResponseWriter, r *http.Request) error {
	_, b, err := h.accountBook(r)
	if err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusOK, webhooksOf(b, h.Now()))
}

// rotateWebhooks makes the account's first secret, or its next one.
func (h *handler) rotateWebhooks(w http.ResponseWriter, r *http.Request) error {
	object, b, err := h.accountBook(r)
	if err != nil {
		return err
	}
	view, err := h.rotate(r, "account.webhook_secret", object, object.ID, b)
	if err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusCreated, view)
}

// rotate gives an owner of endpoints a new secret, which the view shows once, and
// tells the trail.
func (h *handler) rotate(r *http.Request, action string, object audit.Object, owner string, b endpoint.Book) (webhooksView, error) {
	var view webhooksView
	err := h.act(r, action, object, signingFacts(webhooksOf(b, h.Now())), func(ctx context.Context) (any, error) {
		value, next, err := h.Endpoints.Rotate(ctx, owner)
		if err != nil {
			return nil, err
		}
		view = webhooksOf(next, h.Now())
		facts := signingFacts(view)
		view.Secret = value.Reveal()
		return facts, nil
	})
	return view, err
}

// signingFacts tell the trail which secret signs, by its age.
func signingFacts(v webhooksView) audit.Facts {
	facts := audit.Facts{"own": v.Own}
	if !v.CreatedAt.IsZero() {
		facts["created_at"] = v.CreatedAt
	}
	if !v.PreviousUntil.IsZero() {
		facts["previous_until"] = v.PreviousUntil
	}
	return facts
}

// enableEndpoint forgets what speaks against an endpoint, so that it gets reports
// again. Those that were given up are not sent again by this.
func (h *handler) enableEndpoint(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Endpoint string `json:"endpoint"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	object, b, err := h.accountBook(r)
	if err != nil {
		return err
	}
	place, known := b.Places[body.Endpoint]
	if !known {
		return fault.Invalid("endpoint", "must be one of the account's endpoints that failed")
	}
	before := audit.Facts{"endpoint": body.Endpoint, "failed": len(place.Failed), "disabled": !place.DisabledAt.IsZero()}
	err = h.act(r, "account.endpoint", object, before, func(ctx context.Context) (any, error) {
		// A place is the host and path of its callback URLs.
		if err := h.Endpoints.Works(ctx, object.ID, "https://"+body.Endpoint); err != nil {
			return nil, err
		}
		b, err = h.Endpoints.Book(ctx, object.ID)
		return audit.Facts{"endpoint": body.Endpoint, "failed": 0, "disabled": false}, err
	})
	if err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusOK, webhooksOf(b, h.Now()))
}
