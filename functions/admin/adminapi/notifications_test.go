package adminapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"easel/shared/notice"
	"easel/shared/task"
)

const notificationsPath = "/api/admin/settings/notifications"

func TestTheOperatorsEndpointIsReadAndReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if a := w.do("GET", notificationsPath, "").want(http.StatusOK); a.Header.Get("ETag") != `"0"` || a.object()["url"] != "" {
		t.Errorf("nothing is set: %s", a.Body)
	}
	for _, body := range []string{`{"url":"ops.example"}`, `{"url":"ftp://ops.example"}`} {
		if a := w.do("PUT", notificationsPath, body, "If-Match: *").want(http.StatusBadRequest); a.fields() != "url" {
			t.Errorf("%s: %s", body, a.Body)
		}
	}
	config := `{"url":"https://ops.example.com/hook?token=hidden"}`
	w.do("PUT", notificationsPath, config).want(http.StatusBadRequest)
	for _, id := range []string{"1", "2", "3", "4", "5"} { // the endpoint was disabled before
		w.must(w.app.Endpoints.GaveUp(t.Context(), notice.Operator, "https://ops.example.com/hook", id))
	}
	after := w.do("PUT", notificationsPath, config, `If-Match: "0"`).want(http.StatusOK).object()
	if after["version"] != 1.0 || after["disabled_at"] != nil || after["own_secret"] != false {
		t.Errorf("after: %v", after)
	}
	if a := w.as(w.viewer, "GET", notificationsPath, "").want(http.StatusOK); strings.Contains(string(a.Body), "hidden") {
		t.Errorf("a viewer sees the token: %s", a.Body)
	}
	w.do("PUT", notificationsPath, `{"url":""}`, `If-Match: "0"`).want(http.StatusPreconditionFailed)
	trail := w.do("GET", "/api/admin/audit?action=settings.notifications", "").want(http.StatusOK)
	if len(trail.data()) != 1 || strings.Contains(string(trail.Body), "hidden") {
		t.Errorf("the trail has %s", trail.Body)
	}
}

func TestTheOperatorsSecretIsShownOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.do("POST", notificationsPath+"/secret", "").want(http.StatusCreated).object()
	key, _ := made["secret"].(string)
	if !strings.HasPrefix(key, "whsec_") {
		t.Fatalf("made %v", made)
	}
	a := w.do("GET", notificationsPath, "").want(http.StatusOK)
	trail := w.do("GET", "/api/admin/audit?action=settings.notifications_secret", "").want(http.StatusOK)
	if a.object()["own_secret"] != true || strings.Contains(string(a.Body)+string(trail.Body), key) || len(trail.data()) != 1 {
		t.Errorf("after: %s, %s", a.Body, trail.Body)
	}
}

func TestNoticesAreListedWithTheirTries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{"evt_1", "evt_2"} {
		delivery := task.Delivery{}.Tried(task.Try{At: time.Now(), Status: 500, Error: "the endpoint answered 500"})
		w.must(w.store.SaveNotice(t.Context(), notice.Notice{ID: id, Type: "breaker.held", At: time.Now(), Data: []byte(`{"breaker":"held"}`), Delivery: delivery}))
	}
	a := w.as(w.viewer, "GET", "/api/admin/notifications?limit=1", "").want(http.StatusOK)
	if list := a.data(); len(list) != 1 || list[0]["id"] != "evt_2" || list[0]["state"] != "failed" || list[0]["event"] != "breaker.held" {
		t.Fatalf("%s", a.Body)
	}
	next, _ := a.object()["next_cursor"].(string)
	if list := w.do("GET", "/api/admin/notifications?cursor="+next, "").want(http.StatusOK).data(); len(list) != 1 || list[0]["id"] != "evt_1" {
		t.Errorf("%v", list)
	}
}

func TestANoticeIsSentAgainAndATestIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("POST", notificationsPath+"/test", "").want(http.StatusConflict)
	w.do("PUT", notificationsPath, `{"url":"https://ops.example.com/hook"}`, "If-Match: *").want(http.StatusOK)
	sent := w.do("POST", notificationsPath+"/test", "").want(http.StatusAccepted).object()
	id, _ := sent["id"].(string)
	if sent["event"] != "test" || sent["state"] != "pending" || !strings.Contains(strings.Join(w.queue.list, " "), `{"notice":"`+id+`"}`) {
		t.Fatalf("sent %v, messages %v", sent, w.queue.list)
	}
	n, err := w.store.Notice(t.Context(), id)
	w.must(err)
	n.Delivery = task.Delivery{Tries: 3, DoneAt: time.Now()}
	w.must(w.store.SaveNotice(t.Context(), n))
	again := w.do("POST", "/api/admin/notifications/"+id+"/redeliver", "").want(http.StatusOK).object()
	if again["state"] != "pending" || again["tries"] != 0.0 || strings.Count(strings.Join(w.queue.list, " "), id) != 2 {
		t.Errorf("again %v, messages %v", again, w.queue.list)
	}
	w.do("POST", "/api/admin/notifications/evt_unknown/redeliver", "").want(http.StatusNotFound)
	for _, action := range []string{"settings.notifications_test", "notification.redeliver"} {
		if trail := w.do("GET", "/api/admin/audit?action="+action, "").want(http.StatusOK).data(); len(trail) == 0 || trail[0]["after"] == nil {
			t.Errorf("%s: the trail has %v", action, trail)
		}
	}
}
