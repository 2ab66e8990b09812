package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	adminTimeout  = 2 * time.Minute
	maxAdminReply = 32 << 20
)

// adminClient speaks to a gateway's admin API.
type adminClient struct {
	url, key string
	http     *http.Client
}

func newAdminClient(server, key string) *adminClient {
	return &adminClient{url: strings.TrimRight(server, "/"), key: key, http: &http.Client{Timeout: adminTimeout}}
}

// raw sends one request and returns the answer's body. A refusal becomes an error
// in the gateway's words, with the fields that it names.
func (a *adminClient) raw(ctx context.Context, method, path string, body any) ([]byte, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, a.url+path, content)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+a.key)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := a.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the gateway: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAdminReply))
	if err != nil {
		return nil, fmt.Errorf("read the gateway's answer: %w", err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return nil, adminProblem(response.StatusCode, answer)
	}
	return answer, nil
}

// adminProblem is a refusal with every field that it is about.
func adminProblem(status int, body []byte) error {
	var p struct {
		Errors []struct{ Name, Message string }
	}
	_ = json.Unmarshal(body, &p) // problem reads the rest, and says what it could not read
	err := problem(status, body)
	for _, field := range p.Errors {
		err = fmt.Errorf("%w\n  %s %s", err, field.Name, field.Message)
	}
	return err
}

// read sends a request and decodes the answer.
func (a *adminClient) read(ctx context.Context, method, path string, body, into any) error {
	answer, err := a.raw(ctx, method, path, body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("the gateway's answer cannot be read: %w", err)
	}
	return nil
}

func (a *adminClient) importDocument(ctx context.Context, document any, dry bool) (importResult, error) {
	var r importResult
	path := "/api/admin/import"
	if dry {
		path += "?dry_run=true"
	}
	err := a.read(ctx, http.MethodPost, path, map[string]any{"document": document, "prune": false}, &r)
	return r, err
}
