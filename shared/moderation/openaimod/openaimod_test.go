package openaimod_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"easel/shared/moderation/openaimod"
	"easel/shared/secret"
)

func client(t *testing.T, status int, body string, asked *string) *openaimod.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.ReadAll(r.Body)
		if asked != nil {
			*asked = r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization") + " " + string(sent)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	key := func(context.Context) (secret.Value, error) { return secret.New("sk-canary"), nil }
	return &openaimod.Client{BaseURL: server.URL + "/v1", Key: key, HTTP: server.Client()}
}

func TestFlagsAreCollected(t *testing.T) {
	t.Parallel()
	var asked string
	c := client(t, http.StatusOK, `{"id":"modr-1","model":"omni-moderation-latest","results":[
		{"flagged":false,"categories":{"hate":false}},
		{"flagged":true,"categories":{"violence":true,"sexual":true,"hate":false},"category_scores":{"violence":0.9}}]}`, &asked)
	got, err := c.Moderate(t.Context(), []string{"a", "b"})
	if err != nil || !got.Flagged || !slices.Equal(got.Categories, []string{"sexual", "violence"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	method, rest, _ := strings.Cut(asked, " {")
	if method != "POST /v1/moderations Bearer sk-canary" {
		t.Errorf("asked %s", method)
	}
	var sent struct {
		Model string   `json:"model"`
		Input []string `json:"input"`
	}
	if err := json.Unmarshal([]byte("{"+rest), &sent); err != nil || sent.Model != "omni-moderation-latest" || len(sent.Input) != 2 {
		t.Errorf("sent %s", rest)
	}
}

func TestAnythingElseIsAnError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*openaimod.Client{
		"a failure":    client(t, http.StatusTooManyRequests, `{"error":{"message":"slow down, you said badword"}}`, nil),
		"no JSON":      client(t, http.StatusOK, "<html>", nil),
		"no results":   client(t, http.StatusOK, `{"results":[]}`, nil),
		"empty answer": client(t, http.StatusOK, "", nil),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.Moderate(t.Context(), []string{"badword"})
			if err == nil || got.Flagged {
				t.Fatalf("got %+v, %v", got, err)
			}
			if strings.Contains(err.Error(), "badword") || strings.Contains(err.Error(), "canary") {
				t.Errorf("the error tells too much: %v", err)
			}
		})
	}
}
