package task_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"easel/shared/generation"
	"easel/shared/task"
)

func TestALogHoldsNeitherPromptNorAnswer(t *testing.T) {
	t.Parallel()
	const canary = "canary-7f3a"
	one := task.Task{
		ID: "task_1", Request: generation.Request{Prompt: canary}, Text: canary, CallbackURL: "https://example.com/" + canary,
		Metadata: map[string]string{"note": canary}, Attempts: []task.Attempt{{Detail: canary}},
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("moved", "task", one, "pointer", &one)
	if strings.Contains(out.String(), canary) || !strings.Contains(out.String(), "task_1") {
		t.Error(out.String())
	}
}
