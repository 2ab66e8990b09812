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
	return metered(auth, f, func(Caller) bool { return true })
}

// CreatingPerUser is Creating for handlers that call [AdmitUser] when they know
// whom a request is for, before they make anything. A key that limits its users is
// counted only then.
func CreatingPerUser(auth Authenticator, f CallerFunc) http.Handler {
	return metered(auth, f, func(c Caller) bool { return c.UserRatePerMinute == 0 })
}

// metered counts the requests of the callers for whom atOnce is true.
func metered(auth Authenticator, f CallerFunc, atOnce func(Caller) bool) http.Handler {
	meter, ok := auth.(Meter)
	return Guarded(auth, apikey.Generate, func(w http.ResponseWriter, r *http.Request, c Caller) error {
		if ok && atOnce(c) {
			if err := admitted(w)(meter.Admit(r.Context(), c)); err != nil {
				return err
			}
		}
		return f(w, r, c)
	})
}

// AdmitUser counts a creating request against the rate of its user, "" for one
// that names none, and then against its key's, where the caller's key limits its
// users; others were counted by [CreatingPerUser]. So a user who asks too often
// takes nothing from the others. The answer's RateLimit headers are those of the
// rate that refused, else of the one with less left. It returns a RateLimited error
// for one request too many.
func AdmitUser(w http.ResponseWriter, r *http.Request, auth Authenticator, c Caller, user string) error {
	meter, ok := auth.(Meter)
	if !ok || c.UserRatePerMinute == 0 {
		return nil
	}
	return admitted(w)(meter.AdmitUser(r.Context(), c, user))
}

// admitted returns what writes an admission into the answer's headers.
func admitted(w http.ResponseWriter) func(a limit.Admission, err error) error {
	return func(a limit.Admission, err error) error {
		for _, field := range a.Fields() {
			w.Header().Set(field.Name, field.Value)
		}
		return err
	}
}

// Meter is an Authenticator that also holds callers to their rates; see [Creating].
type Meter interface {
	// Admit counts one request. It returns a RateLimited error for one too many.
	Admit(ctx context.Context, c Caller) (limit.Admission, error)
	// AdmitUser is Admit for a request of the user: it counts against the user's
	// rate first, and against neither when one of the two refuses.
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

// AdmitUser implements [Meter]. A limit that cannot be checked lets the request pass.
func (a *KeyAuth) AdmitUser(ctx context.Context, c Caller, user string) (limit.Admission, error) {
	return a.admit(ctx, limit.ForUser(c.Account, user, c.UserRatePerMinute, 0), rateOf(c))
}

func rateOf(c Caller) limit.Rule {
	return limit.ForKey(apikey.Key{ID: c.KeyID, RatePerMinute: c.RatePerMinute})
}

func (a *KeyAuth) admit(ctx context.Context, rules ...limit.Rule) (limit.Admission, error) {
	if a.limiter == nil || !slices.ContainsFunc(rules, func(r limit.Rule) bool { return !r.Unlimited() }) {
		return limit.Admission{OK: true}, nil
	}
	admission, err := a.limiter.Admit(ctx, rules, "", 0)
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
	return ActAs(r, callerOf(key))
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

// AccountName reports whether text has the form of an account's id.
func AccountName(text string) bool { return accountForm.MatchString(text) }

// ActAs moves a caller to the account that its request names by [AccountHeader].
// It returns a Forbidden error for a caller without the scope act_as that names
// another than its own.
func ActAs(r *http.Request, c Caller) (Caller, error) {
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
