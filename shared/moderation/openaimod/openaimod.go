// Package openaimod asks OpenAI's moderation service about texts. The service
// costs nothing; its key is an ordinary one.
package openaimod

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"easel/shared/moderation"
	"easel/shared/secret"
)

// Provider is the protocol of the configs whose base URL and key the service takes.
const Provider = "openai"

const (
	model     = "omni-moderation-latest"
	endpoint  = "/moderations"
	maxAnswer = 1 << 20
)

// Client asks the service. It is safe for concurrent use.
type Client struct {
	// BaseURL is the API's, as a config has it: https://api.openai.com/v1.
	BaseURL string
	// Key gives the API key.
	Key func(ctx context.Context) (secret.Value, error)
	// HTTP makes the call; it must not follow a redirect to another host with the key.
	HTTP *http.Client
}

var _ moderation.Remote = (*Client)(nil)

type question struct {
	Model string   `json:"model"`
	Input []string `json:"input"`
}

type answer struct {
	Results []struct {
		Flagged    bool            `json:"flagged"`
		Categories map[string]bool `json:"categories"`
	} `json:"results"`
}

// Moderate returns whether the service flags one of the texts, and the categories
// of all that it flags, in order. The error holds no word of the texts.
func (c *Client) Moderate(ctx context.Context, texts []string) (moderation.Verdict, error) {
	body, err := json.Marshal(question{Model: model, Input: texts})
	if err != nil {
		return moderation.Verdict{}, fmt.Errorf("encode a moderation question: %w", err)
	}
	key, err := c.Key(ctx)
	if err != nil {
		return moderation.Verdict{}, fmt.Errorf("read the moderation key: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.BaseURL, "/")+endpoint, bytes.NewReader(body))
	if err != nil {
		return moderation.Verdict{}, fmt.Errorf("make a moderation question: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+key.Reveal())
	response, err := c.HTTP.Do(request)
	if err != nil {
		return moderation.Verdict{}, fmt.Errorf("ask for moderation: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return moderation.Verdict{}, fmt.Errorf("ask for moderation: status %d", response.StatusCode)
	}
	var a answer
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&a); err != nil {
		return moderation.Verdict{}, fmt.Errorf("read the moderation answer: %w", err)
	}
	if len(a.Results) == 0 {
		return moderation.Verdict{}, errors.New("read the moderation answer: it has no results")
	}
	return a.verdict(), nil
}

func (a answer) verdict() moderation.Verdict {
	v := moderation.Verdict{}
	found := map[string]bool{}
	for _, r := range a.Results {
		v.Flagged = v.Flagged || r.Flagged
		for name, is := range r.Categories {
			if is && r.Flagged {
				found[name] = true
			}
		}
	}
	v.Categories = slices.Sorted(maps.Keys(found))
	return v
}
