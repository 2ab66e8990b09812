package adminapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"easel/shared/retire"
)

const findingsPath = "/api/admin/models/findings"

func TestTheFindingsOfTheDailyCheckAreShownAsOfNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	none := w.as(w.viewer, "GET", findingsPath, "").want(http.StatusOK).object()
	if none["checked_at"] != nil || fmt.Sprint(none["data"], none["skipped"]) != "[] []" {
		t.Errorf("before the first check: %v", none)
	}
	config := w.do("POST", "/api/admin/configs", `{"name":"Painter","kind":"image","provider":"openai","model":"gpt-image-2","active":true}`).
		want(http.StatusCreated).object()
	id, _ := config["id"].(string)
	day := time.Now().UTC().Truncate(24 * time.Hour)
	w.must(w.store.SaveCheck(t.Context(), retire.Report{
		CheckedAt: day, Configs: 2,
		Findings: []retire.Finding{
			{Problem: retire.Missing, Model: "gpt-image-2", Upstream: "gpt-image-2", Config: id, Provider: "openai", Since: day},
			{Problem: retire.Retiring, Model: "gpt-image-2", Upstream: "gpt-image-2", Config: id, Provider: "openai", RetiresAt: day.Add(-time.Hour), Since: day},
			{Problem: retire.Missing, Model: "gpt-image-2", Upstream: "x", Config: "cfg_gone", Provider: "openai", Since: day},
			{Problem: retire.Retiring, Model: "mended", RetiresAt: day, Since: day},
		},
		Skipped: []retire.Skip{{Config: id, Provider: "openai", Reason: "r"}, {Config: "cfg_gone", Provider: "openai", Reason: "r"}},
	}, time.Now().Add(time.Hour)))
	ends := time.Now().UTC().Add(48 * time.Hour).Truncate(time.Second)
	w.do("PUT", "/api/admin/models/brush", `{"name":"brush","kind":"image","configured":true,"retires_at":"`+ends.Format(time.RFC3339)+`",
		"price":{"known":true,"credits":1,"unit":"image"}}`, "If-None-Match: *").want(http.StatusCreated)

	a := w.as(w.viewer, "GET", findingsPath, "").want(http.StatusOK)
	var got strings.Builder
	for _, f := range a.data() {
		fmt.Fprintf(&got, "%v %v by %v; ", f["model"], f["problem"], f["config_name"])
	}
	if want := "brush retiring by <nil>; gpt-image-2 ended by Painter; gpt-image-2 missing by Painter; "; got.String() != want {
		t.Errorf("findings = %s, want %s", got.String(), want)
	}
	if first := a.data()[0]; first["retires_at"] != ends.Format(time.RFC3339) || first["since"] == "0001-01-01T00:00:00Z" {
		t.Errorf("the model's own day: %v", first)
	}
	if o := a.object(); o["checked_at"] != day.Format(time.RFC3339) || o["configs"] != 2.0 || len(o["skipped"].([]any)) != 1 {
		t.Errorf("the report = %v", o)
	}
	w.as(w.caller, "GET", findingsPath, "").want(http.StatusForbidden)
	w.do("GET", findingsPath+"?kind=image", "").want(http.StatusBadRequest)
}
