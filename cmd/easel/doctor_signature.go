package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"easel/shared/app"
	"easel/shared/fault"
	"easel/shared/provider"
	"easel/shared/secret"
	"easel/shared/secrets"
	"easel/shared/settings"
	"easel/shared/stats"
	"easel/shared/task"
	"easel/shared/webhook"
)

// lookBack is how far back a task is looked for whose report may be repeated.
const lookBack = 7 * 24 * time.Hour

// checkSignatures sees, for each active config whose provider signs its reports,
// whether a report that is signed with the stored secret is believed and a changed
// one is not: by the driver, and, where a task of the config has ended lately, by
// the deployed function too. That task stays as it is: its attempt is closed.
func (d *deployment) checkSignatures(ctx context.Context) []finding {
	configs, err := d.store.Configs(ctx)
	if err != nil {
		return nil // the configs' check says so
	}
	var found []finding
	for _, c := range configs {
		driver, ok := d.providers[c.Provider]
		if c.Active && ok && driver.Describe().SignedWebhooks {
			found = append(found, d.checkSignature(ctx, c, driver))
		}
	}
	return found
}

func (d *deployment) checkSignature(ctx context.Context, c settings.Config, driver provider.Provider) finding {
	name := "signature " + c.ID
	stored, err := d.webhookSecret(ctx, c)
	switch {
	case err != nil:
		return failure(name, "check the credentials", "the webhook secret of %s cannot be read: %v", c.Name, err)
	case stored.IsZero():
		trial := webhook.NewSecret()
		if believes(ctx, driver, c, trial, trial) {
			return warning(name, "store it as docs/deploy.md says, under rotate keys",
				"%s signs its reports, but no webhook secret is stored: they are refused, and results are polled for", c.Name)
		}
		return fine(name, "reports of %s are verified by the vendor's public keys", c.Name)
	case !believes(ctx, driver, c, stored, stored):
		return failure(name, "copy the signing secret from the provider again", "a report that is signed with the stored secret of %s is refused", c.Name)
	case believes(ctx, driver, c, webhook.NewSecret(), stored):
		return failure(name, "report this", "a forged report of %s is believed", c.Name)
	}
	return d.checkDeployedSignature(ctx, c, stored)
}

// webhookSecret is the config's own, else its provider's, else none.
func (d *deployment) webhookSecret(ctx context.Context, c settings.Config) (secret.Value, error) {
	for _, name := range []string{app.WebhookSecretName(c.ID), app.ProviderWebhookSecretName(c.Provider)} {
		value, err := d.secrets.Get(ctx, name)
		if err == nil || !errors.Is(err, secrets.ErrNotFound) {
			return value, err
		}
	}
	return secret.Value{}, nil
}

// believes reports whether the driver, which knows one secret, accepts the
// signature of a report that was signed with another. What the report says is of
// no interest.
func believes(ctx context.Context, driver provider.Provider, c settings.Config, signed, known secret.Value) bool {
	body := notice("doctor")
	header, err := sign(signed, body)
	if err != nil {
		return false
	}
	_, err = driver.Notice(ctx, provider.Message{
		Header: header.Get, Query: func(string) string { return "" }, Body: body, Secret: known, Data: c.Data, Now: time.Now(),
	})
	return err == nil || fault.FailureOf(err).Class != fault.ClassAuth
}

// notice is a report of a job that has ended, as most vendors tell it.
func notice(job string) []byte {
	body, err := json.Marshal(map[string]string{"id": job, "status": "succeeded"})
	if err != nil {
		panic(err) // a map of texts is always JSON
	}
	return body
}

func sign(with secret.Value, body []byte) (http.Header, error) {
	signer, err := webhook.NewSigner(with)
	if err != nil {
		return nil, err
	}
	fields, err := signer.Headers("doctor", time.Now(), body)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	for name, value := range fields {
		header.Set(name, value)
	}
	return header, nil
}

// checkDeployedSignature sends the deployed function a signed and a forged report
// of an attempt that is closed.
func (d *deployment) checkDeployedSignature(ctx context.Context, c settings.Config, stored secret.Value) finding {
	name := "signature " + c.ID
	t, a, ok := d.closedAttempt(ctx, c)
	if !ok {
		return fine(name, "the stored secret of %s is good; no task of it ended lately, so the deployed function was not asked", c.Name)
	}
	address := d.PublicURL + "/api/webhooks/" + c.Provider + "?" + url.Values{"task": {t.ID}, "attempt": {a.ID}}.Encode()
	answered := func(with secret.Value) int {
		body := notice(a.Job)
		header, err := sign(with, body)
		if err != nil {
			return 0
		}
		got, err := send(ctx, d.client, http.MethodPost, address, header, bytes.NewReader(body))
		if err != nil {
			return 0
		}
		return got.status
	}
	if got := answered(webhook.NewSecret()); got != http.StatusUnauthorized {
		return failure(name, "look at the webhook function's log", "a forged report of %s was answered %d instead of 401", c.Name, got)
	}
	// An odd body is not read, which comes after the signature.
	if got := answered(stored); got != http.StatusOK && got != http.StatusBadRequest {
		return failure(name, "look at the webhook function's log; it reads a changed secret again after minutes",
			"a report that is signed with the stored secret of %s was answered %d instead of 200", c.Name, got)
	}
	return fine(name, "the deployed function believes what is signed with the stored secret of %s, and nothing else", c.Name)
}

// closedAttempt finds an attempt of the config that a report cannot change any more.
func (d *deployment) closedAttempt(ctx context.Context, c settings.Config) (task.Task, task.Attempt, bool) {
	page, _, err := d.store.RecentTasks(ctx, stats.TaskFilter{From: time.Now().Add(-lookBack), Kind: c.Kind}, "", 100)
	if err != nil {
		return task.Task{}, task.Attempt{}, false
	}
	for _, t := range page {
		for _, a := range t.Attempts {
			if t.Status.Terminal() && a.Config == c.ID && a.Job != "" && !a.Outcome.Open() {
				return t, a, true
			}
		}
	}
	return task.Task{}, task.Attempt{}, false
}
