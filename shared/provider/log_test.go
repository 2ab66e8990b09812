package provider_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/secret"
)

func TestALogHoldsNeitherKeyNorPromptOfACall(t *testing.T) {
	t.Parallel()
	const canary = "canary-7f3a"
	c := provider.Call{
		BaseURL: "https://example.com/" + canary, Key: secret.New(canary), Data: json.RawMessage(`"` + canary + `"`),
		Request: generation.Request{Prompt: canary}, Attempt: "att_1", CallbackURL: "https://example.com/" + canary,
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("sent", "call", c, "pointer", &c)
	if strings.Contains(out.String(), canary) || !strings.Contains(out.String(), "att_1") {
		t.Error(out.String())
	}
}
