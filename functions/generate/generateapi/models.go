package generateapi

import (
	"errors"
	"net/http"
	"time"

	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/journal"
	"easel/shared/quota"
)

// model is a catalog entry as callers see it: no upstreams, no costs.
type model struct {
	ID             string          `json:"id"`
	Object         string          `json:"object"`
	Title          string          `json:"title,omitempty"`
	Kind           generation.Kind `json:"kind"`
	Price          *catalog.Price  `json:"price"`
	Limits         catalog.Limits  `json:"limits"`
	Aliases        []catalog.Alias `json:"aliases,omitempty"`
	RetiresAt      *time.Time      `json:"retires_at,omitempty"`
	Notice         string          `json:"notice,omitempty"`
	MonthlyPerUser int             `json:"monthly_per_user,omitempty"`
}

func modelOf(m catalog.Model) model {
	view := model{
		ID: m.Name, Object: "model", Title: m.Title, Kind: m.Kind, Limits: m.Limits, Aliases: m.Aliases,
		Notice: m.Notice, MonthlyPerUser: m.MonthlyPerUser,
	}
	if m.Price.Known {
		view.Price = &m.Price
	}
	if !m.RetiresAt.IsZero() {
		at := m.RetiresAt.UTC()
		view.RetiresAt = &at
	}
	return view
}

func (h *handler) models(w http.ResponseWriter, r *http.Request, _ httpapi.Caller) error {
	view, err := h.Views.View(r.Context())
	if err != nil {
		return err
	}
	kind := generation.Kind(r.URL.Query().Get("kind"))
	if kind != "" && !kind.Valid() {
		return fault.Invalid("kind", "must be image, video or text")
	}
	var models []model
	for _, m := range view.Models.Models() {
		if !m.Hidden && (kind == "" || m.Kind == kind) {
			models = append(models, modelOf(m))
		}
	}
	return httpapi.Write(w, http.StatusOK, httpapi.PageOf(models, ""))
}

// quoteAnswer is the price of a request.
type quoteAnswer struct {
	Model string          `json:"model"`
	Kind  generation.Kind `json:"kind"`
	catalog.Quote

	Notice string `json:"notice,omitempty"`
}

// quote prices a request that it checks like a real one, but for the prompt,
// which may be missing: it does not change the price.
func (h *handler) quote(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	t, err := ticket(w, r, c)
	if err != nil {
		return err
	}
	if t.Request.Prompt == "" {
		t.Request.Prompt = "quote"
	}
	checked, err := h.Desk.Check(r.Context(), t)
	if err != nil {
		return err
	}
	answer := quoteAnswer{Model: checked.Model.Name, Kind: checked.Model.Kind, Quote: checked.Quote, Notice: checked.Model.Advice()}
	httpapi.Deprecate(w.Header(), checked.Model)
	return httpapi.Write(w, http.StatusOK, answer)
}

// accountAnswer is a balance: granted = available + reserved + spent.
type accountAnswer struct {
	ID        string `json:"id"`
	Granted   int64  `json:"granted"`
	Available int64  `json:"available"`
	Reserved  int64  `json:"reserved"`
	Spent     int64  `json:"spent"`
	Quotas    quotas `json:"quotas"`
	LedgerURL string `json:"ledger_url"`
}

// quotas are the account's limits besides its balance; null is no limit. The
// report says how far they, and those of the models, are used this month.
type quotas struct {
	MonthlyCredits *int64 `json:"monthly_credits"`
	quota.Report
}

// maxUser is the longest name of a user, in bytes.
const maxUser = 256

func (h *handler) account(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	account, err := h.Accounts.Account(r.Context(), c.Account)
	if errors.Is(err, journal.ErrNotFound) {
		return fault.New(fault.NotFound, "there is no such account")
	}
	if err != nil {
		return err
	}
	b := account.Balance
	answer := accountAnswer{
		ID: account.ID, Granted: b.Granted, Available: b.Available, Reserved: b.Reserved, Spent: b.Spent,
		LedgerURL: "/api/account/ledger",
	}
	if account.MonthlyQuota > 0 {
		answer.Quotas.MonthlyCredits = &account.MonthlyQuota
	}
	if answer.Quotas.Report, err = h.report(r, c, account); err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusOK, answer)
}

// report reads how far the monthly limits are used by the user that the request
// names, or by the caller.
func (h *handler) report(r *http.Request, c httpapi.Caller, account credits.Account) (quota.Report, error) {
	user := r.URL.Query().Get("user")
	if user == "" {
		user = c.User
	}
	if len(user) > maxUser {
		return quota.Report{}, fault.Invalid("user", "must have at most %d bytes", maxUser)
	}
	view, err := h.Views.View(r.Context())
	if err != nil {
		return quota.Report{}, err
	}
	return h.Quotas.Report(r.Context(), account, user, view.Models.Models())
}

// entry is one line of the ledger.
type entry struct {
	ID        string    `json:"id"`
	Reason    string    `json:"reason"`
	Task      string    `json:"task,omitempty"`
	Granted   int64     `json:"granted"`
	Available int64     `json:"available"`
	Reserved  int64     `json:"reserved"`
	Spent     int64     `json:"spent"`
	Note      string    `json:"note,omitempty"`
	At        time.Time `json:"at"`
}

const (
	defaultPage = 20
	maxPage     = 100
)

func (h *handler) ledger(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	limit, err := httpapi.Limit(r, defaultPage, maxPage)
	if err != nil {
		return err
	}
	entries, next, err := h.Accounts.Ledger(r.Context(), c.Account, r.URL.Query().Get("cursor"), limit)
	if err != nil {
		return err
	}
	lines := make([]entry, len(entries))
	for i, e := range entries {
		lines[i] = entry{
			ID: e.ID, Reason: string(e.Reason), Task: e.Task, Granted: e.Delta.Granted, Available: e.Delta.Available,
			Reserved: e.Delta.Reserved, Spent: e.Delta.Spent, Note: e.Note, At: e.At.UTC(),
		}
	}
	return httpapi.Write(w, http.StatusOK, httpapi.PageOf(lines, next))
}
