package fal

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"easel/shared/fault"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

const (
	keysURL = "https://rest.fal.ai/.well-known/jwks.json"
	// tolerance is how far the sender's clock may differ from ours.
	tolerance   = 5 * time.Minute
	maxKeysBody = 1 << 20
	header      = "X-Fal-Webhook-"
)

// Notice verifies a webhook with the vendor's public keys, of which any may have
// signed it. The signature is over the request's id, the user, the time and the
// hash of the body's exact bytes.
func (p *Provider) Notice(ctx context.Context, m provider.Message) (provider.Notice, error) {
	id, user, stamp := m.Header(header+"Request-Id"), m.Header(header+"User-Id"), m.Header(header+"Timestamp")
	signature, err := hex.DecodeString(m.Header(header + "Signature"))
	if id == "" || err != nil || len(signature) != ed25519.SignatureSize {
		return provider.Notice{}, forged("the webhook is not signed", err)
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return provider.Notice{}, forged("the webhook has no time", err)
	}
	if age := m.Now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return provider.Notice{}, forged("the webhook is too old", nil)
	}
	sum := sha256.Sum256(m.Body)
	signed := []byte(strings.Join([]string{id, user, stamp, hex.EncodeToString(sum[:])}, "\n"))
	ok, err := p.keys.verify(ctx, m.Now, signed, signature)
	if err != nil {
		return provider.Notice{}, &fault.Failure{
			Class: fault.ClassUnavailable, Message: "the keys that verify webhooks cannot be had", Cause: err,
		}
	}
	if !ok {
		return provider.Notice{}, forged("the webhook's signature does not hold", nil)
	}
	var e event
	if err := json.Unmarshal(m.Body, &e); err != nil || e.RequestID == "" {
		return provider.Notice{}, httpcall.Invalid("the webhook names no job")
	}
	// There is one event per request, and every delivery of it names the request.
	return provider.Notice{ID: e.RequestID, Job: e.RequestID, Final: e.Status == "OK" || e.Status == "ERROR"}, nil
}

func forged(message string, cause error) error {
	return &fault.Failure{Class: fault.ClassAuth, Message: message, Cause: cause}
}

func (p *Provider) fetchKeys(ctx context.Context) ([]byte, error) {
	response, err := p.calls.Do(ctx, httpcall.Request{Method: http.MethodGet, URL: keysURL, MaxBytes: maxKeysBody})
	if err != nil {
		return nil, err
	}
	if !response.OK() {
		return nil, response.Refusal(httpcall.Verdict{})
	}
	return response.Body, nil
}
