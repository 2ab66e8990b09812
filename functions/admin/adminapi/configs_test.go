package adminapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"easel/functions/admin/adminapi"
	"easel/shared/fault"
	"easel/shared/task"
)

const configs = "/api/admin/configs"

func TestAConfigIsCreatedWithUsualValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.do("POST", configs, `{"name":"one","kind":"image","provider":"openai","key":"`+canary+`"}`).want(http.StatusCreated)
	o := a.object()
	if o["base_url"] != "https://api.openai.com" || o["priority"] != 10.0 || o["timeout_seconds"] != 60.0 || o["max_retries"] != 2.0 ||
		o["weight"] != 100.0 || o["active"] != true || o["version"] != 1.0 || o["key_mask"] != "…mnop" {
		t.Errorf("got %v", o)
	}
	id, _ := o["id"].(string)
	if a.Header.Get("ETag") != `"1"` || a.Header.Get("Location") != configs+"/"+id {
		t.Errorf("got headers %v", a.Header)
	}
	c := w.configOf(id)
	key, err := w.secrets.Get(t.Context(), c.SecretName)
	w.must(err)
	if key.Reveal() != canary {
		t.Error("the key is not in the secret store")
	}
	w.do("GET", configs+"/"+id, "").want(http.StatusOK)
	w.do("GET", configs+"/cfg_none", "").want(http.StatusNotFound)
}

func TestABadConfigNamesEveryField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tt := range []struct{ body, fields string }{
		{`{"kind":"sound","provider":"openai","max_retries":11,"timeout_seconds":5}`, "name kind max_retries timeout_seconds kind"},
		{`{"name":"a","kind":"image","provider":"nobody","base_url":"https://example.com"}`, "provider"},
		{`{"name":"a","kind":"video","provider":"openai"}`, "kind"},
		{`{"name":"a","kind":"image","provider":"openai","base_url":"http://169.254.169.254/"}`, "base_url"},
		{`{"name":"a","kind":"image","provider":"openai","colour":1}`, "colour"},
		{`{"name":"a","kind":"image","provider":"openai","id":"cfg_mine"}`, "id"},
		{`{"name":"a","kind":"image","provider":"openai","config_data":[1]}`, "config_data"},
		{`{"name":"a","kind":"image","provider":"openai","key":""}`, "key"},
		{`{"name":1}`, "name"},
	} {
		a := w.do("POST", configs, tt.body).want(http.StatusBadRequest)
		if a.fields() != tt.fields {
			t.Errorf("%s: fields %q, want %q", tt.body, a.fields(), tt.fields)
		}
	}
	if n := len(w.do("GET", configs, "").data()); n != 0 {
		t.Errorf("%d configs were made", n)
	}
}

func TestAStaleEditShowsBothVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := configs + "/" + w.newConfig("one")
	w.do("PATCH", path, `{"name":"two"}`).want(http.StatusBadRequest)
	o := w.do("PATCH", path, `{"name":"two"}`, `If-Match: "1"`).want(http.StatusOK).object()
	if o["name"] != "two" || o["version"] != 2.0 || o["key_mask"] != "…mnop" {
		t.Errorf("got %v", o)
	}
	a := w.do("PATCH", path, `{"name":"three"}`, `If-Match: "1"`).want(http.StatusPreconditionFailed)
	current, _ := a.object()["current"].(map[string]any)
	if a.code() != "stale_version" || current["name"] != "two" || current["version"] != 2.0 {
		t.Errorf("got %s", a.Body)
	}
	w.do("DELETE", path, "", `If-Match: "1"`).want(http.StatusPreconditionFailed)
	w.do("PATCH", path, `{"name":"three"}`, `If-Match: *`).want(http.StatusOK)
	o = w.do("PUT", path, `{"name":"four","kind":"image","provider":"openai"}`, `If-Match: "3"`).want(http.StatusOK).object()
	if o["model"] != "" || o["priority"] != 10.0 || o["key_mask"] != "…mnop" {
		t.Errorf("a put left %v", o)
	}
}

func TestOneDefaultPerKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.newConfig("one"), w.newConfig("two")
	w.do("PATCH", configs+"/"+one, `{"default":true}`, "If-Match: *").want(http.StatusOK)
	w.do("PATCH", configs+"/"+two, `{"default":true}`, "If-Match: *").want(http.StatusOK)
	if a, b := w.configOf(one), w.configOf(two); a.Default || !b.Default || a.Version != 3 {
		t.Errorf("got %v version %d and %v", a.Default, a.Version, b.Default)
	}
}

func TestReorderIsAllOrNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two, three := w.newConfig("one"), w.newConfig("two"), w.newConfig("three")
	body := func(ids ...string) string {
		raw, _ := json.Marshal(map[string]any{"kind": "image", "ids": ids})
		return string(raw)
	}
	w.do("POST", configs+"/reorder", body(one, two)).want(http.StatusConflict)
	w.do("POST", configs+"/reorder", body(one, two, two)).want(http.StatusConflict)
	list := w.do("POST", configs+"/reorder", body(three, one, two)).want(http.StatusOK).data()
	if len(list) != 3 || list[0]["id"] != three || list[0]["priority"] != 10.0 || list[2]["id"] != two || list[2]["priority"] != 30.0 {
		t.Errorf("got %v", list)
	}
	if stored := w.do("GET", configs, "").data(); stored[0]["id"] != three {
		t.Errorf("stored is %v", stored)
	}
}

func TestAConfigInUseIsNotDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.newConfig("one")
	one := w.ended("task_running", id, func(t *task.Task) {
		t.Status, t.FinishedAt, t.DueAt = task.Processing, time.Time{}, time.Now().Add(time.Hour)
		t.Attempts[0].Outcome, t.Attempts[0].Class = task.Accepted, ""
	})
	a := w.do("DELETE", configs+"/"+id, "", "If-Match: *").want(http.StatusConflict)
	if a.object()["tasks"] != 1.0 {
		t.Errorf("got %s", a.Body)
	}
	w.do("POST", "/api/admin/tasks/"+one.ID+"/cancel", "") // its job is still watched
	w.do("DELETE", configs+"/"+id, "", "If-Match: *").want(http.StatusConflict)
	other := w.newConfig("two")
	name := w.configOf(other).SecretName
	w.do("DELETE", configs+"/"+other, "", "If-Match: *").want(http.StatusNoContent)
	if _, err := w.secrets.Get(t.Context(), name); err == nil {
		t.Error("the key of a deleted config is still there")
	}
}

func TestKeysAreWriteOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := configs + "/" + w.newConfig("one")
	w.do("POST", path+"/reveal", "").want(http.StatusForbidden)
	o := w.do("PUT", path+"/key", `{"key":"sk-another-key-9876"}`).want(http.StatusOK).object()
	if o["key_mask"] != "…9876" || o["version"] != 2.0 {
		t.Errorf("got %v", o)
	}
	copied := w.do("POST", path+"/duplicate", `{"name":"copy"}`).want(http.StatusCreated).object()
	if copied["active"] != false || copied["default"] != false || copied["key_mask"] != "…9876" || copied["priority"] != 20.0 {
		t.Errorf("got %v", copied)
	}
	id, _ := copied["id"].(string)
	key, err := w.secrets.Get(t.Context(), w.configOf(id).SecretName)
	w.must(err)
	if key.Reveal() != "sk-another-key-9876" {
		t.Error("the copy has no key")
	}
	if o := w.do("DELETE", path+"/key", "").want(http.StatusOK).object(); o["key_mask"] != nil {
		t.Errorf("got %v", o)
	}
	if key, err = w.secrets.Get(t.Context(), w.configOf(id).SecretName); err != nil || key.IsZero() {
		t.Error("the copy lost its key")
	}
	w.do("PUT", path+"/key", `{"key":""}`).want(http.StatusBadRequest)
}

func TestRevealIsSwitchedAndAudited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(d *adminapi.Deps) { d.AllowReveal = true })
	id := w.newConfig("one")
	if o := w.do("POST", configs+"/"+id+"/reveal", "").want(http.StatusOK).object(); o["key"] != canary {
		t.Errorf("got %v", o)
	}
	w.as(w.viewer, "POST", configs+"/"+id+"/reveal", "").want(http.StatusForbidden)
	trail := w.do("GET", "/api/admin/audit?action=config.reveal", "").data()
	if len(trail) != 1 || strings.Contains(string(w.do("GET", "/api/admin/audit", "").Body), canary) {
		t.Errorf("got %v", trail)
	}
}

func TestATestIsARealCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := configs + "/" + w.newConfig("one") + "/test"
	o := w.do("POST", path, `{"mode":"probe"}`).want(http.StatusOK).object()
	if o["ok"] != true || o["mode"] != "probe" || o["status"] != 200.0 || o["models"] == nil {
		t.Errorf("got %v", o)
	}
	o = w.do("POST", path, `{"mode":"generate","prompt":"a cat"}`).want(http.StatusOK).object()
	outputs, _ := o["outputs"].([]any)
	if o["ok"] != true || len(outputs) != 1 || o["cost_micro_usd"] != 7.0 {
		t.Errorf("got %v", o)
	}
	w.vendor.fail(&fault.Failure{Class: fault.ClassAuth, Status: 401, Detail: "Incorrect API key: " + canary})
	o = w.do("POST", path, `{"mode":"probe"}`).want(http.StatusOK).object()
	if o["ok"] != false || o["status"] != 401.0 || o["class"] != "auth" || strings.Contains(o["detail"].(string), "canary") {
		t.Errorf("got %v", o)
	}
	w.do("POST", path, `{"mode":"try"}`).want(http.StatusBadRequest)
}

func TestADraftIsTestedWithTheStoredKeyAtItsOwnAddressOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.newConfig("one")
	draft := func(config, rest string) answer {
		return w.do("POST", configs+"/test", `{"mode":"probe","config":`+config+rest+`}`)
	}
	plain := `{"kind":"image","provider":"openai"}`
	if o := draft(plain, `,"id":"`+id+`"`).want(http.StatusOK).object(); o["ok"] != true {
		t.Errorf("got %v", o)
	}
	if o := draft(plain, ``).want(http.StatusOK).object(); o["ok"] != false || o["class"] != "auth" {
		t.Errorf("got %v", o)
	}
	elsewhere := `{"kind":"image","provider":"openai","base_url":"https://attacker.example"}`
	if f := draft(elsewhere, `,"id":"`+id+`"`).want(http.StatusBadRequest).fields(); f != "key" {
		t.Errorf("fields %q", f)
	}
	if o := draft(elsewhere, `,"key":"sk-of-their-own-1"`).want(http.StatusOK).object(); o["ok"] != true {
		t.Errorf("got %v", o)
	}
	private := `{"kind":"image","provider":"openai","base_url":"http://169.254.169.254"}`
	if f := draft(private, `,"key":"sk-of-their-own-1"`).want(http.StatusBadRequest).fields(); f != "config.base_url" {
		t.Errorf("fields %q", f)
	}
}

func TestSecretsInConfigDataAreHiddenAndKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := configs + "/" + w.newConfig("one")
	data := `{"headers":{"Authorization":"Bearer {{key}}","X-Api-Key":"` + canary + `"},"poll":5}`
	o := w.do("PATCH", path, `{"config_data":`+data+`}`, "If-Match: *").want(http.StatusOK).object()
	raw, err := json.Marshal(o["config_data"])
	w.must(err)
	if strings.Contains(string(raw), "canary") || !strings.Contains(string(raw), "Bearer {{key}}") {
		t.Errorf("got %s", raw)
	}
	w.do("PATCH", path, `{"config_data":`+string(raw)+`}`, "If-Match: *").want(http.StatusOK)
	id := strings.TrimPrefix(path, configs+"/")
	if stored := string(w.configOf(id).Data); !strings.Contains(stored, canary) {
		t.Errorf("writing back what was read lost the secret: %s", stored)
	}
}

func TestARepeatedCreateMakesOneConfig(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := `{"name":"one","kind":"image","provider":"openai"}`
	first := w.do("POST", configs, body, "Idempotency-Key: a").want(http.StatusCreated).object()
	second := w.do("POST", configs, body, "Idempotency-Key: a").want(http.StatusCreated).object()
	if first["id"] != second["id"] || len(w.do("GET", configs, "").data()) != 1 {
		t.Errorf("got %v and %v", first["id"], second["id"])
	}
}
