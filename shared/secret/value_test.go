package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"easel/shared/secret"
)

const canary = "canary-7f3a9c51e2d84b60"

type exported struct {
	Name string       `json:"name"`
	Key  secret.Value `json:"key"`
}

type hidden struct {
	name string
	key  secret.Value
}

type nested struct {
	Inner  *hidden                 `json:"-"`
	ByName map[string]secret.Value `json:"by_name"`
	List   []secret.Value          `json:"list"`
	Ref    *secret.Value           `json:"ref"`
	As     map[secret.Value]string `json:"as"`
	Any    any                     `json:"any"`
	inner  map[string]*secret.Value
}

func carriers() map[string]any {
	key := secret.New(canary)
	return map[string]any{
		"the value":              key,
		"a pointer to it":        &key,
		"an exported field":      exported{Name: "a", Key: key},
		"an unexported field":    hidden{name: "a", key: key},
		"a pointer to a struct":  &hidden{name: "a", key: key},
		"a list":                 []secret.Value{key},
		"a list of hidden":       []hidden{{key: key}},
		"a map value":            map[string]hidden{"a": {key: key}},
		"a map key":              map[secret.Value]int{key: 1},
		"everything at once":     nested{Inner: &hidden{key: key}, ByName: map[string]secret.Value{"k": key}, List: []secret.Value{key}, Ref: &key, As: map[secret.Value]string{key: "x"}, Any: key, inner: map[string]*secret.Value{"k": &key}},
		"an error's argument":    fmt.Errorf("call failed for %v: %w", hidden{key: key}, errors.New("refused")),
		"an anonymous interface": struct{ v any }{key},
	}
}

func TestNoFormatVerbRevealsASecret(t *testing.T) {
	t.Parallel()
	for name, carrier := range carriers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for verb := range strings.SplitSeq("%v %+v %#v %s %q %x %X %d %t %p %T %U %b %o %e %c %-40v %040s %+q % x %#x", " ") {
				assertSilent(t, verb, fmt.Sprintf(verb, carrier))
			}
			assertSilent(t, "Sprint", fmt.Sprint(carrier))
			assertSilent(t, "Sprintln", fmt.Sprintln(carrier))
		})
	}
}

func TestNoEncoderRevealsASecret(t *testing.T) {
	t.Parallel()
	for name, carrier := range carriers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if encoded, err := json.Marshal(carrier); err == nil {
				assertSilent(t, "json", string(encoded))
			}
			if encoded, err := xml.Marshal(carrier); err == nil {
				assertSilent(t, "xml", string(encoded))
			}
		})
	}
}

func TestNoLogHandlerRevealsASecret(t *testing.T) {
	t.Parallel()
	for name, carrier := range carriers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
				logger := slog.New(handler)
				logger.WithGroup("group").Info("message", "carrier", carrier)
				logger.With("carrier", carrier).Info(fmt.Sprint(carrier))
			}
			assertSilent(t, "slog", out.String())
		})
	}
}

func TestAPlaceholderIsPrintedInstead(t *testing.T) {
	t.Parallel()
	key := secret.New(canary)
	encoded, err := json.Marshal(exported{Name: "a", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"name":"a","key":"[redacted]"}`; string(encoded) != want {
		t.Errorf("json = %s, want %s", encoded, want)
	}
	if got, want := fmt.Sprintf("%+v", exported{Name: "a", Key: key}), "{Name:a Key:[redacted]}"; got != want {
		t.Errorf("%%+v = %s, want %s", got, want)
	}
	if got := fmt.Sprintf("%#v|%s|%d", key, key, key); got != "[redacted]|[redacted]|[redacted]" {
		t.Errorf("verbs = %s", got)
	}
	if got := key.LogValue().String(); got != secret.Redacted {
		t.Errorf("LogValue = %s", got)
	}
	text, err := key.MarshalText()
	if err != nil || string(text) != secret.Redacted {
		t.Errorf("MarshalText = %s, %v", text, err)
	}
}

func TestRevealReturnsTheSecret(t *testing.T) {
	t.Parallel()
	if got := secret.New(canary).Reveal(); got != canary {
		t.Errorf("Reveal = %q", got)
	}
	if got := (secret.Value{}).Reveal(); got != "" {
		t.Errorf("zero Reveal = %q", got)
	}
}

func TestMaskShowsFourCharactersOfLongSecretsOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":              "",
		"short":         "",
		"elevenchars":   "",
		"twelve-chars":  "hars",
		canary:          "4b60",
		"ключ-длинный1": "ный1",
	} {
		if got := secret.New(text).Mask(); got != want {
			t.Errorf("Mask(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestEqualComparesTheSecrets(t *testing.T) {
	t.Parallel()
	key := secret.New(canary)
	if !key.Equal(secret.New(canary)) || !(secret.Value{}).Equal(secret.New("")) {
		t.Error("equal secrets differ")
	}
	if key.Equal(secret.New(canary+"x")) || key.Equal(secret.Value{}) || (secret.Value{}).Equal(key) {
		t.Error("different secrets are equal")
	}
	if key.IsZero() || !secret.New("").IsZero() {
		t.Error("IsZero is wrong")
	}
}

func assertSilent(t *testing.T, how, output string) {
	t.Helper()
	hexed := fmt.Sprintf("%x", canary)
	for _, form := range []string{canary, canary[:8], hexed, strings.ToUpper(hexed), "Y2FuYXJ5LTdmM2E5YzUx"} {
		if strings.Contains(output, form) {
			t.Errorf("%s reveals the secret: %s", how, output)
		}
	}
}
