package httpapi_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"easel/shared/apikey"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/journal"
	"easel/shared/limit"
)

// keys counts how often it is asked.
type keys struct {
	mu    sync.Mutex
	known map[string]apikey.Key
	err   error
	delay time.Duration
	asked atomic.Int64
}

func (k *keys) Key(_ context.Context, id string) (apikey.Key, error) {
	k.asked.Add(1)
	if k.delay > 0 {
		<-time.After(k.delay)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return apikey.Key{}, k.err
	}
	key, ok := k.known[id]
	if !ok {
		return apikey.Key{}, journal.ErrNotFound
	}
	return key, nil
}

func (k *keys) add(change func(*apikey.Key)) (text string) {
	text, id, hash := apikey.New()
	key := apikey.Key{ID: id, Account: "acc_1", Hash: hash, Scopes: []apikey.Scope{apikey.Generate}}
	if change != nil {
		change(&key)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil {
		k.known = map[string]apikey.Key{}
	}
	k.known[id] = key
	return text
}

func request(authorization string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "203.0.113.9:4711"
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func TestKeyAuth(t *testing.T) {
	t.Parallel()
	k := &keys{}
	auth := httpapi.NewKeyAuth(k, time.Now)
	good := k.add(nil)
	past := time.Now().Add(-time.Minute)
	cases := map[string]struct {
		request *http.Request
		code    fault.Code
	}{
		"a good key":                {request("Bearer " + good), ""},
		"no key":                    {request(""), fault.Unauthenticated},
		"no scheme":                 {request(good), fault.Unauthenticated},
		"nothing after the scheme":  {request("Bearer "), fault.Unauthenticated},
		"an unknown id":             {request("Bearer esl_AAAAAAAAAAAA_" + good[17:]), fault.Unauthenticated},
		"a secret cut short":        {request("Bearer " + good[:len(good)-1]), fault.Unauthenticated},
		"a revoked key":             {request("Bearer " + k.add(func(k *apikey.Key) { k.RevokedAt = past })), fault.Unauthenticated},
		"an expired key":            {request("Bearer " + k.add(func(k *apikey.Key) { k.ExpiresAt = past })), fault.Unauthenticated},
		"an allowed address":        {request("Bearer " + k.add(func(k *apikey.Key) { k.AllowIPs = []string{"203.0.113.0/24"} })), ""},
		"an allowed single address": {request("Bearer " + k.add(func(k *apikey.Key) { k.AllowIPs = []string{"203.0.113.9"} })), ""},
		"another address":           {request("Bearer " + k.add(func(k *apikey.Key) { k.AllowIPs = []string{"198.51.100.0/24", "bad"} })), fault.Forbidden},
		"another's account":         {request("Bearer "+good, "X-Easel-Account", "acc_2"), fault.Forbidden},
		"its own account by name":   {request("Bearer "+good, "X-Easel-Account", "acc_1"), ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			caller, err := auth.Authenticate(c.request)
			if fault.CodeOf(err) != c.code {
				t.Fatalf("error = %v, want %q", err, c.code)
			}
			if err == nil && caller.Account != "acc_1" {
				t.Errorf("caller = %+v", caller)
			}
		})
	}
}

func TestAnUnknownKeyLooksLikeAWrongSecret(t *testing.T) {
	t.Parallel()
	k := &keys{}
	auth := httpapi.NewKeyAuth(k, time.Now)
	good := k.add(nil)
	_, unknown := auth.Authenticate(request("Bearer esl_AAAAAAAAAAAA_" + good[17:]))
	_, wrong := auth.Authenticate(request("Bearer " + good[:17] + strings.Repeat("x", 40)))
	if unknown == nil || wrong == nil || unknown.Error() != wrong.Error() {
		t.Errorf("unknown: %v, wrong: %v; want the same words", unknown, wrong)
	}
}

func TestActAs(t *testing.T) {
	t.Parallel()
	k := &keys{}
	auth := httpapi.NewKeyAuth(k, time.Now)
	key := "Bearer " + k.add(func(k *apikey.Key) { k.Scopes = []apikey.Scope{apikey.Generate, apikey.ActAs} })
	if c, err := auth.Authenticate(request(key, "X-Easel-Account", "tenant:7")); err != nil || c.Account != "tenant:7" {
		t.Errorf("caller = %+v, %v", c, err)
	}
	if c, err := auth.Authenticate(request(key)); err != nil || c.Account != "acc_1" {
		t.Errorf("caller = %+v, %v", c, err)
	}
	if _, err := auth.Authenticate(request(key, "X-Easel-Account", "a b")); fault.CodeOf(err) != fault.InvalidInput {
		t.Errorf("error = %v", err)
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		has, want apikey.Scope
		may       bool
	}{
		{apikey.Generate, apikey.Generate, true},
		{apikey.Generate, apikey.Read, true},
		{apikey.Read, apikey.Generate, false},
		{apikey.Admin, apikey.Viewer, true},
		{apikey.Viewer, apikey.Admin, false},
		{apikey.Admin, apikey.Generate, false},
		{apikey.ActAs, apikey.Read, false},
	} {
		if got := (httpapi.Caller{Scopes: []apikey.Scope{c.has}}).May(c.want); got != c.may {
			t.Errorf("%s may %s = %t", c.has, c.want, got)
		}
	}
}

func TestKeyCacheAsksOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &keys{delay: time.Second}
		id, _, _ := apikey.Parse(k.add(nil))
		cache := httpapi.NewKeyCache(k, time.Now)
		var wait sync.WaitGroup
		for range 50 {
			wait.Go(func() {
				if _, err := cache.Key(t.Context(), id); err != nil {
					t.Error(err)
				}
				if _, err := cache.Key(t.Context(), "nobody"); !errors.Is(err, journal.ErrNotFound) {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if got := k.asked.Load(); got != 2 {
			t.Errorf("asked %d times, want once per id", got)
		}
		<-time.After(httpapi.KeyTTL)
		if _, err := cache.Key(t.Context(), id); err != nil || k.asked.Load() != 3 {
			t.Errorf("asked %d times, %v; want again after the TTL", k.asked.Load(), err)
		}
	})
}

func TestKeyCacheNoticesARevocation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &keys{}
		text := k.add(nil)
		id, _, _ := apikey.Parse(text)
		auth := httpapi.NewKeyAuth(httpapi.NewKeyCache(k, time.Now), time.Now)
		if _, err := auth.Authenticate(request("Bearer " + text)); err != nil {
			t.Fatal(err)
		}
		key := k.known[id]
		key.RevokedAt = time.Now()
		k.known[id] = key
		<-time.After(httpapi.KeyTTL)
		if _, err := auth.Authenticate(request("Bearer " + text)); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("error = %v, want the key refused after the TTL", err)
		}
	})
}

func TestKeyCacheForgetsFailuresAndGivesUpWithItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &keys{err: errors.New("down"), delay: time.Second}
		cache := httpapi.NewKeyCache(k, time.Now)
		for range 2 {
			if _, err := cache.Key(t.Context(), "a"); !errors.Is(err, k.err) {
				t.Errorf("error = %v", err)
			}
		}
		if got := k.asked.Load(); got != 2 {
			t.Errorf("asked %d times, want twice", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := cache.Key(ctx, "b"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v, want the caller's", err)
		}
		synctest.Wait()
		<-time.After(2 * time.Second)
	})
}

func TestKeyCacheIsBounded(t *testing.T) {
	t.Parallel()
	k := &keys{}
	cache := httpapi.NewKeyCache(k, time.Now)
	for i := range 25_000 {
		if _, err := cache.Key(t.Context(), strconv.Itoa(i)); !errors.Is(err, journal.ErrNotFound) {
			t.Fatal(err)
		}
	}
	if n := cache.Len(); n > 10_000 {
		t.Errorf("%d entries, want at most 10000", n)
	}
}

// counts is a limit store that knows counts alone.
type counts struct {
	limit.Slots

	mu    sync.Mutex
	taken map[string]int
}

func (c *counts) Take(_ context.Context, w limit.Window, n, most int) (int, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken[w.Rule]+n > most {
		return c.taken[w.Rule], false, nil
	}
	c.taken[w.Rule] += n
	return c.taken[w.Rule], true, nil
}

func (c *counts) Return(_ context.Context, w limit.Window, n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken[w.Rule] -= n
	return nil
}

func TestTheHeadersTellOfTheTighterOfKeyAndUser(t *testing.T) {
	t.Parallel()
	text, id, hash := apikey.New()
	known := &keys{known: map[string]apikey.Key{id: {ID: id, Account: "a", Hash: hash, Scopes: []apikey.Scope{apikey.Generate}, RatePerMinute: 5, UserRatePerMinute: 2}}}
	at := time.Date(2026, 11, 22, 12, 0, 15, 0, time.UTC)
	now := func() time.Time { return at }
	store := &counts{taken: map[string]int{}}
	auth := httpapi.NewKeyAuth(known, now).WithLimits(limit.New(store, now))
	h := httpapi.Wrap(httpapi.CreatingPerUser(auth, func(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
		if err := httpapi.AdmitUser(w, r, auth, c, r.URL.Query().Get("user")); err != nil {
			return err
		}
		return httpapi.Write(w, http.StatusOK, "made")
	}), slog.New(slog.DiscardHandler))
	for i, tt := range []struct {
		user, limit, left string
		status            int
	}{
		{"ann", "2", "1", http.StatusOK},
		{"ann", "2", "0", http.StatusOK},
		{"ann", "2", "0", http.StatusTooManyRequests},
		{"ann", "2", "0", http.StatusTooManyRequests},
		{"bob", "2", "1", http.StatusOK},
		{"cid", "2", "1", http.StatusOK},
		{"cid", "2", "0", http.StatusOK},
		{"dan", "5", "0", http.StatusTooManyRequests},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/?user="+tt.user, nil)
		r.Header.Set("Authorization", "Bearer "+text)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		header := w.Header()
		if w.Code != tt.status || header.Get("RateLimit-Limit") != tt.limit || header.Get("RateLimit-Remaining") != tt.left ||
			(tt.status == http.StatusTooManyRequests) != (header.Get("Retry-After") == "45") {
			t.Errorf("%d, %s: %d with %v", i, tt.user, w.Code, header)
		}
	}
}
