package adminapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"easel/shared/apikey"
)

func TestAccountsAreMadeChangedAndListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const accounts = "/api/admin/accounts"
	a := w.do("POST", accounts, `{"id":"acme","name":"Acme","grant":50,"monthly_quota":9}`).want(http.StatusCreated)
	balance, _ := a.object()["balance"].(map[string]any)
	if balance["available"] != 50.0 || a.Header.Get("ETag") != `"1"` {
		t.Errorf("got %s", a.Body)
	}
	w.do("POST", accounts, `{"id":"acme"}`).want(http.StatusConflict)
	w.do("POST", accounts, `{"id":"bad id"}`).want(http.StatusBadRequest)
	o := w.do("PATCH", accounts+"/acme", `{"monthly_quota":7}`, `If-Match: "1"`).want(http.StatusOK).object()
	if o["monthly_quota"] != 7.0 || o["name"] != "Acme" || o["version"] != 2.0 {
		t.Errorf("got %v", o)
	}
	w.do("PATCH", accounts+"/acme", `{"name":"x"}`, `If-Match: "1"`).want(http.StatusPreconditionFailed)
	w.do("PATCH", accounts+"/demo", `{"name":"Demo"}`, `If-Match: "1"`).want(http.StatusOK) // made without a version
	for i := range 5 {
		w.account(fmt.Sprintf("zoo_%d", i), 0)
	}
	var ids []string
	for cursor := ""; ; {
		page := w.do("GET", accounts+"?q=zoo&limit=2&cursor="+cursor, "").want(http.StatusOK)
		for _, one := range page.data() {
			ids = append(ids, one["id"].(string))
		}
		next, more := page.object()["next_cursor"].(string)
		if !more {
			break
		}
		cursor = next
	}
	if strings.Join(ids, " ") != "zoo_0 zoo_1 zoo_2 zoo_3 zoo_4" {
		t.Errorf("listed %v", ids)
	}
	if n := len(w.do("GET", accounts, "").data()); n != 7 {
		t.Errorf("%d accounts are listed, want 7", n)
	}
	w.do("GET", accounts+"?cursor=%21", "").want(http.StatusBadRequest)
}

func TestCreditsMoveOnceAndWithAReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const demo = "/api/admin/accounts/demo"
	for range 2 {
		w.do("POST", demo+"/grants", `{"amount":100,"note":"gift"}`, "Idempotency-Key: g1").want(http.StatusCreated)
	}
	w.do("POST", demo+"/grants", `{"amount":5,"note":"gift"}`, "Idempotency-Key: g1").want(http.StatusConflict)
	w.do("POST", demo+"/grants", `{"amount":0}`).want(http.StatusBadRequest)
	if f := w.do("POST", demo+"/adjustments", `{"amount":-1}`).want(http.StatusBadRequest).fields(); f != "note" {
		t.Errorf("fields %q", f)
	}
	o := w.do("POST", demo+"/adjustments", `{"amount":-1100,"note":"mistake"}`).want(http.StatusCreated).object()
	account, _ := o["account"].(map[string]any)
	balance, _ := account["balance"].(map[string]any)
	if balance["available"] != 0.0 || balance["granted"] != 0.0 {
		t.Errorf("got %v", o)
	}
	w.do("POST", demo+"/adjustments", `{"amount":-1,"note":"more"}`).want(http.StatusConflict)
	w.do("POST", "/api/admin/accounts/nobody/grants", `{"amount":1}`).want(http.StatusNotFound)
	ledger := w.do("GET", demo+"/ledger", "").want(http.StatusOK).data()
	if len(ledger) != 3 || ledger[0]["reason"] != "adjust" || ledger[0]["note"] != "mistake" || !strings.HasPrefix(ledger[0]["by"].(string), "key:") {
		t.Errorf("got %v", ledger)
	}
	if n := len(w.do("GET", demo+"/ledger?reason=grant", "").data()); n != 2 {
		t.Errorf("%d grants", n)
	}
	if n := len(w.do("GET", "/api/admin/audit?object=demo", "").data()); n != 2 {
		t.Errorf("%d entries in the trail, want one grant and one adjustment", n)
	}
}

func TestAKeysSecretIsShownOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const keys = "/api/admin/keys"
	a := w.do("POST", keys, `{"name":"shop","account":"demo","scopes":["generate"],"allow_ips":["203.0.113.0/24"],"rate_per_minute":5}`).want(http.StatusCreated)
	var made struct {
		Key    map[string]any `json:"key"`
		Secret string         `json:"secret"`
	}
	a.into(&made)
	id, secretPart, ok := apikey.Parse(made.Secret)
	if !ok || id != made.Key["id"] || made.Key["status"] != "active" {
		t.Fatalf("got %s", a.Body)
	}
	stored, err := w.store.Key(t.Context(), id)
	w.must(err)
	w.must(stored.Verify(secretPart, time.Now()))
	for _, path := range []string{keys, keys + "/" + id, keys + "?account=demo", "/api/admin/audit"} {
		if body := string(w.do("GET", path, "").want(http.StatusOK).Body); strings.Contains(body, secretPart) || strings.Contains(body, stored.Hash) {
			t.Errorf("%s shows the key", path)
		}
	}

	rotated := w.do("POST", keys+"/"+id+"/rotate", `{"overlap_seconds":60}`).want(http.StatusOK)
	rotated.into(&made)
	stored, err = w.store.Key(t.Context(), id)
	w.must(err)
	_, fresh, _ := apikey.Parse(made.Secret)
	w.must(stored.Verify(fresh, time.Now()))
	w.must(stored.Verify(secretPart, time.Now()))
	if stored.Verify(secretPart, time.Now().Add(time.Hour)) == nil {
		t.Error("the old secret works for ever")
	}

	w.do("POST", keys+"/"+id+"/revoke", "").want(http.StatusOK)
	stored, err = w.store.Key(t.Context(), id)
	w.must(err)
	if stored.Verify(fresh, time.Now()) == nil || stored.Verify(secretPart, time.Now()) == nil {
		t.Error("a revoked key works")
	}
	w.do("POST", keys+"/"+id+"/rotate", "").want(http.StatusConflict)
	own, _, _ := apikey.Parse(w.admin)
	w.do("POST", keys+"/"+own+"/revoke", "").want(http.StatusConflict)
	if f := w.do("PATCH", keys+"/"+own, `{"scopes":["viewer"]}`, "If-Match: *").want(http.StatusBadRequest).fields(); f != "scopes" {
		t.Errorf("fields %q", f)
	}
}

func TestABadKeyNamesEveryField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tt := range []struct{ body, fields string }{
		{`{}`, "scopes"},
		{`{"scopes":["generate"]}`, "account"},
		{`{"scopes":["generate","fly","generate"],"account":"demo"}`, "scopes[1] scopes[2]"},
		{`{"scopes":["read"],"account":"nobody"}`, "account"},
		{`{"scopes":["admin"],"allow_ips":["10.0.0.0/8","x"],"expires_at":"2001-01-01T00:00:00Z"}`, "allow_ips[1] expires_at"},
		{`{"scopes":["admin"],"expires_at":"soon"}`, "expires_at"},
		{`{"scopes":["admin"],"rate_per_minute":-1,"user_rate_per_minute":-1,"user_concurrency":1000001,"cache_ttl_seconds":2592001}`, "rate_per_minute user_rate_per_minute user_concurrency cache_ttl_seconds"},
	} {
		if f := w.do("POST", "/api/admin/keys", tt.body).want(http.StatusBadRequest).fields(); f != tt.fields {
			t.Errorf("%s: fields %q, want %q", tt.body, f, tt.fields)
		}
	}
	first := w.do("POST", "/api/admin/keys", `{"scopes":["admin"]}`, "Idempotency-Key: k").want(http.StatusCreated).object()
	again := w.do("POST", "/api/admin/keys", `{"scopes":["admin"]}`, "Idempotency-Key: k").want(http.StatusCreated).object()
	if first["key"].(map[string]any)["id"] != again["key"].(map[string]any)["id"] || again["secret"] != "" {
		t.Errorf("a repeat made %v", again)
	}
	secret, _ := first["secret"].(string)
	w.as(secret, "GET", "/api/admin/session", "").want(http.StatusOK)
	id := first["key"].(map[string]any)["id"].(string)
	o := w.do("PATCH", "/api/admin/keys/"+id, `{"user_rate_per_minute":3,"user_concurrency":2,"cache_ttl_seconds":60,"cache_unseeded":true,"expires_at":"2999-01-01T00:00:00Z"}`, `If-Match: "1"`).want(http.StatusOK).object()
	if o["expires_at"] == nil || o["user_rate_per_minute"] != 3.0 || o["user_concurrency"] != 2.0 || o["cache_ttl_seconds"] != 60.0 || o["cache_unseeded"] != true {
		t.Errorf("got %v", o)
	}
	if o = w.do("PATCH", "/api/admin/keys/"+id, `{"expires_at":null}`, `If-Match: "2"`).want(http.StatusOK).object(); o["expires_at"] != nil {
		t.Errorf("got %v", o)
	}
}

func TestModelsAreLaidOverTheBuiltIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const models = "/api/admin/models"
	find := func(name string) map[string]any {
		for _, m := range w.do("GET", models, "").want(http.StatusOK).data() {
			if m["name"] == name {
				return m
			}
		}
		return nil
	}
	if m := find("auto"); m["source"] != "builtin" || m["version"] != 0.0 {
		t.Fatalf("got %v", m)
	}
	w.do("DELETE", models+"/auto", "", `If-Match: "0"`).want(http.StatusConflict)
	auto := `{"name":"auto","kind":"image","auto":true,"price":{"known":true,"credits":3,"unit":"image"},"limits":{}}`
	w.do("PUT", models+"/auto", auto).want(http.StatusBadRequest)
	if o := w.do("PUT", models+"/auto", auto, `If-Match: "0"`).want(http.StatusOK).object(); o["source"] != "edited" || o["version"] != 1.0 {
		t.Errorf("got %v", o)
	}
	a := w.do("PUT", models+"/auto", auto, `If-Match: "0"`).want(http.StatusPreconditionFailed)
	if current, _ := a.object()["current"].(map[string]any); current["version"] != 1.0 {
		t.Errorf("got %s", a.Body)
	}
	mine := `{"kind":"image","upstreams":[{"provider":"openai","model":"x"}],"price":{"known":true,"credits":3,"unit":"image"},"limits":{}}`
	w.do("PUT", models+"/mine", mine, `If-None-Match: *`).want(http.StatusCreated)
	w.do("PUT", models+"/mine", mine, `If-None-Match: *`).want(http.StatusPreconditionFailed)
	w.do("PUT", models+"/mine", mine, `If-Match: "1"`).want(http.StatusOK)
	for body, fields := range map[string]string{
		`{"name":"other","kind":"image"}`: "name",
		`{"kind":"image","upstreams":[{"provider":"nobody","model":"x"}],"price":{},"limits":{}}`:                             "upstreams[0].provider",
		`{"kind":"image","upstreams":[{"provider":"openai","model":"x"}],"aliases":[{"name":"auto"}],"price":{},"limits":{}}`: "aliases",
	} {
		if f := w.do("PUT", models+"/mine", body, "If-Match: *").want(http.StatusBadRequest).fields(); f != fields {
			t.Errorf("%s: fields %q, want %q", body, f, fields)
		}
	}
	w.do("DELETE", models+"/auto", "", `If-Match: "1"`).want(http.StatusNoContent)
	w.do("DELETE", models+"/mine", "", `If-Match: "2"`).want(http.StatusNoContent)
	if find("auto")["source"] != "builtin" || find("mine") != nil {
		t.Error("the models did not return to what is built in")
	}
	view, err := w.app.Views.View(t.Context())
	w.must(err)
	if len(view.Models.Models()) == 0 {
		t.Error("the models do not fit together")
	}
}
