package adminapi

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"easel/shared/apikey"
	"easel/shared/audit"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/moderation"
	"easel/shared/replycache"
)

const (
	maxKeyName  = 100
	maxPrefixes = 100
	maxOverlap  = 30 * 24 * 60 * 60 // seconds
	maxKeyRate  = 1_000_000
)

// keyView is a key as operators see it. It holds neither secret nor hash.
type keyView struct {
	ID            string         `json:"id"`
	Name          string         `json:"name"`
	Mask          string         `json:"mask"`
	Account       string         `json:"account"`
	Scopes        []apikey.Scope `json:"scopes"`
	RatePerMinute int            `json:"rate_per_minute"`
	Concurrency   int            `json:"concurrency"`
	// UserRatePerMinute and UserConcurrency limit each user of the key's accounts.
	UserRatePerMinute int `json:"user_rate_per_minute"`
	UserConcurrency   int `json:"user_concurrency"`
	// CacheTTLSeconds and CacheUnseeded are what the cache of answers is to the key.
	CacheTTLSeconds int       `json:"cache_ttl_seconds"`
	CacheUnseeded   bool      `json:"cache_unseeded"`
	Moderation      string    `json:"moderation"`
	AllowIPs        []string  `json:"allow_ips"`
	ExpiresAt       time.Time `json:"expires_at,omitzero"`
	RevokedAt       time.Time `json:"revoked_at,omitzero"`
	PreviousUntil   time.Time `json:"previous_until,omitzero"`
	CreatedAt       time.Time `json:"created_at"`
	Status          string    `json:"status"`
	Version         int64     `json:"version"`
}

func (h *handler) keyView(k apikey.Key) keyView {
	return keyView{
		ID: k.ID, Name: k.Name, Mask: "esl_" + k.ID + "_…", Account: k.Account, Scopes: k.Scopes,
		RatePerMinute: k.RatePerMinute, Concurrency: k.Concurrency, UserRatePerMinute: k.UserRatePerMinute, UserConcurrency: k.UserConcurrency,
		CacheTTLSeconds: k.CacheTTLSeconds, CacheUnseeded: k.CacheUnseeded,
		Moderation: cmp.Or(k.Moderation, string(moderation.Default)), AllowIPs: append([]string{}, k.AllowIPs...),
		ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt, PreviousUntil: k.PreviousUntil, CreatedAt: k.CreatedAt,
		Status: keyStatus(k, h.Now()), Version: k.Version,
	}
}

func keyStatus(k apikey.Key, now time.Time) string {
	switch {
	case !k.RevokedAt.IsZero() && !now.Before(k.RevokedAt):
		return "revoked"
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
		return "expired"
	default:
		return "active"
	}
}

func keyObject(k apikey.Key) audit.Object { return audit.Object{Type: "key", ID: k.ID, Name: k.Name} }

func (h *handler) key(r *http.Request) (apikey.Key, error) {
	k, err := h.Store.Key(r.Context(), r.PathValue("id"))
	return k, found(err, "key")
}

func (h *handler) answerKey(w http.ResponseWriter, k apikey.Key) error {
	etag(w, k.Version)
	return httpapi.Write(w, http.StatusOK, h.keyView(k))
}

// saveKey writes the key as its next version.
func (h *handler) saveKey(r *http.Request, action string, before *apikey.Key, after apikey.Key) (apikey.Key, error) {
	var old any
	var expect int64
	if before != nil {
		old, expect = *before, before.Version
	}
	after.Version = expect + 1
	err := h.commit(r, action, keyObject(after), old, after, audit.Change{Keys: []audit.KeyWrite{{Key: after, Expect: expect}}})
	return after, withCurrent(r.Context(), err, func(ctx context.Context) (any, error) {
		k, err := h.Store.Key(ctx, after.ID)
		return h.keyView(k), err
	})
}

func (h *handler) listKeys(w http.ResponseWriter, r *http.Request) error {
	get, err := queryOf(r, "account", "cursor", "limit")
	if err != nil {
		return err
	}
	n, err := limit(r)
	if err != nil {
		return err
	}
	read := h.Store.Keys
	if account := get("account"); account != "" {
		read = func(ctx context.Context, cursor string, limit int) ([]apikey.Key, string, error) {
			return h.Store.KeysByAccount(ctx, account, cursor, limit)
		}
	}
	keys, next, err := read(r.Context(), get("cursor"), n)
	if err != nil {
		return err
	}
	views := make([]keyView, len(keys))
	for i, k := range keys {
		views[i] = h.keyView(k)
	}
	return page(w, views, next)
}

func (h *handler) getKey(w http.ResponseWriter, r *http.Request) error {
	k, err := h.key(r)
	if err != nil {
		return err
	}
	return h.answerKey(w, k)
}

// keyForm is a key as operators write it; nil members are not given.
type keyForm struct {
	Name          *string        `json:"name"`
	Account       *string        `json:"account"`
	Scopes        []apikey.Scope `json:"scopes"`
	RatePerMinute *int           `json:"rate_per_minute"`
	Concurrency   *int           `json:"concurrency"`
	UserRate      *int           `json:"user_rate_per_minute"`
	UserPlaces    *int           `json:"user_concurrency"`
	CacheTTL      *int           `json:"cache_ttl_seconds"`
	CacheUnseeded *bool          `json:"cache_unseeded"`
	// Moderation is off, default or strict; default is the deployment's policy.
	Moderation *string   `json:"moderation"`
	AllowIPs   *[]string `json:"allow_ips"`
	// ExpiresAt is a time, or null for a key that does not expire.
	ExpiresAt json.RawMessage `json:"expires_at"`
}

func (f keyForm) apply(k apikey.Key, fields *fault.Fields) apikey.Key {
	set(&k.Name, f.Name)
	set(&k.Account, f.Account)
	set(&k.RatePerMinute, f.RatePerMinute)
	set(&k.Concurrency, f.Concurrency)
	set(&k.UserRatePerMinute, f.UserRate)
	set(&k.UserConcurrency, f.UserPlaces)
	set(&k.CacheTTLSeconds, f.CacheTTL)
	set(&k.CacheUnseeded, f.CacheUnseeded)
	set(&k.AllowIPs, f.AllowIPs)
	set(&k.Moderation, f.Moderation)
	if k.Moderation == string(moderation.Default) {
		k.Moderation = ""
	}
	if f.Scopes != nil {
		k.Scopes = f.Scopes
	}
	if len(f.ExpiresAt) > 0 {
		var at *time.Time
		fields.Check(json.Unmarshal(f.ExpiresAt, &at) == nil, "expires_at", "must be a time such as 2026-01-31T12:00:00Z, or null")
		k.ExpiresAt = time.Time{}
		set(&k.ExpiresAt, at)
	}
	return k
}

func checkKey(fields *fault.Fields, k apikey.Key) {
	fields.Check(utf8.RuneCountInString(k.Name) <= maxKeyName, "name", "must have at most %d characters", maxKeyName)
	fields.Check(len(k.Scopes) > 0, "scopes", "must have at least one scope")
	for i, s := range k.Scopes {
		name := "scopes[" + itoa(i) + "]"
		fields.Check(slices.Contains(apikey.Scopes(), s), name, "must be generate, read, act_as, viewer or admin")
		fields.Check(slices.Index(k.Scopes, s) == i, name, "must not come twice")
	}
	pays := k.Has(apikey.Generate) || k.Has(apikey.Read)
	fields.Check(k.Account != "" || !pays, "account", "is required for the scopes generate and read")
	fields.Check(k.Account == "" || accountForm.MatchString(k.Account), "account", "must be an account's id")
	checkKeyLimits(fields, k)
	policy := moderation.Policy(k.Moderation)
	fields.Check(policy == "" || policy == moderation.Off || policy == moderation.Strict, "moderation", "must be off, default or strict")
	fields.Check(len(k.AllowIPs) <= maxPrefixes, "allow_ips", "must have at most %d elements", maxPrefixes)
	for i, text := range k.AllowIPs {
		_, prefixErr := netip.ParsePrefix(text)
		_, addrErr := netip.ParseAddr(text)
		fields.Check(prefixErr == nil || addrErr == nil, "allow_ips["+itoa(i)+"]", "must be an address or prefix such as 203.0.113.0/24")
	}
}

func checkKeyLimits(fields *fault.Fields, k apikey.Key) {
	for _, l := range []struct {
		name  string
		value int
	}{
		{"rate_per_minute", k.RatePerMinute},
		{"concurrency", k.Concurrency},
		{"user_rate_per_minute", k.UserRatePerMinute},
		{"user_concurrency", k.UserConcurrency},
	} {
		fields.Check(l.value >= 0 && l.value <= maxKeyRate, l.name, "must be 0 to %d; 0 is no limit", maxKeyRate)
	}
	fields.Check(k.CacheTTLSeconds >= 0 && k.CacheTTLSeconds <= replycache.MaxSeconds, "cache_ttl_seconds", "must be 0 to %d; 0 remembers nothing", replycache.MaxSeconds)
}

// checkPayer adds an error when the key's account does not exist.
func (h *handler) checkPayer(r *http.Request, fields *fault.Fields, account string) error {
	if account == "" || !accountForm.MatchString(account) {
		return nil
	}
	_, err := h.Store.AccountRecord(r.Context(), account)
	if fault.CodeOf(found(err, "account")) == fault.NotFound {
		fields.Add("account", "does not exist; create it first")
		return nil
	}
	return err
}

func (h *handler) createKey(w http.ResponseWriter, r *http.Request) error {
	var form keyForm
	if err := decode(w, r, &form); err != nil {
		return err
	}
	var fields fault.Fields
	text, id, hash := apikey.New()
	k := form.apply(apikey.Key{CreatedAt: h.Now().UTC()}, &fields)
	checkKey(&fields, k)
	fields.Check(k.ExpiresAt.IsZero() || k.ExpiresAt.After(h.Now()), "expires_at", "must be in the future")
	if err := h.checkPayer(r, &fields, k.Account); err != nil {
		return err
	}
	if err := fields.Err(); err != nil {
		return err
	}
	once, err := h.onceSum(r)
	if err != nil {
		return err
	}
	if once != nil {
		before := id
		id = keyIDOf(once)
		text = strings.Replace(text, before, id, 1)
		if known, err := h.Store.Key(r.Context(), id); err == nil {
			// The secret was shown once and is kept nowhere, so a repeat cannot show it.
			return httpapi.Write(w, http.StatusCreated, map[string]any{"key": h.keyView(known), "secret": ""})
		}
	}
	k.ID, k.Hash = id, hash
	if k, err = h.saveKey(r, "key.create", nil, k); err != nil {
		return err
	}
	w.Header().Set("Location", "/api/admin/keys/"+k.ID)
	return httpapi.Write(w, http.StatusCreated, map[string]any{"key": h.keyView(k), "secret": text})
}

// keyIDOf makes the twelve letters and digits of a key's id from a hash.
func keyIDOf(sum []byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	id := make([]byte, 12)
	for i := range id {
		id[i] = alphabet[int(sum[i])%len(alphabet)]
	}
	return string(id)
}

func (h *handler) patchKey(w http.ResponseWriter, r *http.Request) error {
	var form keyForm
	if err := decode(w, r, &form); err != nil {
		return err
	}
	before, err := h.key(r)
	if err != nil {
		return err
	}
	if err := checkVersion(r, before.Version, h.keyView(before)); err != nil {
		return err
	}
	var fields fault.Fields
	fields.Check(form.Account == nil || *form.Account == before.Account, "account", "cannot be changed; create another key")
	after := form.apply(before, &fields)
	checkKey(&fields, after)
	own := callerOf(r).KeyID == before.ID
	fields.Check(!own || after.Has(apikey.Admin), "scopes", "must keep admin: it is the key that you use")
	if err := fields.Err(); err != nil {
		return err
	}
	if after, err = h.saveKey(r, "key.update", &before, after); err != nil {
		return err
	}
	return h.answerKey(w, after)
}

func (h *handler) revokeKey(w http.ResponseWriter, r *http.Request) error {
	before, err := h.key(r)
	if err != nil {
		return err
	}
	if callerOf(r).KeyID == before.ID {
		return fault.New(fault.Conflict, "this is the key that you use; revoke it with another one")
	}
	if keyStatus(before, h.Now()) == "revoked" {
		return h.answerKey(w, before)
	}
	after := before
	after.RevokedAt = h.Now().UTC()
	if after, err = h.saveKey(r, "key.revoke", &before, after); err != nil {
		return err
	}
	return h.answerKey(w, after)
}

func (h *handler) rotateKey(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		OverlapSeconds int `json:"overlap_seconds"`
	}
	if r.ContentLength != 0 {
		if err := decode(w, r, &body); err != nil {
			return err
		}
	}
	if body.OverlapSeconds < 0 || body.OverlapSeconds > maxOverlap {
		return fault.Invalid("overlap_seconds", "must be 0 to %d", maxOverlap)
	}
	before, err := h.key(r)
	if err != nil {
		return err
	}
	if keyStatus(before, h.Now()) == "revoked" {
		return fault.New(fault.Conflict, "the key is revoked; create another one")
	}
	text, id, hash := apikey.New()
	after := before
	after.Hash, after.PreviousHash, after.PreviousUntil = hash, "", time.Time{}
	if body.OverlapSeconds > 0 {
		after.PreviousHash = before.Hash
		after.PreviousUntil = h.Now().UTC().Add(time.Duration(body.OverlapSeconds) * time.Second)
	}
	if after, err = h.saveKey(r, "key.rotate", &before, after); err != nil {
		return err
	}
	secretText := strings.Replace(text, id, after.ID, 1)
	return httpapi.Write(w, http.StatusOK, map[string]any{"key": h.keyView(after), "secret": secretText})
}
