package adminapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"easel/shared/endpoint"
)

func TestAWebhookSecretIsRotatedAndShownOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const path = "/api/admin/accounts/demo/webhooks"
	if a := w.do("GET", path, "").want(http.StatusOK).object(); a["own"] != false || a["account"] != "demo" {
		t.Errorf("before the first secret: %v", a)
	}
	first := w.do("POST", path+"/rotate", "").want(http.StatusCreated).object()
	secretText, _ := first["secret"].(string)
	if !strings.HasPrefix(secretText, "whsec_") || first["own"] != true || first["previous_until"] == nil {
		t.Errorf("the first secret: %v", first)
	}
	read := w.as(w.viewer, "GET", path, "").want(http.StatusOK)
	if strings.Contains(string(read.Body), "whsec_") || read.object()["own"] != true {
		t.Errorf("read back: %s", read.Body)
	}
	trail := w.do("GET", "/api/admin/audit?action=account.webhook_secret", "").want(http.StatusOK)
	if list := trail.data(); len(list) != 1 || list[0]["after"] == nil || strings.Contains(string(trail.Body), "whsec_") {
		t.Errorf("the trail has %s", trail.Body)
	}
	w.as(w.viewer, "POST", path+"/rotate", "").want(http.StatusForbidden)
	w.do("POST", "/api/admin/accounts/nobody/webhooks/rotate", "").want(http.StatusNotFound)
	for range 3 {
		w.do("POST", path+"/rotate", "").want(http.StatusCreated)
	}
	w.do("POST", path+"/rotate", "").want(http.StatusConflict)
}

func TestADisabledEndpointIsEnabledAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range endpoint.Patience {
		w.must(w.app.Endpoints.GaveUp(t.Context(), "demo", "https://dead.example.com/hook?n=1", fmt.Sprint("task_", n)))
	}
	const path = "/api/admin/accounts/demo/webhooks"
	dead := func(a answer) (list []any) {
		list, _ = a.object()["endpoints"].([]any)
		return list
	}
	list := dead(w.do("GET", path, "").want(http.StatusOK))
	if len(list) != 1 {
		t.Fatalf("the endpoints are %v", list)
	}
	if one, _ := list[0].(map[string]any); one["endpoint"] != "dead.example.com/hook" || one["disabled_at"] == nil || len(one["failed"].([]any)) != endpoint.Patience {
		t.Errorf("the endpoint is %v", list[0])
	}
	if f := w.do("POST", path+"/enable", `{"endpoint":"other.example.com/"}`).want(http.StatusBadRequest).fields(); f != "endpoint" {
		t.Errorf("an unknown endpoint: %q", f)
	}
	w.as(w.viewer, "POST", path+"/enable", `{"endpoint":"dead.example.com/hook"}`).want(http.StatusForbidden)
	if left := dead(w.do("POST", path+"/enable", `{"endpoint":"dead.example.com/hook"}`).want(http.StatusOK)); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
	if book, err := w.app.Endpoints.Book(t.Context(), "demo"); err != nil || book.Disabled("https://dead.example.com/hook") {
		t.Errorf("the book is %+v, %v", book, err)
	}
	if trail := w.do("GET", "/api/admin/audit?action=account.endpoint", "").data(); len(trail) != 1 || trail[0]["after"] == nil {
		t.Errorf("the trail has %v", trail)
	}
}
