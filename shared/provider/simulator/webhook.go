package simulator

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// deliveryTries is how often a job's last webhook is tried: with a wait that
// starts at a second and doubles, about a minute, as Replicate does.
const deliveryTries = 7

// notice is one webhook in a vendor's own form. sign adds its headers and is
// called for each try, because the time of sending is signed too.
type notice struct {
	body []byte
	sign func(h http.Header, body []byte, now time.Time)
}

func newSecret() string {
	return "whsec_" + base64.StdEncoding.EncodeToString(randomBytes(32))
}

// secretBytes decodes a Standard Webhooks secret.
func secretBytes(secret string) []byte {
	if encoded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if raw, err := base64.StdEncoding.DecodeString(encoded); err == nil && len(raw) > 0 {
			return raw
		}
	}
	return []byte(secret)
}

// signingKey derives fal's key, so that it stays the same over restarts.
func signingKey(secret []byte) ed25519.PrivateKey {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("simulated fal webhooks"))
	return ed25519.NewKeyFromSeed(mac.Sum(nil))
}

func webhookClient(given *http.Client) *http.Client {
	client := http.Client{Timeout: 10 * time.Second}
	if given != nil {
		client = *given
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// signStandard adds the three headers of Standard Webhooks.
func signStandard(secret []byte, id string) func(http.Header, []byte, time.Time) {
	return func(h http.Header, body []byte, now time.Time) {
		stamp := strconv.FormatInt(now.Unix(), 10)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(id + "." + stamp + "."))
		mac.Write(body)
		h.Set("Webhook-Id", id)
		h.Set("Webhook-Timestamp", stamp)
		h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
}

// callable reports whether a vendor would call the address: HTTPS, or, since
// this is a simulator for one machine, HTTP on the loopback interface.
func callable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	if u.Scheme == "https" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback())
}

// launch follows a job that was just made and sends its webhooks.
func (s *Server) launch(j job) {
	if j.Webhook == "" {
		return
	}
	s.background(func(ctx context.Context) { s.follow(ctx, j) })
}

// resume follows the jobs that an earlier process left behind.
func (s *Server) resume() {
	for _, j := range s.jobs.pending() {
		s.launch(j)
	}
}

// follow waits for the job's phases and sends a webhook for each one asked for.
func (s *Server) follow(ctx context.Context, j job) {
	now := s.opts.Now()
	if slices.Contains(j.Events, "start") && j.at(now) == phaseQueued {
		if !s.waitFor(ctx, j, j.Start) {
			return
		}
		s.announce(ctx, j, 1)
	}
	if !s.waitFor(ctx, j, j.ended()) {
		return
	}
	latest, ok := s.jobs.get(j.Vendor, j.ID)
	if !ok {
		return
	}
	if slices.Contains(j.Events, "output") && latest.at(s.opts.Now()) == phaseSucceeded {
		s.announce(ctx, latest, 1)
	}
	if slices.Contains(j.Events, "completed") {
		s.announce(ctx, latest, deliveryTries)
	}
	if ctx.Err() == nil {
		s.jobs.change(j.ID, func(j *job) { j.Notified = true })
	}
}

// waitFor waits until the moment or the job's cancel; false means ctx ended.
func (s *Server) waitFor(ctx context.Context, j job, moment time.Time) bool {
	timer := time.NewTimer(moment.Sub(s.opts.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-j.changed:
	case <-ctx.Done():
		return false
	}
	return true
}

// announce sends a webhook of the job as it stands, as often as the job's fault says.
func (s *Server) announce(ctx context.Context, j job, tries int) {
	if j.Copies == 0 {
		s.stats.add(j.Vendor, func(n *Counts) { n.WebhooksLost++ })
		return
	}
	n := s.noticeOf(j)
	for range j.Copies {
		s.deliver(ctx, j, n, tries)
	}
}

// noticeOf is a webhook of the job in the vendor's form.
func (s *Server) noticeOf(j job) notice {
	switch j.Vendor {
	case Fal:
		return s.falNotice(j)
	case Custom:
		return s.klingNotice(j)
	default:
		return s.predictionNotice(j)
	}
}

// deliver tries until the receiver answers 2xx or the tries are used up.
func (s *Server) deliver(ctx context.Context, j job, n notice, tries int) {
	wait := time.Second
	if s.opts.Latency == 0 {
		wait = 20 * time.Millisecond
	}
	for try := 1; ; try++ {
		err := s.post(ctx, j, n)
		if err == nil {
			s.stats.add(j.Vendor, func(c *Counts) { c.WebhooksDelivered++ })
			return
		}
		s.log.InfoContext(ctx, "simulated webhook not delivered", "job", j.ID, "try", try, "error", err)
		if try == tries || !s.pause(ctx, wait) {
			s.stats.add(j.Vendor, func(c *Counts) { c.WebhooksLost++ })
			return
		}
		wait *= 2
	}
}

func (s *Server) post(ctx context.Context, j job, n notice) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, j.Webhook, bytes.NewReader(n.body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	n.sign(req.Header, n.body, s.opts.Now())
	s.stats.add(j.Vendor, func(c *Counts) { c.WebhooksSent++ })
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	if resp.StatusCode/100 != 2 {
		return errors.New("receiver answered " + resp.Status)
	}
	return nil
}
