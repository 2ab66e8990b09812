package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"easel/shared/assets"
	"easel/shared/env"
	"easel/shared/httpapi"
	"easel/shared/secrets"
	"easel/shared/task"
	"easel/shared/webhook"
)

// reporter tells callers' endpoints that their tasks have ended: one POST in the
// form of Standard Webhooks. The id of the message is the task's and its status,
// so that an endpoint can drop what it has seen.
type reporter struct {
	assets  *assets.Store
	secrets secrets.Store
	client  *http.Client
	now     func() time.Time
}

const reportTimeout = 15 * time.Second

// event is the body of a report.
type event struct {
	Type      string       `json:"type"`
	Timestamp time.Time    `json:"timestamp"`
	Data      httpapi.Task `json:"data"`
}

// Report sends one report. Any status of 2xx is success.
func (r *reporter) Report(ctx context.Context, t task.Task) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	request, err := r.request(ctx, t)
	if err != nil {
		return 0, err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return 0, errors.New("the endpoint could not be reached") // err would repeat the URL, which may hold a secret
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	if response.StatusCode/100 != 2 {
		return response.StatusCode, fmt.Errorf("the endpoint answered %d", response.StatusCode)
	}
	return response.StatusCode, nil
}

func (r *reporter) request(ctx context.Context, t task.Task) (*http.Request, error) {
	view, err := httpapi.TaskOf(ctx, t, r.assets)
	if err != nil {
		return nil, err
	}
	now := r.now()
	body, err := json.Marshal(event{Type: "task." + string(t.Status), Timestamp: now.UTC(), Data: view})
	if err != nil {
		return nil, fmt.Errorf("encode a report: %w", err)
	}
	key, err := r.secrets.Get(ctx, env.WebhookSecret)
	if err != nil {
		return nil, fmt.Errorf("read the secret of reports: %w", err)
	}
	signer, err := webhook.NewSigner(key)
	if err != nil {
		return nil, err
	}
	headers, err := signer.Headers(t.ID+"_"+string(t.Status), now, body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.CallbackURL, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the callback URL is not valid")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Easel")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	return request, nil
}
