// Package apikey is what callers authenticate with: keys of the form
// esl_<id>_<secret>, of which only a hash of the secret is ever stored.
package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"regexp"
	"slices"
	"time"

	"easel/shared/fault"
)

// Scope is something that a key may do.
type Scope string

// The scopes.
const (
	// Generate: create, read and cancel the account's own tasks.
	Generate Scope = "generate"
	// Read: read the account's own tasks and balance only.
	Read Scope = "read"
	// ActAs: work for any account, named per request; for a platform's own backend.
	ActAs Scope = "act_as"
	// Viewer: read everything under /api/admin, change nothing.
	Viewer Scope = "viewer"
	// Admin: everything under /api/admin.
	Admin Scope = "admin"
)

// Scopes lists every scope.
func Scopes() []Scope { return []Scope{Generate, Read, ActAs, Viewer, Admin} }

// Key is a stored key. It does not hold the secret.
type Key struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Account is who pays; with the scope ActAs, who pays when a request names nobody.
	Account string  `json:"account"`
	Scopes  []Scope `json:"scopes"`
	// Hash is the hex SHA-256 of the secret.
	Hash string `json:"hash"`
	// PreviousHash still works until PreviousUntil, for a rotation with overlap.
	PreviousHash  string    `json:"previous_hash,omitempty"`
	PreviousUntil time.Time `json:"previous_until,omitzero"`
	// RatePerMinute and Concurrency limit the key; 0 is no limit.
	RatePerMinute int `json:"rate_per_minute,omitempty"`
	Concurrency   int `json:"concurrency,omitempty"`
	// UserRatePerMinute and UserConcurrency limit each end user of each account that
	// the key works for; 0 is no limit. Requests that name no user share one.
	UserRatePerMinute int `json:"user_rate_per_minute,omitempty"`
	UserConcurrency   int `json:"user_concurrency,omitempty"`
	// CacheTTLSeconds is how long answers to the key's requests are remembered, to
	// answer the same request of the same account again; 0 is never. CacheUnseeded
	// includes pictures and videos that are asked for without a seed.
	CacheTTLSeconds int  `json:"cache_ttl_seconds,omitempty"`
	CacheUnseeded   bool `json:"cache_unseeded,omitempty"`
	// Moderation is how strictly the content filter checks what the key asks for:
	// "off", "default" or "strict"; "" is the deployment's policy.
	Moderation string `json:"moderation,omitempty"`
	// AllowIPs are CIDR prefixes that may use the key; empty is everyone.
	AllowIPs  []string  `json:"allow_ips,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	CreatedAt time.Time `json:"created_at"`
	Version   int64     `json:"version"`
}

// Has reports whether the key has the scope.
func (k Key) Has(s Scope) bool { return slices.Contains(k.Scopes, s) }

var form = regexp.MustCompile(`^esl_([A-Za-z0-9]{12})_([A-Za-z0-9]{32,128})$`)

// Parse splits a key as a caller sends it into its id and secret; ok is false
// when it is not of the form esl_<12 letters or digits>_<32 or more>.
func Parse(text string) (id, secret string, ok bool) {
	m := form.FindStringSubmatch(text)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

// HashSecret returns the hex SHA-256 of a key's secret. A plain hash is enough
// because the secret is random and at least 32 characters long.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// New returns a fresh key's text, id and hash from the system's random source.
func New() (text, id, hash string) {
	id, secret := random(12), random(40)
	return "esl_" + id + "_" + secret, id, HashSecret(secret)
}

// Verify returns nil when secret opens the key at now, else an Unauthenticated
// error that says whether the key is wrong, revoked or expired. A wrong secret
// is told apart from nothing else, in constant time.
func (k Key) Verify(secret string, now time.Time) error {
	hash := []byte(HashSecret(secret))
	current := subtle.ConstantTimeCompare(hash, []byte(k.Hash)) == 1
	previous := subtle.ConstantTimeCompare(hash, []byte(k.PreviousHash)) == 1 && now.Before(k.PreviousUntil)
	switch {
	case !current && !previous:
		return fault.New(fault.Unauthenticated, "the API key is not valid")
	case !k.RevokedAt.IsZero() && !now.Before(k.RevokedAt):
		return fault.New(fault.Unauthenticated, "the API key was revoked")
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
		return fault.New(fault.Unauthenticated, "the API key has expired")
	}
	return nil
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// random returns n characters, each uniform over the alphabet.
func random(n int) string {
	out := make([]byte, 0, n)
	buf := make([]byte, n)
	for len(out) < n {
		_, _ = rand.Read(buf) // never fails: crypto/rand ends the program instead
		for _, b := range buf {
			if int(b) < 256/len(alphabet)*len(alphabet) && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}
