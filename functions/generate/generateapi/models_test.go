package generateapi_test

import (
	"net/http"
	"strings"
	"testing"

	"easel/shared/apikey"
	"easel/shared/fault"
	"easel/shared/intake/intaketest"
)

func TestQuoteReservesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	m := object(t, b.post(t, "/api/quote", `{"model":"old-painter","n":3}`))
	if m["credits"] != 30.0 || m["model"] != "painter" || m["notice"] == nil {
		t.Errorf("quote = %v, want 30 credits of painter and a notice", m)
	}
	wantProblem(t, b.post(t, "/api/quote", `{"model":"painter","n":30}`), fault.InvalidInput, "n")
	b.WantUntouched(t)
}

func TestModelsShowNoUpstream(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.get(t, "/api/models?kind=image")
	wantStatus(t, w, http.StatusOK)
	if text := w.Body.String(); !strings.Contains(text, `"painter"`) || strings.Contains(text, "upstream") || strings.Contains(text, "mover") {
		t.Errorf("models = %s", text)
	}
	wantProblem(t, b.get(t, "/api/models?kind=sound"), fault.InvalidInput, "kind")
}

func TestAccountAndLedger(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.post(t, "/api/generate/image", `{"prompt":"a"}`)
	m := object(t, b.get(t, "/api/account"))
	if m["granted"] != 100.0 || m["available"] != 90.0 || m["reserved"] != 0.0 || m["spent"] != 10.0 || m["ledger_url"] == nil {
		t.Errorf("account = %v", m)
	}
	page := object(t, b.get(t, "/api/account/ledger?limit=2"))
	data, _ := page["data"].([]any)
	if len(data) != 2 || page["next_cursor"] == nil {
		t.Errorf("ledger = %v, want two entries and a cursor", page)
	}
	wantProblem(t, b.get(t, "/api/account/ledger?limit=101"), fault.InvalidInput, "limit")
	w := b.get(t, "/api/account", "X-Easel-Account", "somebody")
	wantStatus(t, w, http.StatusForbidden)
	key := b.NewKey(intaketest.Account, apikey.Generate, apikey.ActAs)
	w = b.get(t, "/api/account", "X-Easel-Account", "somebody", "Authorization", "Bearer "+key)
	wantStatus(t, w, http.StatusNotFound)
}

func TestOtherPathsAndMethods(t *testing.T) {
	t.Parallel()
	b := setup(t)
	wantProblem(t, b.get(t, "/api/nothing"), fault.NotFound, "")
	w := b.get(t, "/api/generate")
	wantProblem(t, w, fault.MethodNotAllowed, "")
	if w.Header().Get("Allow") != "POST" {
		t.Errorf("Allow = %q", w.Header().Get("Allow"))
	}
	w = b.post(t, "/api/generate", `{"prompt":"a"}`, "Content-Type", "text/plain")
	wantStatus(t, w, http.StatusUnsupportedMediaType)
}
