package custom

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"

	"easel/shared/fault"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
	"easel/shared/webhook"
)

// Notifies reports whether the described API reports the end of its jobs.
func (p *Provider) Notifies(data json.RawMessage) bool {
	d, err := parse(data)
	return err == nil && d.Webhook != nil
}

// Notice verifies a webhook as the description says. One that is not signed is
// taken as it is: whoever sends it knows the attempt's address, and all that
// follows is a look at the job.
func (p *Provider) Notice(_ context.Context, m provider.Message) (provider.Notice, error) {
	d, err := parse(m.Data)
	if err != nil {
		return provider.Notice{}, misdescribed(err)
	}
	if d.Webhook == nil {
		return provider.Notice{}, httpcall.NoWebhooks()
	}
	h := *d.Webhook
	if err := h.verify(m); err != nil {
		return provider.Notice{}, err
	}
	tree := read(m.Body)
	job := tree.text(h.Job)
	if job == "" {
		return provider.Notice{}, httpcall.Invalid("the webhook names no job")
	}
	word := tree.text(h.Status)
	notice := provider.Notice{ID: tree.text(h.ID), Job: job, Final: d.States.ended(word)}
	if notice.ID == "" {
		notice.ID = job + "." + word
	}
	return notice, nil
}

func (h hook) verify(m provider.Message) error {
	switch h.Signature {
	case "none":
		return nil
	case "standard":
		if err := webhook.Verify(m.Secret, m.Header, m.Body, m.Now); err != nil {
			return &fault.Failure{Class: fault.ClassAuth, Message: "the webhook's signature does not hold", Cause: err}
		}
		return nil
	}
	decode := hex.DecodeString
	if h.Encoding == "base64" {
		decode = base64.StdEncoding.DecodeString
	}
	encoded, prefixed := strings.CutPrefix(m.Header(h.Header), h.Prefix)
	got, err := decode(encoded)
	mac := hmac.New(sha256.New, []byte(m.Secret.Reveal()))
	_, _ = mac.Write(m.Body) // never fails
	if m.Secret.IsZero() || !prefixed || err != nil || !hmac.Equal(got, mac.Sum(nil)) {
		return &fault.Failure{Class: fault.ClassAuth, Message: "the webhook's signature does not hold"}
	}
	return nil
}

// ended reports whether a word means that nothing more will come.
func (s states) ended(word string) bool {
	return has(s.Succeeded, word) || has(s.Failed, word) || has(s.Canceled, word) || has(s.Moderated, word)
}
