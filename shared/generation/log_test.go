package generation_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"easel/shared/generation"
)

func TestALogHoldsNothingThatPeopleWrote(t *testing.T) {
	t.Parallel()
	const canary = "canary-7f3a"
	m := generation.Message{Role: "user", Content: canary}
	r := generation.Request{
		Kind: generation.Text, Model: "auto-text", Prompt: canary, NegativePrompt: canary, System: canary,
		Image: "data:image/png;base64," + canary, Mask: canary, Messages: []generation.Message{m},
		Loras: []generation.Lora{{Path: canary}}, Options: map[string]json.RawMessage{"x": json.RawMessage(`"` + canary + `"`)},
	}
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
	} {
		var out bytes.Buffer
		to := slog.New(handler(&out))
		to.Info("asked", slog.Any("request", r), slog.Any("pointer", &r), slog.Any("message", m), slog.Group("group", slog.Any("request", r)))
		if strings.Contains(out.String(), canary) || !strings.Contains(out.String(), "auto-text") {
			t.Errorf("%s: %s", name, out.String())
		}
	}
}
