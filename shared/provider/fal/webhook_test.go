package fal_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/provider"
	"easel/shared/provider/fal"
	"easel/shared/provider/providertest"
)

// now is when the webhooks of these tests arrive.
func now() time.Time { return time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC) }

func key(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize)))
}

func keySet(keys ...ed25519.PrivateKey) []byte {
	entries := make([]string, len(keys))
	for i, k := range keys {
		public, _ := k.Public().(ed25519.PublicKey)
		entries[i] = `{"kty":"OKP","crv":"Ed25519","x":"` + base64.RawURLEncoding.EncodeToString(public) + `"}`
	}
	return []byte(`{"keys":[{"kty":"RSA","n":"x"},` + strings.Join(entries, ",") + `]}`)
}

func sign(k ed25519.PrivateKey, at time.Time, body string) provider.Message {
	stamp, sum := strconv.FormatInt(at.Unix(), 10), sha256.Sum256([]byte(body))
	signature := ed25519.Sign(k, []byte(id+"\nuser\n"+stamp+"\n"+hex.EncodeToString(sum[:])))
	h := http.Header{}
	h.Set("X-Fal-Webhook-Request-Id", id)
	h.Set("X-Fal-Webhook-User-Id", "user")
	h.Set("X-Fal-Webhook-Timestamp", stamp)
	h.Set("X-Fal-Webhook-Signature", hex.EncodeToString(signature))
	return provider.Message{Header: h.Get, Query: func(string) string { return "" }, Body: []byte(body), Now: now()}
}

const okBody = `{"request_id":"` + id + `","gateway_request_id":"` + id + `","status":"OK","payload":{}}`

// notices are refused before any key is looked up.
func notices() []providertest.NoticeCase {
	unsigned := sign(key('a'), now(), okBody)
	unsigned.Header = func(string) string { return "" }
	undated := sign(key('a'), now(), okBody)
	header := undated.Header
	undated.Header = func(name string) string { return strings.TrimSuffix(header(name), strconv.FormatInt(now().Unix(), 10)) }
	return []providertest.NoticeCase{
		{Name: "no signature", Message: unsigned, Class: fault.ClassAuth},
		{Name: "no time", Message: undated, Class: fault.ClassAuth},
		{Name: "a stale message", Message: sign(key('a'), now().Add(-6*time.Minute), okBody), Class: fault.ClassAuth},
		{Name: "a message from the future", Message: sign(key('a'), now().Add(6*time.Minute), okBody), Class: fault.ClassAuth},
	}
}

// vendor serves key sets, and counts how often.
type vendor struct {
	mu    sync.Mutex
	set   []byte
	err   error
	calls atomic.Int32
}

func (v *vendor) fetch(context.Context) ([]byte, error) {
	v.calls.Add(1)
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.set, v.err
}

func (v *vendor) serve(set []byte, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.set, v.err = set, err
}

func class(err error) fault.Class {
	if err == nil {
		return ""
	}
	return fault.FailureOf(err).Class
}

func TestNoticeVerifiesWithAnyOfTheVendorsKeys(t *testing.T) {
	t.Parallel()
	v := &vendor{set: keySet(key('a'), key('b'))}
	p := fal.New(nil, fal.WithKeys(v.fetch))
	for _, k := range []ed25519.PrivateKey{key('a'), key('b')} {
		got, err := p.Notice(t.Context(), sign(k, now().Add(-time.Minute), okBody))
		if want := (provider.Notice{ID: id, Job: id, Final: true}); err != nil || got != want {
			t.Errorf("notice = %+v, %v", got, err)
		}
	}
	tampered := sign(key('a'), now(), okBody)
	tampered.Body = []byte(strings.Replace(okBody, "OK", "ERROR", 1))
	for name, m := range map[string]provider.Message{"a changed body": tampered, "a stranger's key": sign(key('c'), now(), okBody)} {
		if _, err := p.Notice(t.Context(), m); class(err) != fault.ClassAuth {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.Notice(t.Context(), sign(key('a'), now(), `{}`)); class(err) != fault.ClassInvalidInput {
		t.Errorf("a signed message about nothing: %v", err)
	}
	if n := v.calls.Load(); n != 1 {
		t.Errorf("keys were fetched %d times: forgeries must not cause fetches", n)
	}
}

func TestKeysAreFetchedAgainWhenTheyMayHaveChanged(t *testing.T) {
	t.Parallel()
	v := &vendor{set: keySet(key('a'))}
	p := fal.New(nil, fal.WithKeys(v.fetch))
	at := func(later time.Duration, k ed25519.PrivateKey) error {
		m := sign(k, now().Add(later), okBody)
		m.Now = now().Add(later)
		_, err := p.Notice(t.Context(), m)
		return err
	}
	if err := at(0, key('a')); err != nil {
		t.Fatal(err)
	}
	v.serve(keySet(key('b')), nil)
	if err := at(2*time.Minute, key('b')); err != nil || v.calls.Load() != 2 {
		t.Errorf("a new key: %v after %d fetches", err, v.calls.Load())
	}
	if err := at(20*time.Hour, key('b')); err != nil || v.calls.Load() != 2 {
		t.Errorf("within a day: %v after %d fetches", err, v.calls.Load())
	}
	if err := at(27*time.Hour, key('b')); err != nil || v.calls.Load() != 3 {
		t.Errorf("after a day: %v after %d fetches", err, v.calls.Load())
	}
}

func TestWithoutKeysAWebhookIsNeitherTrueNorForged(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]*vendor{
		"no answer": {err: errors.New("down")}, "no JSON": {set: []byte("<html>")}, "no keys": {set: []byte(`{"keys":[]}`)},
	} {
		p := fal.New(nil, fal.WithKeys(v.fetch))
		for range 3 {
			if _, err := p.Notice(t.Context(), sign(key('a'), now(), okBody)); class(err) != fault.ClassUnavailable {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := v.calls.Load(); n != 1 {
			t.Errorf("%s: %d fetches within a minute", name, n)
		}
	}
}

func TestNoticesMayArriveAtTheSameTime(t *testing.T) {
	t.Parallel()
	v := &vendor{set: keySet(key('a'))}
	p := fal.New(nil, fal.WithKeys(v.fetch))
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if _, err := p.Notice(t.Context(), sign(key('a'), now(), okBody)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := v.calls.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	slow := fal.New(nil, fal.WithKeys(func(ctx context.Context) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }))
	if _, err := slow.Notice(ctx, sign(key('a'), now(), okBody)); class(err) != fault.ClassUnavailable {
		t.Errorf("a fetch that hangs: %v", err)
	}
}
