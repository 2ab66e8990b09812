package adminapi_test

import (
	"net/http"
	"strings"
	"testing"

	"easel/shared/apikey"
)

const moderationPath = "/api/admin/settings/moderation"

func TestTheContentFilterIsReadAndReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if a := w.do("GET", moderationPath, "").want(http.StatusOK); a.Header.Get("ETag") != `"0"` || a.object()["version"] != 0.0 {
		t.Errorf("nothing is set: %s", a.Body)
	}
	filter := `{"max_characters":400,"rules":[{"id":"violence","words":["血腥"]}]}`
	if a := w.do("PUT", moderationPath, filter, `If-Match: "0"`).want(http.StatusOK); a.Header.Get("ETag") != `"1"` {
		t.Errorf("the answer is %s with %v", a.Body, a.Header)
	}
	read := w.as(w.viewer, "GET", moderationPath, "").want(http.StatusOK)
	if read.object()["version"] != 1.0 || !strings.Contains(string(read.Body), "血腥") {
		t.Errorf("read back: %s", read.Body)
	}
	trail := w.do("GET", "/api/admin/audit?action=settings.moderation", "").want(http.StatusOK).data()
	if len(trail) != 1 || trail[0]["before"] != nil || trail[0]["after"] == nil {
		t.Errorf("the trail has %v", trail)
	}
	stale := w.do("PUT", moderationPath, `{}`, `If-Match: "0"`).want(http.StatusPreconditionFailed)
	if current, _ := stale.object()["current"].(map[string]any); current["version"] != 1.0 {
		t.Errorf("the stale write is told %s", stale.Body)
	}
	w.do("PUT", moderationPath, `{}`).want(http.StatusBadRequest)
	w.as(w.viewer, "PUT", moderationPath, `{}`, "If-Match: *").want(http.StatusForbidden)
	w.do("PUT", moderationPath, `{}`, `If-Match: "1"`).want(http.StatusOK)
}

func TestAWrongContentFilterNamesItsFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bare := `{"name":"without a key","kind":"text","provider":"openai","model":"gpt-6-luna"}`
	id, _ := w.do("POST", "/api/admin/configs", bare).want(http.StatusCreated).object()["id"].(string)
	for body, fields := range map[string]string{
		`{"rules":[{"id":"a","words":["x"]},{"id":"a","patterns":["("]}]}`: "rules[1].id rules[1].patterns[0]",
		`{"polcy":"off"}`:                                 "polcy",
		`{"scripts":["Klingon"]}`:                         "scripts[0]",
		`{"remote":{"policy":"default"}}`:                 "remote.config",
		`{"remote":{"policy":"off"}}`:                     "remote.policy remote.config",
		`{"remote":{"policy":"strict","config":"no"}}`:    "remote.config",
		`{"remote":{"config":"` + id + `"}}`:              "remote.config",
		`{"max_characters":-1,"remote":{"timeout_ms":1}}`: "max_characters remote.timeout_ms",
	} {
		if a := w.do("PUT", moderationPath, body, "If-Match: *").want(http.StatusBadRequest); a.fields() != fields {
			t.Errorf("%s: the fields are %q, want %q", body, a.fields(), fields)
		}
	}
	for _, words := range []string{strings.Repeat(`"`+strings.Repeat("ab", 40)+`",`, 3000) + `"z"`} {
		a := w.do("PUT", moderationPath, `{"rules":[{"id":"long","words":[`+words+`]}]}`, "If-Match: *").want(http.StatusBadRequest)
		if a.fields() != "rules" {
			t.Errorf("too long: %s", a.Body)
		}
	}
	if a := w.do("GET", moderationPath, "").want(http.StatusOK); a.object()["version"] != 0.0 {
		t.Errorf("something was written: %s", a.Body)
	}
}

func TestAKeysPolicyIsSetAndChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.do("POST", "/api/admin/keys", `{"name":"k","account":"demo","scopes":["generate"],"moderation":"off"}`).want(http.StatusCreated)
	key, _ := made.object()["key"].(map[string]any)
	id, _ := key["id"].(string)
	if key["moderation"] != "off" {
		t.Errorf("the key is %v", key)
	}
	path := "/api/admin/keys/" + id
	if a := w.do("PATCH", path, `{"moderation":"lax"}`, "If-Match: *").want(http.StatusBadRequest); a.fields() != "moderation" {
		t.Errorf("a wrong policy: %s", a.Body)
	}
	if a := w.do("PATCH", path, `{"moderation":"default"}`, "If-Match: *").want(http.StatusOK); a.object()["moderation"] != "default" {
		t.Errorf("the key is %s", a.Body)
	}
	stored, err := w.store.Key(t.Context(), id)
	if err != nil || stored.Moderation != "" || !stored.Has(apikey.Generate) {
		t.Errorf("stored is %+v, %v", stored, err)
	}
}
