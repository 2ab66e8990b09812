package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

const (
	// keysFor is how long the issuer's keys are used before they are read again, so
	// also how long a key that it withdrew is still believed.
	keysFor = 15 * time.Minute
	// keysPause is the least time between two reads of the keys: whatever names of
	// keys people make up, the issuer is asked once a minute.
	keysPause = time.Minute
	// retryAfter is the pause after a read that failed.
	retryAfter   = 5 * time.Second
	fetchTimeout = 10 * time.Second
	maxDocument  = 1 << 20
	minRSABits   = 2048
)

// errIssuer marks the failure to learn something from the issuer, as opposed to a
// token that is not good.
var errIssuer = errors.New("oidc: the issuer does not answer")

// Issuer is what is known of an identity provider, learnt when it is first needed.
// It is safe for concurrent use.
type Issuer struct {
	url    string
	client *http.Client
	now    func() time.Time

	mu       sync.Mutex
	document *discovery
	tried    time.Time
}

// NewIssuer returns an issuer of which nothing is known yet.
func NewIssuer(o Options) *Issuer { return &Issuer{url: o.Issuer, client: o.Client, now: o.Now} }

// discovery is the part of the discovery document that is used.
type discovery struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Keys          string `json:"jwks_uri"`
}

// discover returns the issuer's discovery document, which is read once.
func (i *Issuer) discover(ctx context.Context) (discovery, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.document != nil {
		return *i.document, nil
	}
	now := i.now()
	if now.Sub(i.tried) < retryAfter {
		return discovery{}, fmt.Errorf("%w: it did not a moment ago", errIssuer)
	}
	i.tried = now
	var d discovery
	if err := i.get(ctx, strings.TrimSuffix(i.url, "/")+"/.well-known/openid-configuration", &d); err != nil {
		return discovery{}, err
	}
	if d.Issuer != i.url {
		return discovery{}, fmt.Errorf("%w: its document is of another issuer", errIssuer)
	}
	i.document = &d
	return d, nil
}

// get reads a JSON document. It does not end with the request that needs it first.
func (i *Issuer) get(ctx context.Context, url string, into any) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", errIssuer, err)
	}
	response, err := i.client.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", errIssuer, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: status %d", errIssuer, response.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxDocument)).Decode(into); err != nil {
		return fmt.Errorf("%w: %w", errIssuer, err)
	}
	return nil
}

// keySet is the issuer's public keys by their ids.
type keySet struct {
	issuer *Issuer
	now    func() time.Time

	mu    sync.Mutex
	keys  map[string]publicKey
	read  time.Time // the last good read
	tried time.Time // the last read
}

type publicKey struct {
	algorithm string
	key       any
}

// find returns the key that the token names. A token that names none is not good:
// trying each key in turn would let anybody make us work.
func (s *keySet) find(ctx context.Context, t *jwt.Token) (any, error) {
	id, ok := t.Header["kid"].(string)
	if !ok || id == "" {
		return nil, errors.New("the token names no key")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, known := s.keys[id]
	now := s.now()
	if old := now.Sub(s.read) >= keysFor; !known || old {
		err := s.refresh(ctx, now)
		if err != nil && (!known || now.Sub(s.read) >= 2*keysFor) {
			return nil, err
		}
		if err == nil {
			key, known = s.keys[id]
		}
	}
	if !known || key.algorithm != t.Method.Alg() {
		return nil, errors.New("the issuer has no such key")
	}
	return key.key, nil
}

// refresh reads the keys unless that was done lately; mu is held, so that all who
// wait share one read.
func (s *keySet) refresh(ctx context.Context, now time.Time) error {
	pause := keysPause
	if s.tried.After(s.read) {
		pause = retryAfter // the last read failed
	}
	if !s.tried.IsZero() && now.Sub(s.tried) < pause {
		if s.read.IsZero() {
			return fmt.Errorf("%w: it did not a moment ago", errIssuer)
		}
		return nil
	}
	s.tried = now
	document, err := s.issuer.discover(ctx)
	if err != nil {
		return err
	}
	var raw jwkset.JWKSMarshal
	if err := s.issuer.get(ctx, document.Keys, &raw); err != nil {
		return err
	}
	keys := usable(raw)
	if len(keys) == 0 {
		return fmt.Errorf("%w: it publishes no key that could be used", errIssuer)
	}
	s.keys, s.read = keys, now
	return nil
}

// usable returns the keys that may sign tokens: public, of a known kind and strong.
func usable(raw jwkset.JWKSMarshal) map[string]publicKey {
	keys := map[string]publicKey{}
	for _, one := range raw.Keys {
		if one.KID == "" || one.USE != "" && one.USE != jwkset.UseSig {
			continue
		}
		parsed, err := jwkset.NewJWKFromMarshal(one, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err != nil {
			continue // a kind of key that is new to us
		}
		algorithm := ""
		switch key := parsed.Key().(type) {
		case *rsa.PublicKey:
			if key.N.BitLen() >= minRSABits {
				algorithm = "RS256"
			}
		case *ecdsa.PublicKey:
			if key.Curve == elliptic.P256() {
				algorithm = "ES256"
			}
		}
		if algorithm == "" || one.ALG != "" && one.ALG.String() != algorithm {
			continue
		}
		keys[one.KID] = publicKey{algorithm, parsed.Key()}
	}
	return keys
}
