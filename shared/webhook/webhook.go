// Package webhook signs what Easel sends and verifies what it receives, by the
// Standard Webhooks specification (https://www.standardwebhooks.com). OpenAI,
// Replicate and Gemini sign in the same way.
//
// A message has an id, a time and a body; the signature is the HMAC-SHA256 of
// "id.time.body" under a shared secret. The id is what a receiver recognises a
// repetition by; this package does not.
package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"easel/shared/secret"
)

// The headers of a message. HTTP ignores their case.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp" // seconds since 1970
	HeaderSignature = "webhook-signature" // "v1,<base64>", several separated by spaces
)

const (
	// Tolerance is how far a message's time may be from ours, either way.
	Tolerance = 5 * time.Minute

	prefix  = "whsec_"
	version = "v1"

	minSecret = 24 // bytes, by the specification
	newSecret = 32
	maxID     = 256
	// maxSignatures bounds the work for one request. A sender signs once for each
	// secret in use.
	maxSignatures = 16
)

var (
	// ErrSecret means that the secret is not base64 (after "whsec_") of at least
	// 24 bytes: with a shorter or empty one anybody could sign.
	ErrSecret = errors.New("webhook secret is not valid")
	// ErrHeader means that a header is missing or malformed.
	ErrHeader = errors.New("webhook header is missing or malformed")
	// ErrTime means that the message is more than Tolerance from now: it is
	// replayed, or a clock is wrong.
	ErrTime = errors.New("webhook time is out of range")
	// ErrSignature means that no signature is right.
	ErrSignature = errors.New("webhook signature does not match")
)

// NewSecret returns a new secret of 32 random bytes, in the form "whsec_…".
func NewSecret() secret.Value {
	key := make([]byte, newSecret)
	_, _ = rand.Read(key) // never fails
	return secret.New(prefix + base64.StdEncoding.EncodeToString(key))
}

// Verify checks that a message was signed with the secret at about now. The body
// must be the bytes as they came: decoded from base64 if the transport did that,
// and not re-encoded JSON. The header function returns the value of a header by
// its name, "" where there is none; [net/http.Header.Get] fits. Where the
// constants' lower-case names are not found the older "svix-" names are tried.
//
// Errors: ErrSecret, which is ours to mend, or ErrHeader, ErrTime and
// ErrSignature, for which the answer is 401. None of them changes anything on
// the sender's side, so do not tell it which.
func Verify(signingSecret secret.Value, header func(string) string, body []byte, now time.Time) error {
	key, err := decode(signingSecret)
	if err != nil {
		return err
	}
	id, stamp, signatures := header(HeaderID), header(HeaderTimestamp), header(HeaderSignature)
	if id == "" && stamp == "" && signatures == "" {
		id, stamp, signatures = header("svix-id"), header("svix-timestamp"), header("svix-signature")
	}
	if id == "" || len(id) > maxID || signatures == "" {
		return ErrHeader
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != stamp { // no "+5", no "007"
		return ErrHeader
	}
	if sent := time.Unix(seconds, 0); sent.Before(now.Add(-Tolerance)) || sent.After(now.Add(Tolerance)) {
		return ErrTime
	}
	if !matches(signatures, sum(key, id, stamp, body)) {
		return ErrSignature
	}
	return nil
}

// matches reports whether one of the listed signatures is the wanted one. Those
// of other versions are passed over, so that a sender can move to a new one.
func matches(list string, want []byte) bool {
	found := false
	for i, signature := range strings.Fields(list) {
		if i == maxSignatures {
			break
		}
		got, ok := strings.CutPrefix(signature, version+",")
		if !ok {
			continue
		}
		// The text is compared, so that each signature has one spelling only.
		if hmac.Equal([]byte(got), want) {
			found = true
		}
	}
	return found
}

// Signer signs messages. It is safe for concurrent use.
type Signer struct {
	keys [][]byte
}

// NewSigner returns a Signer for one or more secrets. While a secret is being
// replaced, pass the new and the old one: receivers with either accept the
// message. It returns ErrSecret when there is none or one is not valid.
func NewSigner(secrets ...secret.Value) (*Signer, error) {
	if len(secrets) == 0 {
		return nil, fmt.Errorf("%w: there is none", ErrSecret)
	}
	signer := &Signer{}
	for _, value := range secrets {
		key, err := decode(value)
		if err != nil {
			return nil, err
		}
		signer.keys = append(signer.keys, key)
	}
	return signer, nil
}

// Headers returns the three headers for a message with this id, sent at now. All
// deliveries of one message have the same id, and each its own time. The id must
// be neither empty nor contain a dot, or two messages could be signed alike.
func (s *Signer) Headers(id string, now time.Time, body []byte) (map[string]string, error) {
	if id == "" || len(id) > maxID || strings.ContainsAny(id, ". \r\n\t") {
		return nil, fmt.Errorf("%w: the id has %d bytes, or a dot or space in it", ErrHeader, len(id))
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	signatures := make([]string, len(s.keys))
	for i, key := range s.keys {
		signatures[i] = version + "," + string(sum(key, id, stamp, body))
	}
	return map[string]string{
		HeaderID:        id,
		HeaderTimestamp: stamp,
		HeaderSignature: strings.Join(signatures, " "),
	}, nil
}

// sum returns the signature in base64.
func sum(key []byte, id, stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + ".")) // never fails
	mac.Write(body)
	return base64.StdEncoding.AppendEncode(nil, mac.Sum(nil))
}

func decode(value secret.Value) ([]byte, error) {
	text := strings.TrimPrefix(value.Reveal(), prefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil { // err tells where, which is a little of the secret
		return nil, fmt.Errorf("%w: it is not base64", ErrSecret)
	}
	if len(key) < minSecret {
		return nil, fmt.Errorf("%w: it has fewer than %d bytes", ErrSecret, minSecret)
	}
	return key, nil
}
