package adminapi

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"regexp"
	"time"
	"unicode/utf8"

	"easel/shared/audit"
	"easel/shared/credits"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/journal"
)

var accountForm = regexp.MustCompile(`^[A-Za-z0-9._:@-]{1,128}$`)

const (
	maxGrant       = 1_000_000_000_000
	maxAccountName = 200
	maxNote        = 500
)

type accountView struct {
	ID               string          `json:"id"`
	Name             string          `json:"name"`
	Balance          credits.Balance `json:"balance"`
	MonthlyQuota     int64           `json:"monthly_quota"`
	ChargedThisMonth int64           `json:"charged_this_month"`
	CreatedAt        time.Time       `json:"created_at"`
	Version          int64           `json:"version"`
}

func (h *handler) accountViews(r *http.Request, accounts ...audit.Account) ([]accountView, error) {
	ids := make([]string, len(accounts))
	for i, a := range accounts {
		ids[i] = a.ID
	}
	charged, err := h.Store.MonthCharges(r.Context(), ids, h.Now())
	if err != nil {
		return nil, err
	}
	views := make([]accountView, len(accounts))
	for i, a := range accounts {
		views[i] = accountView{
			ID: a.ID, Name: a.Name, Balance: a.Balance, MonthlyQuota: a.MonthlyQuota,
			ChargedThisMonth: charged[a.ID], CreatedAt: a.CreatedAt, Version: a.Version,
		}
	}
	return views, nil
}

func (h *handler) answerAccount(w http.ResponseWriter, r *http.Request, status int, a audit.Account) error {
	views, err := h.accountViews(r, a)
	if err != nil {
		return err
	}
	etag(w, a.Version)
	return httpapi.Write(w, status, views[0])
}

func (h *handler) account(r *http.Request) (audit.Account, error) {
	a, err := h.Store.AccountRecord(r.Context(), r.PathValue("id"))
	return a, found(err, "account")
}

func (h *handler) listAccounts(w http.ResponseWriter, r *http.Request) error {
	get, err := queryOf(r, "q", "cursor", "limit")
	if err != nil {
		return err
	}
	prefix := get("q")
	if prefix != "" && !accountForm.MatchString(prefix) {
		return page(w, []accountView{}, "") // no id can begin like this
	}
	n, err := limit(r)
	if err != nil {
		return err
	}
	accounts, next, err := h.Store.AccountRecords(r.Context(), prefix, get("cursor"), n)
	if err != nil {
		return err
	}
	views, err := h.accountViews(r, accounts...)
	if err != nil {
		return err
	}
	return page(w, views, next)
}

func (h *handler) getAccount(w http.ResponseWriter, r *http.Request) error {
	a, err := h.account(r)
	if err != nil {
		return err
	}
	return h.answerAccount(w, r, http.StatusOK, a)
}

func accountObject(a audit.Account) audit.Object {
	return audit.Object{Type: "account", ID: a.ID, Name: a.Name}
}

func (h *handler) createAccount(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		ID           string `json:"id"`
		Name         string `json:"name"`
		MonthlyQuota int64  `json:"monthly_quota"`
		Grant        int64  `json:"grant"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	var f fault.Fields
	f.Check(accountForm.MatchString(body.ID), "id", "must have 1 to 128 letters, digits or . _ : @ -")
	checkAccount(&f, body.Name, body.MonthlyQuota)
	f.Check(body.Grant >= 0 && body.Grant <= maxGrant, "grant", "must be 0 to %d", int64(maxGrant))
	if err := f.Err(); err != nil {
		return err
	}
	once, err := h.onceSum(r)
	if err != nil {
		return err
	}
	a := audit.Account{Version: 1}
	a.ID, a.Name, a.MonthlyQuota, a.CreatedAt = body.ID, body.Name, body.MonthlyQuota, h.Now().UTC()
	err = h.commit(r, "account.create", accountObject(a), nil, a,
		audit.Change{Accounts: []audit.AccountWrite{{Account: a.Account}}})
	if err != nil && (once == nil || fault.CodeOf(err) != fault.Conflict) {
		return err
	}
	if body.Grant > 0 {
		// Always the same id: whoever sends a create again after a crash between the
		// two completes it, and nobody grants twice.
		if err := h.post(r, "account.grant", a, credits.ForGrant(a.ID, "opening", body.Grant, "opening balance", h.by(r), h.Now().UTC())); err != nil {
			return err
		}
	}
	if a, err = h.Store.AccountRecord(r.Context(), a.ID); err != nil {
		return err
	}
	w.Header().Set("Location", "/api/admin/accounts/"+a.ID)
	return h.answerAccount(w, r, http.StatusCreated, a)
}

func checkAccount(f *fault.Fields, name string, quota int64) {
	f.Check(utf8.RuneCountInString(name) <= maxAccountName, "name", "must have at most %d characters", maxAccountName)
	f.Check(quota >= 0 && quota <= maxGrant, "monthly_quota", "must be 0 to %d; 0 is no limit", int64(maxGrant))
}

func (h *handler) patchAccount(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Name         *string `json:"name"`
		MonthlyQuota *int64  `json:"monthly_quota"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	before, err := h.account(r)
	if err != nil {
		return err
	}
	views, err := h.accountViews(r, before)
	if err != nil {
		return err
	}
	if err := checkVersion(r, before.Version, views[0]); err != nil {
		return err
	}
	after := before
	set(&after.Name, body.Name)
	set(&after.MonthlyQuota, body.MonthlyQuota)
	after.Version++
	var f fault.Fields
	checkAccount(&f, after.Name, after.MonthlyQuota)
	if err := f.Err(); err != nil {
		return err
	}
	err = h.commit(r, "account.update", accountObject(after), before, after,
		audit.Change{Accounts: []audit.AccountWrite{{Account: after.Account, Expect: before.Version}}})
	if err != nil {
		return withCurrent(r.Context(), err, func(ctx context.Context) (any, error) {
			now, err := h.Store.AccountRecord(ctx, before.ID)
			if err != nil {
				return nil, err
			}
			views, err := h.accountViews(r, now)
			return views[0], err
		})
	}
	return h.answerAccount(w, r, http.StatusOK, after)
}

// by is who moves credits, for the ledger.
func (h *handler) by(r *http.Request) string {
	actor := h.actor(r)
	return actor.Type + ":" + actor.ID
}

// post moves an account's credits, with its entry in the trail.
func (h *handler) post(r *http.Request, action string, a audit.Account, e credits.Entry) error {
	err := h.commit(r, action, accountObject(a), nil, e, audit.Change{Post: &e})
	if short, ok := errors.AsType[*journal.Insufficient](err); ok {
		return fault.New(fault.Conflict, "the account has %d credits available, which is less than is taken", short.Available).
			With("available", short.Available).Because(err)
	}
	return found(err, "account")
}

type posting struct {
	Amount int64  `json:"amount"`
	Note   string `json:"note"`
}

func (h *handler) grant(w http.ResponseWriter, r *http.Request) error {
	return h.move(w, r, "account.grant", credits.ForGrant, func(f *fault.Fields, p posting) {
		f.Check(p.Amount > 0 && p.Amount <= maxGrant, "amount", "must be 1 to %d", int64(maxGrant))
	})
}

func (h *handler) adjust(w http.ResponseWriter, r *http.Request) error {
	return h.move(w, r, "account.adjust", credits.ForAdjust, func(f *fault.Fields, p posting) {
		f.Check(p.Amount != 0 && p.Amount >= -maxGrant && p.Amount <= maxGrant, "amount", "must be at most %d up or down, and not 0", int64(maxGrant))
		f.Check(p.Note != "", "note", "is required: it says why")
	})
}

// mover makes the ledger entry of a posting.
type mover func(account, id string, amount int64, note, by string, at time.Time) credits.Entry

func (h *handler) move(w http.ResponseWriter, r *http.Request, action string, make mover, check func(*fault.Fields, posting)) error {
	var body posting
	if err := decode(w, r, &body); err != nil {
		return err
	}
	var f fault.Fields
	check(&f, body)
	f.Check(utf8.RuneCountInString(body.Note) <= maxNote, "note", "must have at most %d characters", maxNote)
	if err := f.Err(); err != nil {
		return err
	}
	a, err := h.account(r)
	if err != nil {
		return err
	}
	id := h.NewID("")
	once, err := h.onceSum(r)
	if err != nil {
		return err
	}
	if once != nil {
		id = hex.EncodeToString(once[:16])
	}
	entry := make(a.ID, id, body.Amount, body.Note, h.by(r), h.Now().UTC())
	if err := h.post(r, action, a, entry); err != nil {
		return err
	}
	if a, err = h.Store.AccountRecord(r.Context(), a.ID); err != nil {
		return err
	}
	views, err := h.accountViews(r, a)
	if err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusCreated, map[string]any{"account": views[0], "entry": entry})
}

func (h *handler) ledger(w http.ResponseWriter, r *http.Request) error {
	get, err := queryOf(r, "reason", "cursor", "limit")
	if err != nil {
		return err
	}
	reason := credits.Reason(get("reason"))
	switch reason {
	case "", credits.Hold, credits.Settle, credits.Release, credits.Late, credits.Grant, credits.Adjust:
	default:
		return fault.Invalid("reason", "must be hold, settle, release, late, grant or adjust")
	}
	n, err := limit(r)
	if err != nil {
		return err
	}
	a, err := h.account(r)
	if err != nil {
		return err
	}
	entries, next, err := h.ledgerPage(r, a.ID, reason, get("cursor"), n)
	if err != nil {
		return err
	}
	return page(w, entries, next)
}

// ledgerPages bounds the lines that a filtered page of a ledger looks at.
const ledgerPages = 5

// ledgerPage reads a page. A filtered one looks at five pages at most, so it may
// be short although more follow.
func (h *handler) ledgerPage(r *http.Request, account string, reason credits.Reason, cursor string, n int) ([]credits.Entry, string, error) {
	var entries []credits.Entry
	for range ledgerPages {
		some, next, err := h.Store.Ledger(r.Context(), account, cursor, n-len(entries))
		if err != nil {
			return nil, "", err
		}
		for _, e := range some {
			if reason == "" || e.Reason == reason {
				entries = append(entries, e)
			}
		}
		if cursor = next; next == "" || len(entries) >= n {
			break
		}
	}
	return entries, cursor, nil
}
