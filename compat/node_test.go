package compat_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestNodeClient runs node/check.mjs, which says what it checks.
func TestNodeClient(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no Node on this machine")
	}
	if _, err := os.Stat(filepath.Join("node", "node_modules", "openai")); err != nil {
		t.Skip("OpenAI's client is not installed: run npm ci in compat/node")
	}
	g := start(t)
	file := filepath.Join(t.TempDir(), "in.png")
	if err := os.WriteFile(file, picture(t), 0o600); err != nil {
		t.Fatal(err)
	}
	check := exec.CommandContext(t.Context(), node, "check.mjs")
	check.Dir = "node"
	check.Env = append(os.Environ(), "EASEL_URL="+g.URL, "EASEL_API_KEY="+g.APIKey, "EASEL_ADMIN_KEY="+g.AdminKey,
		"EASEL_PICTURE="+file, "EASEL_LIMITED_MODEL="+limitedModel)
	output, err := check.CombinedOutput()
	t.Logf("%s", output)
	if err != nil {
		t.Errorf("the client does not get along with the gateway: %v", err)
	}
}
