package adminapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"easel/shared/generation"
	"easel/shared/task"
)

func TestTheUsageLogFiltersAndPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.newConfig("one")
	for i := range 9 {
		w.ended(fmt.Sprintf("task_%04d_aaaaaaaa", i), id, func(t *task.Task) {
			t.CreatedAt = t.CreatedAt.Add(time.Duration(i) * time.Millisecond)
			if i%3 == 0 {
				t.Status, t.Model, t.Error = task.Succeeded, "sdxl", nil
			}
		})
	}
	all := func(query string) (ids []string) {
		for cursor := ""; ; {
			a := w.do("GET", "/api/admin/usage?limit=2&"+query+"&cursor="+cursor, "").want(http.StatusOK)
			for _, r := range a.data() {
				ids = append(ids, r["id"].(string))
			}
			next, more := a.object()["next_cursor"].(string)
			if !more {
				return ids
			}
			cursor = next
		}
	}
	for query, want := range map[string]int{
		"": 9, "status=succeeded": 3, "model=sdxl": 3, "config=" + id: 9, "config=other": 0, "provider=openai&status=failed": 6,
		"account=demo": 9, "account=other": 0, "code=provider_failed": 6, "key=key": 9, "kind=video": 0,
	} {
		if ids := all(query); len(ids) != want {
			t.Errorf("%q finds %d, want %d", query, len(ids), want)
		}
	}
	record := w.do("GET", "/api/admin/usage?limit=1", "").data()[0]
	attempt, _ := record["attempts"].([]any)[0].(map[string]any)
	if record["id"] != "task_0008_aaaaaaaa" || attempt["config_name"] != "one" || attempt["handle"] != nil {
		t.Errorf("got %v", record)
	}
	w.do("GET", "/api/admin/usage?colour=1", "").want(http.StatusBadRequest)
	w.do("GET", "/api/admin/usage?status=sold", "").want(http.StatusBadRequest)
	w.do("GET", "/api/admin/usage?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "").want(http.StatusBadRequest)
	one := w.do("GET", "/api/admin/usage/task_0001_aaaaaaaa", "").want(http.StatusOK).object()
	if one["request"].(map[string]any)["prompt"] != "a lighthouse" || one["error"] == nil {
		t.Errorf("got %v", one)
	}
}

func TestTasksOfAllAccountsAreListedAndFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.newConfig("one")
	w.account("other", 0)
	for i := range 8 {
		w.ended(fmt.Sprintf("task_%04d_bbbbbbbb", i), id, func(t *task.Task) {
			t.CreatedAt = t.CreatedAt.Add(time.Duration(i) * time.Second)
			if i%2 == 1 {
				t.Account = "other"
			}
			if i%4 == 3 {
				t.Status, t.DueAt, t.Error = task.Queued, time.Now().Add(time.Hour), nil
			}
		})
	}
	for _, limit := range []int{1, 3, 50} {
		var ids []string
		for cursor, pages := "", 0; ; pages++ {
			a := w.do("GET", fmt.Sprintf("/api/admin/tasks?limit=%d&cursor=%s", limit, cursor), "").want(http.StatusOK)
			for _, one := range a.data() {
				ids = append(ids, strings.TrimSuffix(strings.TrimPrefix(one["id"].(string), "task_000"), "_bbbbbbbb"))
			}
			next, more := a.object()["next_cursor"].(string)
			if !more || pages > 20 {
				break
			}
			cursor = next
		}
		if got := strings.Join(ids, ""); got != "76543210" {
			t.Errorf("pages of %d list %s", limit, got)
		}
	}
	for query, want := range map[string]int{
		"status=queued": 2, "status=failed": 6, "account=other": 4, "account=other&status=queued": 2, "kind=text": 0,
		"q=task_0003_bbbbbbbb": 1, "q=req_task_0002_bbbbbbbb": 1, "q=job_task_0003_bbbbbbbb": 1, "q=nothing": 0,
	} {
		if n := len(w.do("GET", "/api/admin/tasks?"+query, "").want(http.StatusOK).data()); n != want {
			t.Errorf("%q finds %d, want %d", query, n, want)
		}
	}
}

func TestATaskIsShownCanceledAndRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.newConfig("one")
	failed := w.ended("task_failed_cccccccc", "cfg_gone", func(t *task.Task) {
		t.Request.Image = "asset:in/some/image"
		t.CallbackURL = "https://example.com/hook?token=" + canary
	})
	o := w.do("GET", "/api/admin/tasks/"+failed.ID, "").want(http.StatusOK).object()
	if o["account"] != "demo" || o["request"] == nil || o["price"] != 10.0 || o["version"] != 1.0 {
		t.Errorf("got %v", o)
	}
	w.do("POST", "/api/admin/tasks/"+failed.ID+"/cancel", "").want(http.StatusConflict)
	again := w.do("POST", "/api/admin/tasks/"+failed.ID+"/retry", "", "Idempotency-Key: r").want(http.StatusCreated).object()
	if again["id"] == failed.ID || again["retry_of"] != failed.ID || again["status"] != "queued" {
		t.Errorf("got %v", again)
	}
	if same := w.do("POST", "/api/admin/tasks/"+failed.ID+"/retry", "", "Idempotency-Key: r").want(http.StatusCreated).object(); same["id"] != again["id"] {
		t.Errorf("a repeat made %v", same["id"])
	}
	if request, _ := again["request"].(map[string]any); request["image"] != "asset:in/some/image" {
		t.Errorf("the new task asks for %v", request)
	}
	ledger, _ := again["ledger"].([]any)
	if len(ledger) != 1 {
		t.Errorf("the ledger of the new task is %v", ledger)
	}
	id, _ := again["id"].(string)
	w.do("POST", "/api/admin/tasks/"+id+"/retry", "").want(http.StatusConflict)
	if o := w.do("POST", "/api/admin/tasks/"+id+"/cancel", "").want(http.StatusOK).object(); o["status"] != "canceled" {
		t.Errorf("got %v", o)
	}
	trail := w.do("GET", "/api/admin/audit?action=task.", "").data()
	actions := make([]string, 0, len(trail))
	for _, e := range trail {
		actions = append(actions, e["action"].(string))
		if e["after"] == nil {
			t.Errorf("%v does not say what came of it", e)
		}
	}
	if strings.Join(actions, " ") != "task.cancel task.retry task.retry" {
		t.Errorf("the trail is %v", actions)
	}
}

func TestDeliveriesAreListedAndRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hook := func(d task.Delivery) func(*task.Task) {
		return func(t *task.Task) { t.CallbackURL, t.Delivery = "https://example.com/hook?token="+canary, d }
	}
	w.ended("task_plain_dddddddd", "c", nil)
	w.ended("task_done_dddddddd", "c", hook(task.Delivery{Tries: 1, DoneAt: time.Now(), Status: 200}))
	given := w.ended("task_given_dddddddd", "c", hook(task.Delivery{Tries: 10, Status: 503}.Tried(task.Try{
		At: time.Now(), Status: 500, Error: "the endpoint answered 500", LatencyMS: 12,
	})))
	for query, want := range map[string]int{"": 2, "?state=delivered": 1, "?state=failed": 1, "?state=pending": 0, "?account=demo": 2} {
		if n := len(w.do("GET", "/api/admin/deliveries"+query, "").want(http.StatusOK).data()); n != want {
			t.Errorf("%q lists %d, want %d", query, n, want)
		}
	}
	path := "/api/admin/deliveries/"
	w.do("GET", path+"task_plain_dddddddd", "").want(http.StatusNotFound)
	w.do("POST", path+"task_plain_dddddddd/redeliver", "").want(http.StatusConflict)
	o := w.do("POST", path+given.ID+"/redeliver", "").want(http.StatusOK).object()
	if o["state"] != "pending" || o["event"] != "task.failed" || o["tries"] != 0.0 {
		t.Errorf("got %v", o)
	}
	if log, _ := o["log"].([]any); len(log) != 1 || log[0].(map[string]any)["status"] != 500.0 || log[0].(map[string]any)["latency_ms"] != 12.0 {
		t.Errorf("the log of the tries is %v", o["log"])
	}
	due, err := w.store.Due(t.Context(), time.Now().Add(time.Second), 10)
	w.must(err)
	if len(due) != 1 || due[0] != given.ID || len(w.queue.list) != 1 {
		t.Errorf("due are %v, sent was %v", due, w.queue.list)
	}
}

func TestStatsCountWhatWasRolledUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.newConfig("one")
	for i := range 6 {
		w.ended(fmt.Sprintf("task_%d_eeeeeeee", i), id, func(t *task.Task) {
			if i < 4 {
				t.Status, t.Charged = task.Succeeded, 10
				t.Attempts = append(t.Attempts, task.Attempt{
					No: 2, Config: "cfg_b", Provider: "replicate", Outcome: task.Delivered, LatencyMS: 900, Usage: generation.Usage{CostMicroUSD: 5},
				})
			}
		})
	}
	n, err := w.store.Rollup(t.Context(), 0)
	w.must(err)
	if n != 6 {
		t.Fatalf("%d records were rolled up", n)
	}
	get := func(query string) map[string]any {
		return w.do("GET", "/api/admin/stats?"+query, "").want(http.StatusOK).object()
	}
	for _, window := range []string{"1h", "6h", "24h", "7d", "30d", "90d"} {
		totals, _ := get("window=" + window)["totals"].(map[string]any)
		if totals["calls"] != 6.0 || totals["succeeded"] != 4.0 || totals["credits"] != 40.0 || totals["cost_micro_usd"] != 20.0 {
			t.Errorf("%s: %v", window, totals)
		}
	}
	report := get("window=24h&by=config")
	groups, _ := report["groups"].([]any)
	first, _ := groups[0].(map[string]any)
	if len(groups) != 2 || first["label"] != "one" || first["calls"] != 6.0 || first["failed"] != 6.0 {
		t.Errorf("got %v", groups)
	}
	if buckets, _ := report["buckets"].([]any); len(buckets) != 24 {
		t.Errorf("%d buckets", len(buckets))
	}
	if totals := get("kind=video")["totals"].(map[string]any); totals["calls"] != 0.0 {
		t.Errorf("got %v", totals)
	}
	if totals := get("account=demo")["totals"].(map[string]any); totals["calls"] != 6.0 {
		t.Errorf("got %v", totals)
	}
	if o := w.do("GET", "/api/admin/accounts/demo", "").object(); o["charged_this_month"] != 40.0 {
		t.Errorf("got %v", o)
	}
	for _, query := range []string{
		"window=2h", "bucket=second", "window=90d&bucket=minute", "by=colour", "config=a&model=b", "from=2026-01-01T00:00:00Z",
		"account=a&by=model", "window=1h&bucket=day", "from=2026-01-01T00:00:00Z&to=2026-12-01T00:00:00Z",
	} {
		w.do("GET", "/api/admin/stats?"+query, "").want(http.StatusBadRequest)
	}
	w.counter.Reset()
	get("window=24h&by=provider")
	if calls := w.counter.Calls(); calls["Query"] != 1 || calls["Scan"] != 0 {
		t.Errorf("a report made %v", calls)
	}
}

func TestHealthShowsTheLastAttempts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, idle := w.newConfig("one"), w.newConfig("two")
	w.ended("task_1_ffffffff", id, nil)
	w.do("PATCH", "/api/admin/configs/"+w.newConfig("three"), `{"active":false}`, "If-Match: *").want(http.StatusOK)
	list := w.do("GET", "/api/admin/health", "").want(http.StatusOK).data()
	if len(list) != 3 || list[0]["state"] != "degraded" || list[1]["config_id"] != idle || list[1]["state"] != "unknown" || list[2]["state"] != "inactive" {
		t.Fatalf("got %v", list)
	}
	if last := list[0]["last_error"].(map[string]any); last["class"] != "rate_limited" || strings.Contains(fmt.Sprint(last), canary) {
		t.Errorf("got %v", last)
	}
}

func TestAnExportComesBackAsItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.newConfig("one")
	w.newConfig("two")
	exported := w.do("GET", "/api/admin/export", "").want(http.StatusOK)
	if strings.Contains(string(exported.Body), "canary") {
		t.Error("the export holds a key")
	}
	send := func(query, document string, prune bool) answer {
		return w.do("POST", "/api/admin/import"+query, fmt.Sprintf(`{"document":%s,"prune":%t}`, document, prune))
	}
	actions := func(a answer) string {
		var body struct {
			Changes []struct{ Action string } `json:"changes"`
		}
		a.want(http.StatusOK).into(&body)
		list := make([]string, 0, len(body.Changes))
		for _, c := range body.Changes {
			list = append(list, c.Action)
		}
		return strings.Join(list, " ")
	}
	if got := actions(send("", string(exported.Body), true)); got != "unchanged unchanged" {
		t.Errorf("importing what was exported: %s", got)
	}
	doc := exported.object()
	list, _ := doc["configs"].([]any)
	first, _ := list[0].(map[string]any)
	first["weight"], first["default"] = 7, true
	doc["configs"] = []any{first, map[string]any{"name": "new", "kind": "text", "provider": "openai"}}
	doc["models"] = []any{map[string]any{
		"name": "mine", "kind": "image", "upstreams": []any{map[string]any{"provider": "openai", "model": "x"}},
		"price": map[string]any{"known": true, "credits": 1, "unit": "image"}, "limits": map[string]any{},
	}}
	raw, err := json.Marshal(doc)
	w.must(err)
	if got := actions(send("?dry_run=true", string(raw), true)); got != "update create delete create" {
		t.Errorf("the dry run says %s", got)
	}
	if n := len(w.do("GET", "/api/admin/configs", "").data()); n != 2 || w.configOf(one).Weight != 100 {
		t.Error("a dry run wrote")
	}
	if got := actions(send("", string(raw), true)); got != "update create delete create" {
		t.Errorf("the import says %s", got)
	}
	c := w.configOf(one)
	if c.Weight != 7 || !c.Default || c.KeyMask == "" || c.SecretName == "" {
		t.Errorf("got %+v", c)
	}
	first["base_url"] = "ftp://x"
	raw, err = json.Marshal(doc)
	w.must(err)
	if f := send("", string(raw), false).want(http.StatusBadRequest).fields(); f != "document.configs[0].base_url" {
		t.Errorf("fields %q", f)
	}
	send("", `{"format":"other","version":1}`, false).want(http.StatusBadRequest)
}

// TestAnExportMovesToAnotherDeployment takes the content filter and a model's
// routing along, both of which name configs by ids that are others there.
func TestAnExportMovesToAnotherDeployment(t *testing.T) {
	t.Parallel()
	here, there := newWorld(t), newWorld(t)
	id := here.newConfig("one")
	filter := `{"max_characters":400,"rules":[{"id":"v","words":["gore"]}],"remote":{"policy":"strict","config":"` + id + `"}}`
	here.do("PUT", moderationPath, filter, `If-Match: "0"`).want(http.StatusOK)
	model := `{"name":"mine","kind":"image","upstreams":[{"provider":"openai","model":"x"}],"price":{"known":true,"credits":1,"unit":"image"},
		"limits":{},"routing":{"policy":"split","arms":[{"config":"` + id + `","percent":5},{"config":"cfg_gone","percent":5}]}}`
	here.do("PUT", "/api/admin/models/mine", model, "If-None-Match: *").want(http.StatusCreated)
	document := string(here.do("GET", "/api/admin/export", "").want(http.StatusOK).Body)
	send := func(query, document string, prune bool) answer {
		return there.do("POST", "/api/admin/import"+query, fmt.Sprintf(`{"document":%s,"prune":%t}`, document, prune))
	}
	dry := string(send("?dry_run=true", document, false).want(http.StatusOK).Body)
	for _, part := range []string{`"type":"setting","id":"moderation"`, "gore", "document.settings.moderation.remote.config", "document.models[0].routing.arms[1].config"} {
		if !strings.Contains(dry, part) {
			t.Errorf("the dry run lacks %s: %s", part, dry)
		}
	}
	if there.do("GET", moderationPath, "").object()["version"] != 0.0 {
		t.Error("the dry run wrote")
	}
	send("", document, false).want(http.StatusOK)
	mine, _ := there.do("GET", "/api/admin/configs", "").data()[0]["id"].(string)
	if body := string(there.do("GET", moderationPath, "").want(http.StatusOK).Body); mine == id || !strings.Contains(body, mine) || !strings.Contains(body, "gore") {
		t.Errorf("the filter is %s, the config %s", body, mine)
	}
	models, err := there.store.ModelRecords(t.Context())
	if err != nil || len(models) != 1 || models[0].Routing.Arms[0].Config != mine {
		t.Errorf("the models are %+v, %v", models, err)
	}
	if again := string(send("?dry_run=true", document, true).want(http.StatusOK).Body); strings.Contains(again, `"action":"update"`) || strings.Contains(again, `"action":"create"`) {
		t.Errorf("once more it would do %s", again)
	}
	bare := `{"format":"easel/config","version":1,"configs":[],"models":[]}`
	if kept := string(send("?dry_run=true", bare, true).want(http.StatusOK).Body); strings.Contains(kept, "moderation") {
		t.Errorf("a document without settings changes them: %s", kept)
	}
	if f := send("", strings.Replace(document, "gore", "", 1), false).want(http.StatusBadRequest).fields(); f != "document.settings.moderation.rules[0].words[0]" {
		t.Errorf("fields %q", f)
	}
	none := strings.Replace(bare, `"models":[]`, `"models":[],"settings":{}`, 1)
	if reset := string(send("?dry_run=true", none, true).want(http.StatusOK).Body); !strings.Contains(reset, `"id":"moderation","name":"","action":"update"`) {
		t.Errorf("a document with no filter keeps it: %s", reset)
	}
}

// TestNoAnswerHoldsASecret records a session over every route and looks for what
// must not be in it.
func TestNoAnswerHoldsASecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.newConfig("one")
	one := w.ended("task_1_gggggggg", id, func(t *task.Task) { t.CallbackURL = "https://example.com/?token=plain" })
	_, err := w.store.Rollup(t.Context(), 0)
	w.must(err)
	w.do("PUT", "/api/admin/configs/"+id+"/key", `{"key":"`+canary+`"}`).want(http.StatusOK)
	w.do("POST", "/api/admin/configs/"+id+"/test", `{"mode":"generate"}`).want(http.StatusOK)
	w.do("POST", "/api/admin/configs/"+id+"/duplicate", "").want(http.StatusCreated)
	w.do("POST", "/api/admin/configs/"+id+"/reveal", "").want(http.StatusForbidden)
	for _, path := range []string{
		"configs", "configs/" + id, "health", "stats?by=config", "usage", "usage/" + one.ID, "tasks", "tasks/" + one.ID, "accounts",
		"accounts/demo", "accounts/demo/ledger", "accounts/demo/webhooks", "keys", "models", "deliveries", "deliveries/" + one.ID, "audit", "export", "settings", "session",
	} {
		if a := w.do("GET", "/api/admin/"+path, "").want(http.StatusOK); a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept: %v", path, a.Header)
		}
	}
	for name, text := range map[string]string{"an answer": w.session.String(), "the log": w.log.String()} {
		for _, leak := range []string{"canary", w.admin[20:], w.viewer[20:], w.caller[20:]} {
			if at := strings.Index(text, leak); at >= 0 {
				t.Errorf("%s holds a secret: …%s…", name, text[max(0, at-100):at+10])
			}
		}
	}
}
