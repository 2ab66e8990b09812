package httpapi

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"easel/shared/apikey"
	"easel/shared/fault"
	"easel/shared/limit"
)

// AccountHeader names the account that a key with the scope act_as works for.
const AccountHeader = "X-Easel-Account"

// Caller is who made a request.
type Caller struct {
	// KeyID is the API key's id; for a token, its issuer's name of the session.
	KeyID string
	// Account pays and owns what is made.
	Account string
	// User is the person, where the credential names one.
	User   string
	Scopes []apikey.Scope
	// RatePerMinute and Concurrency limit the key; 0 is no limit.
	RatePerMinute int
	Concurrency   int
	// UserRatePerMinute and UserConcurrency limit each user of Account; 0 is no limit.
	UserRatePerMinute int
	UserConcurrency   int
	// CacheTTLSeconds and CacheUnseeded are the key's; see [CacheWish].
	CacheTTLSeconds int
	CacheUnseeded   bool

	// admitted is what the key's rate said to the request.
	admitted limit.Admission
}

// May reports whether the caller has the scope. Generate includes Read, and
// Admin includes Viewer.
func (c Caller) May(s apikey.Scope) bool {
	switch s {
	case apikey.Read:
		return slices.Contains(c.Scopes, apikey.Read) || slices.Contains(c.Scopes, apikey.Generate)
	case apikey.Viewer:
		return slices.Contains(c.Scopes, apikey.Viewer) || slices.Contains(c.Scopes, apikey.Admin)
	default:
		return slices.Contains(c.Scopes, s)
	}
}

// Authenticator finds out who makes a request. It returns an Unauthenticated or
// Forbidden error; it never says whether a key exists.
type Authenticator interface {
	Authenticate(r *http.Request) (Caller, error)
}

// Creating is Guarded for requests that make something, which need the scope
// Generate. Where auth is a [Meter] they count against the key's rate, and the
// answer says how it stands in RateLimit-Limit, -Remaining and -Reset.
func Creating(auth Authenticator, f CallerFunc) http.Handler {
	meter, metered := auth.(Meter)
	return Guarded(auth, apikey.Generate, func(w http.ResponseWriter, r *http.Request, c Caller) error {
		if !metered {
			return f(w, r, c)
		}
		admission, err := meter.Admit(r.Context(), c)
		for _, field := range admission.Fields() {
			w.Header().Set(field.Name, field.Value)
		}
		if err != nil {
			return err
		}
		c.admitted = admission
		return f(w, r, c)
	})
}

// AdmitUser counts a creating request against the rate of its user, "" for one
// that names none, where the caller's key sets one. The answer's RateLimit headers
// are then those of the key or of the user, whichever has less left. It returns a
// RateLimited error for one request too many, which the key then has back.
func AdmitUser(w http.ResponseWriter, r *http.Request, auth Authenticator, c Caller, user string) error {
	meter, metered := auth.(Meter)
	if !metered || c.UserRatePerMinute == 0 {
		return nil
	}
	admission, err := meter.AdmitUser(r.Context(), c, user)
	if admission.OK {
		admission = limit.Tighter(c.admitted, admission)
	}
	for _, field := range admission.Fields() {
		w.Header().Set(field.Name, field.Value)
	}
	return err
}

// Meter is an Authenticator that also holds callers to their rates; see [Creating].
type Meter interface {
	// Admit counts one request. It returns a RateLimited error for one too many.
	Admit(ctx context.Context, c Caller) (limit.Admission, error)
	// AdmitUser counts one request, which Admit has let pass, against its user's
	// rate. When that refuses, the request does not count against the key.
	AdmitUser(ctx context.Context, c Caller, user string) (limit.Admission, error)
}

// CallerFunc is a handler for a known caller.
type CallerFunc func(w http.ResponseWriter, r *http.Request, c Caller) error

// Guarded returns a handler that only callers with the scope reach.
func Guarded(auth Authenticator, scope apikey.Scope, f CallerFunc) http.Handler {
	return Handler(func(w http.ResponseWriter, r *http.Request) error {
		caller, err := auth.Authenticate(r)
		if err != nil {
			return err
		}
		exchangeOf(r.Context()).caller = caller
		if !caller.May(scope) {
			return fault.New(fault.Forbidden, "this key lacks the scope %q", scope)
		}
		return f(w, r, caller)
	})
}

// KeyLookup finds a key by its id, or returns journal.ErrNotFound.
type KeyLookup interface {
	Key(ctx context.Context, id string) (apikey.Key, error)
}

// KeyAuth authenticates by API key: Authorization: Bearer esl_….
type KeyAuth struct {
	keys    KeyLookup
	now     func() time.Time
	limiter *limit.Limiter
}

// WithLimits returns an Authenticator that also holds each key to its requests
// per minute, over all processes together. It implements [Meter].
func (a *KeyAuth) WithLimits(limiter *limit.Limiter) *KeyAuth {
	return &KeyAuth{keys: a.keys, now: a.now, limiter: limiter}
}

// Admit implements [Meter]. A limit that cannot be checked lets the request pass.
func (a *KeyAuth) Admit(ctx context.Context, c Caller) (limit.Admission, error) {
	return a.admit(ctx, rateOf(c))
}

// AdmitUser implements [Meter].
func (a *KeyAuth) AdmitUser(ctx context.Context, c Caller, user string) (limit.Admission, error) {
	admission, err := a.admit(ctx, limit.ForUser(c.Account, user, c.UserRatePerMinute, 0))
	if !admission.OK && a.limiter != nil {
		a.limiter.Refund(ctx, []limit.Rule{rateOf(c)}, c.admitted)
	}
	return admission, err
}

func rateOf(c Caller) limit.Rule {
	return limit.ForKey(apikey.Key{ID: c.KeyID, RatePerMinute: c.RatePerMinute})
}

func (a *KeyAuth) admit(ctx context.Context, rule limit.Rule) (limit.Admission, error) {
	if a.limiter == nil || rule.Unlimited() {
		return limit.Admission{OK: true}, nil
	}
	admission, err := a.limiter.Admit(ctx, []limit.Rule{rule}, "", 0)
	if err != nil && !admission.OK {
		return admission, err
	}
	return admission, admission.Err()
}

// NewKeyAuth returns an Authenticator over keys, which it asks for every
// request: give it a [KeyCache].
func NewKeyAuth(keys KeyLookup, now func() time.Time) *KeyAuth {
	return &KeyAuth{keys: keys, now: now}
}

var accountForm = regexp.MustCompile(`^[A-Za-z0-9._:@-]{1,128}$`)

// Authenticate returns the caller that the request's key stands for.
func (a *KeyAuth) Authenticate(r *http.Request) (Caller, error) {
	token, err := Bearer(r)
	if err != nil {
		return Caller{}, err
	}
	id, secret, ok := apikey.Parse(token)
	if !ok {
		return Caller{}, fault.New(fault.Unauthenticated, "the API key is not valid")
	}
	key, err := a.keys.Key(r.Context(), id)
	if isNotFound(err) {
		// A key that matches nothing takes the same path and time as a wrong secret.
		key, err = apikey.Key{Hash: noHash}, nil
	}
	if err != nil {
		return Caller{}, err
	}
	if err := key.Verify(secret, a.now()); err != nil {
		return Caller{}, err
	}
	if !allowedIP(key.AllowIPs, r.RemoteAddr) {
		return Caller{}, fault.New(fault.Forbidden, "this key may not be used from this address")
	}
	return actAs(r, callerOf(key))
}

const noHash = "0000000000000000000000000000000000000000000000000000000000000000"

func callerOf(k apikey.Key) Caller {
	return Caller{
		KeyID: k.ID, Account: k.Account, Scopes: k.Scopes,
		RatePerMinute: k.RatePerMinute, Concurrency: k.Concurrency,
		UserRatePerMinute: k.UserRatePerMinute, UserConcurrency: k.UserConcurrency,
		CacheTTLSeconds: k.CacheTTLSeconds, CacheUnseeded: k.CacheUnseeded,
	}
}

// actAs moves a caller to the account that its request names.
func actAs(r *http.Request, c Caller) (Caller, error) {
	account := r.Header.Get(AccountHeader)
	switch {
	case account == "" || account == c.Account:
		return c, nil
	case !c.May(apikey.ActAs):
		return Caller{}, fault.New(fault.Forbidden, "this key may not act for other accounts (%s)", AccountHeader)
	case !accountForm.MatchString(account):
		return Caller{}, fault.New(fault.InvalidInput, "%s must have 1 to 128 letters, digits or . _ : @ -", AccountHeader)
	}
	c.Account = account
	return c, nil
}

// Bearer returns the token of the Authorization header, or an Unauthenticated
// error that says what is missing.
func Bearer(r *http.Request) (string, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", fault.New(fault.Unauthenticated, "send an API key: Authorization: Bearer esl_…")
	}
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", fault.New(fault.Unauthenticated, "the Authorization header must be: Bearer esl_…")
	}
	return token, nil
}

// allowedIP reports whether the address is in one of the prefixes. A list with
// only unreadable prefixes lets nobody in.
func allowedIP(prefixes []string, remote string) bool {
	if len(prefixes) == 0 {
		return true
	}
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	address = address.Unmap().WithZone("")
	for _, text := range prefixes {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			one, err := netip.ParseAddr(text)
			if err != nil {
				continue
			}
			prefix = netip.PrefixFrom(one, one.BitLen())
		}
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}
