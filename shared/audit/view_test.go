package audit_test

import (
	"encoding/json"
	"strings"
	"testing"

	"easel/shared/apikey"
	"easel/shared/audit"
	"easel/shared/settings"
)

const hidden = "canary-0123456789abcdef"

func TestNoViewHoldsASecret(t *testing.T) {
	t.Parallel()
	for _, object := range []any{
		settings.Config{ID: "cfg_1", SecretName: hidden, Data: json.RawMessage(`{"a":[{"client_secret":"` + hidden + `"}]}`)},
		apikey.Key{ID: "k", Hash: hidden, PreviousHash: hidden},
	} {
		raw, err := audit.View(object)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), hidden) {
			t.Errorf("the view of a %T holds a secret: %s", object, raw)
		}
	}
	if _, err := audit.View(struct{ Password string }{hidden}); err == nil {
		t.Error("a type that nobody decided about has a view")
	}
	if raw, err := audit.View(nil); raw != nil || err != nil {
		t.Errorf("nothing has the view %s, %v", raw, err)
	}
}

func TestHiddenSecretsComeBack(t *testing.T) {
	t.Parallel()
	const stored = `{"auth":{"token":"` + hidden + `","tokens":"$.usage.tokens","type":"Bearer {{key}}"},"list":["x","sk-abcdefghijklmnop"],"n":1.50}`
	shown := audit.HideSecrets(json.RawMessage(stored))
	if strings.Contains(string(shown), hidden) || strings.Contains(string(shown), "abcdefgh") || !strings.Contains(string(shown), "$.usage.tokens") {
		t.Errorf("shown is %s", shown)
	}
	edited := strings.Replace(string(shown), `"x"`, `"y"`, 1)
	back := string(audit.RestoreSecrets(json.RawMessage(edited), json.RawMessage(stored)))
	if !strings.Contains(back, hidden) || !strings.Contains(back, "sk-abcdefghijklmnop") || !strings.Contains(back, `"y"`) || !strings.Contains(back, "1.50") {
		t.Errorf("back is %s", back)
	}
	if audit.HideSecrets(json.RawMessage("{")) != nil {
		t.Error("what cannot be read is shown")
	}
}
