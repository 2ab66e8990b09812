package env

import (
	"strings"
	"testing"
)

func TestTheConsolesPolicyAllowsItsOwnFilesAndProducedOnes(t *testing.T) {
	t.Parallel()
	policy := ConsolePolicy("https://assets.example.com")
	for _, bad := range []string{"unsafe-inline", "unsafe-eval", "*", "data:", "blob:"} {
		if strings.Contains(policy, bad) {
			t.Errorf("the policy has %s: %s", bad, policy)
		}
	}
	for _, want := range []string{
		"default-src 'none';", "script-src 'self';", "style-src 'self';", "connect-src 'self';",
		"img-src 'self' https://assets.example.com;", "media-src 'self' https://assets.example.com;",
	} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %q: %s", want, policy)
		}
	}
	if own := ConsolePolicy(); !strings.Contains(own, "img-src 'self';") {
		t.Errorf("without other origins the policy is %s", own)
	}
}
