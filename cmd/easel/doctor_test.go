package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/dynamo/engine"
	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/secret"
	"easel/shared/secrets"
	"easel/shared/settings"
)

// gateway starts a local gateway.
func gateway(t *testing.T) *local.Gateway {
	t.Helper()
	binary, err := engine.Find(os.Getenv("EASEL_DYNOXIDE")) //nolint:forbidigo // where make test put the engine
	if err != nil {
		t.Fatal(err)
	}
	g, err := local.Start(t.Context(), local.Options{Local: env.Local{Addr: "127.0.0.1:0", Engine: binary}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

// easel runs the command and returns its exit code and what it printed.
func easel(ctx context.Context, args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	code = run(ctx, args, console{in: strings.NewReader(""), out: &stdout, err: &stderr})
	return code, stdout.String(), stderr.String()
}

func TestDoctorFindsALocalGatewayWell(t *testing.T) {
	t.Parallel()
	g := gateway(t)
	code, out, errs := easel(t.Context(), "doctor", "-server", g.URL, "-key", g.AdminKey, "-json")
	var found []finding
	if err := json.Unmarshal([]byte(out), &found); err != nil || code != exitOK {
		t.Fatalf("exit %d, %v: %s%s", code, err, out, errs)
	}
	seen := map[string]verdict{}
	for _, f := range found {
		seen[f.Check] = f.Status
	}
	for name, want := range map[string]verdict{
		"gateway": verdictOK, "clock": verdictOK, "admin key": verdictOK, "tables": verdictOK, "queue": verdictOK, "bucket": verdictOK,
		"webhooks": verdictWarn, "configs": verdictOK, "config cfg_openai": verdictWarn,
	} {
		if seen[name] != want {
			t.Errorf("%s = %q, want %q in %s", name, seen[name], want, out)
		}
	}
	if strings.Contains(out, g.AdminKey) {
		t.Error("the key shows")
	}
	code, out, _ = easel(t.Context(), "doctor", "-server", g.URL, "-key", g.APIKey)
	if code != exitFailure || !strings.Contains(out, "admin key  fail") {
		t.Errorf("a caller's key: exit %d: %s", code, out)
	}
}

func TestImportShowsWritesAndKeepsKeysToItself(t *testing.T) {
	t.Parallel()
	const key = "sk-a-secret-of-the-old-gateway"
	g := gateway(t)
	dump := filepath.Join(t.TempDir(), "api_configs.csv")
	rows := "name,api_type,api_key,model,timeout,is_active\nOld DALL-E,openai_image," + key + ",gpt-image-2,90,1\n"
	if err := os.WriteFile(dump, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"config", "import", "-server", g.URL, "-key", g.AdminKey, "-table", dump}
	code, out, errs := easel(t.Context(), args...)
	if code != exitOK || !strings.Contains(out, "create    config Old DALL-E") || !strings.Contains(out, "Nothing was written") {
		t.Fatalf("dry run: exit %d: %s%s", code, out, errs)
	}
	if configs := export(t, g); strings.Contains(configs, "Old DALL-E") {
		t.Fatal("the dry run wrote")
	}
	code, out, errs = easel(t.Context(), append(args, "-apply")...)
	if code != exitOK || !strings.Contains(out, "Written: 1 configs, 1 keys") || strings.Contains(out+errs, key) {
		t.Fatalf("apply: exit %d: %s%s", code, out, errs)
	}
	if configs := export(t, g); !strings.Contains(configs, "Old DALL-E") || strings.Contains(configs, key) {
		t.Errorf("export = %s", configs)
	}
	configs, err := g.App.Store.Configs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range configs {
		if c.Name != "Old DALL-E" {
			continue
		}
		stored, err := g.App.Secrets.Get(t.Context(), c.SecretName)
		if err != nil || stored.Reveal() != key || c.TimeoutSeconds != 90 {
			t.Errorf("config = %+v, %v", c, err)
		}
	}
	code, out, _ = easel(t.Context(), args...)
	if code != exitOK || !strings.Contains(out, "unchanged config Old DALL-E") {
		t.Errorf("a repeat: exit %d: %s", code, out)
	}
}

func export(t *testing.T, g *local.Gateway) string {
	t.Helper()
	code, out, errs := easel(t.Context(), "config", "export", "-server", g.URL, "-key", g.AdminKey)
	if code != exitOK {
		t.Fatalf("export: exit %d: %s", code, errs)
	}
	return out
}

func TestClockFinding(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for skew, want := range map[time.Duration]verdict{
		0: verdictOK, -4 * time.Second: verdictOK, 10 * time.Second: verdictWarn, -time.Hour: verdictFail,
	} {
		header := http.Header{"Date": {now.Add(skew).Format(http.TimeFormat)}}
		if got := clockFinding(header, now); got.Status != want {
			t.Errorf("%s = %+v, want %s", skew, got, want)
		}
	}
	if got := clockFinding(http.Header{}, now); got.Status != verdictWarn {
		t.Errorf("no date = %+v", got)
	}
}

func TestCheckWebhook(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]verdict{
		http.StatusNotFound: verdictWarn, http.StatusUnauthorized: verdictWarn, http.StatusAccepted: verdictFail, http.StatusBadGateway: verdictFail,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		found := checkWebhook(server.Client(), server.URL)(t.Context())
		server.Close()
		if len(found) != 1 || found[0].Status != want { // warn, because it is this machine
			t.Errorf("%d: %+v, want %s", status, found, want)
		}
	}
	if found := checkWebhook(http.DefaultClient, "http://127.0.0.1:1")(t.Context()); found[0].Status != verdictFail {
		t.Errorf("nobody listens: %+v", found)
	}
}

// lister is a provider that lists models, or fails.
type lister struct {
	provider.Provider

	err error
}

func (l lister) Models(context.Context, provider.Call) ([]provider.Model, error) {
	return []provider.Model{{Name: "m"}}, l.err
}

type vault map[string]secret.Value

func (v vault) Get(_ context.Context, name string) (secret.Value, error) {
	value, ok := v[name]
	if !ok {
		return value, secrets.ErrNotFound
	}
	return value, nil
}

func TestCheckConfigTriesTheKeyWhereThatIsFree(t *testing.T) {
	t.Parallel()
	const key = "sk-0123456789abcdef"
	d := &deployment{
		client:  http.DefaultClient,
		secrets: vault{"config/cfg_a": secret.New(key), "config/cfg_b": secret.New(key), "config/cfg_c": secret.New(key)},
		providers: map[string]provider.Provider{
			"good": lister{}, "bad": lister{err: &fault.Failure{Class: fault.ClassAuth, Detail: "no such key " + key}},
			"silent": struct{ provider.Provider }{},
		},
	}
	for _, tt := range []struct {
		id, provider string
		want         verdict
	}{
		{"cfg_a", "good", verdictOK},
		{"cfg_b", "bad", verdictFail},
		{"cfg_c", "silent", verdictFail},
		{"cfg_c", "gone", verdictFail},
		{"cfg_d", "good", verdictFail},
	} {
		f := d.checkConfig(t.Context(), settings.Config{ID: tt.id, Name: tt.id, Provider: tt.provider, Kind: generation.Image, BaseURL: "http://127.0.0.1:1"})
		if f.Status != tt.want || strings.Contains(f.Detail, key) {
			t.Errorf("%s %s = %+v, want %s", tt.id, tt.provider, f, tt.want)
		}
	}
}

func TestDoctorTakesAServerOrAStage(t *testing.T) {
	t.Parallel()
	if code, _, errs := easel(t.Context(), "doctor", "-server", "http://127.0.0.1:1", "-stage", "dev"); code != exitUsage || !strings.Contains(errs, "exclude") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestConcludeFailsOnlyForFailures(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := conclude(&out, []finding{fine("a", "good"), warning("b", "do it", "so\nso")}, false); err != nil {
		t.Error(err)
	}
	if want := "CHECK  STATUS  DETAIL  WHAT TO DO\na      ok      good    \nb      warn    so so   do it\n"; out.String() != want {
		t.Errorf("table = %q, want %q", out.String(), want)
	}
	if err := conclude(&out, []finding{failure("c", "x", "y")}, true); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
}
