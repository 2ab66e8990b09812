package app

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"easel/shared/httpapi"
	"easel/shared/secret"
	"easel/shared/secrets"
)

func logged(t *testing.T, out *bytes.Buffer) map[string]any {
	t.Helper()
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out.Reset()
	return line
}

func TestLinesOfAMessageNameItsTaskOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logs, none := NewLog(&out), (*Metrics)(nil)
	err := none.Message(func(ctx context.Context, _ []byte) error {
		logs.InfoContext(ctx, "here")
		if line := logged(t, &out); line["task"] != "task_1" || line["attempt"] != "att_1" {
			t.Errorf("logged %v", line)
		}
		logs.InfoContext(ctx, "here", "task", "task_2")
		if n := strings.Count(out.String(), `"task":`); n != 1 {
			t.Errorf("the task is named %d times: %s", n, out.String())
		}
		return nil
	})(t.Context(), []byte(`{"task":"task_1","attempt":"att_1"}`))
	if err != nil {
		t.Fatal(err)
	}
}

func TestLinesOfARequestNameIt(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logs := NewLog(&out)
	h := httpapi.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		logs.With("more", 1).InfoContext(r.Context(), "here")
	}), slog.New(slog.DiscardHandler))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Set(httpapi.RequestIDHeader, "request-one")
	h.ServeHTTP(httptest.NewRecorder(), r)
	if line := logged(t, &out); line["request_id"] != "request-one" || line["more"] != 1.0 {
		t.Errorf("logged %v", line)
	}
}

func TestWhatWasReadAsASecretIsNotLogged(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logs := NewLog(&out)
	files, err := secrets.OpenFile(filepath.Join(t.TempDir(), "secrets"))
	if err != nil {
		t.Fatal(err)
	}
	store := learning{files, logs.Redactor}
	if err := files.Put(t.Context(), "config/cfg_1", secret.New("canary-of-a-key")); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Get(t.Context(), "config/cfg_1"); err != nil {
		t.Fatal(err)
	}
	if err := store.Put(t.Context(), "config/cfg_2", secret.New("canary-of-another")); err != nil {
		t.Fatal(err)
	}
	logs.Info("the provider says: canary-of-a-key is no good", "detail", "nor is canary-of-another")
	if strings.Contains(out.String(), "canary") {
		t.Error(out.String())
	}
}
