package taskapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"easel/functions/task/taskapi"
	"easel/shared/apikey"
	"easel/shared/generation"
	"easel/shared/intake"
	"easel/shared/intake/intaketest"
	"easel/shared/task"
)

type bundle struct {
	*intaketest.Gateway

	handler http.Handler
}

func setup(t *testing.T) *bundle {
	t.Helper()
	g := intaketest.New(t)
	return &bundle{Gateway: g, handler: taskapi.New(taskapi.Deps{
		Auth: g.Auth, Tasks: g.Store, Lister: lister{g}, Canceler: g.Runner, Signer: intaketest.Signer{}, Log: g.Log.Logger(),
	})}
}

// lister lists the store's tasks on one page.
type lister struct{ g *intaketest.Gateway }

func (l lister) ListTasks(_ context.Context, account string, status task.Status, kind generation.Kind, _ string, limit int) ([]task.Task, string, error) {
	var list []task.Task
	for _, t := range l.g.Store.Tasks() {
		if t.Account == account && (status == "" || t.Status == status) && (kind == "" || t.Kind == kind) {
			list = append(list, t)
		}
	}
	if len(list) > limit {
		return list[:limit], "more", nil
	}
	return list, "", nil
}

// begin places a request for the account and returns its task.
func (b *bundle) begin(t *testing.T, wait time.Duration) task.Task {
	t.Helper()
	checked, err := b.Desk.Check(t.Context(), intake.Ticket{
		Account: intaketest.Account, Request: generation.Request{Prompt: "a lighthouse"}, Wait: wait,
	})
	if err != nil {
		t.Fatal(err)
	}
	placed, err := b.Desk.Place(t.Context(), checked)
	if err != nil {
		t.Fatal(err)
	}
	return placed.Task
}

func (b *bundle) call(t *testing.T, method, path string, headers ...string) (int, map[string]any) {
	t.Helper()
	w := b.Do(t, b.handler, method, path, "", headers...)
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Code, m
}

func TestReadShowsTheTaskInItsForm(t *testing.T) {
	t.Parallel()
	b := setup(t)
	begun := b.begin(t, time.Minute)
	status, m := b.call(t, http.MethodGet, "/api/task/"+begun.ID)
	if status != http.StatusOK || m["status"] != "succeeded" || m["object"] != "task" || m["prompt"] != "a lighthouse" {
		t.Fatalf("status %d, task %v", status, m)
	}
	for _, name := range []string{
		"id", "object", "kind", "model", "status", "progress", "prompt", "created_at", "started_at", "finished_at",
		"expires_at", "outputs", "credits", "error", "metadata", "api_config_id", "response_time_ms", "attempts",
	} {
		if _, ok := m[name]; !ok {
			t.Errorf("the task has no member %s", name)
		}
	}
	attempts, _ := m["attempts"].([]any)
	first, _ := attempts[0].(map[string]any)
	if first["no"] != 1.0 || first["config"] != "cfg_image" || first["outcome"] != "succeeded" {
		t.Errorf("attempt = %v", first)
	}
	for _, name := range []string{"detail", "job", "handle", "request_id", "id"} {
		if _, ok := first[name]; ok {
			t.Errorf("an attempt shows %s", name)
		}
	}
	if at, _ := m["created_at"].(string); !strings.HasSuffix(at, "Z") {
		t.Errorf("created_at = %q, want UTC", at)
	}
}

func TestATaskOfAnotherAccountIsNotThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	begun := b.begin(t, 0)
	stranger := "Bearer " + b.NewKey("acc_other", apikey.Generate)
	for _, path := range []string{"/api/task/" + begun.ID, "/api/task/" + begun.ID + "/events"} {
		if status, m := b.call(t, http.MethodGet, path, "Authorization", stranger); status != http.StatusNotFound || m["code"] != "not_found" {
			t.Errorf("%s: %d %v, want 404", path, status, m)
		}
	}
	if status, _ := b.call(t, http.MethodPost, "/api/task/"+begun.ID+"/cancel", "Authorization", stranger); status != http.StatusNotFound {
		t.Errorf("cancel: %d, want 404", status)
	}
	if status, m := b.call(t, http.MethodGet, "/api/task", "Authorization", stranger); status != http.StatusOK || len(m["data"].([]any)) != 0 {
		t.Errorf("list: %d %v, want none", status, m)
	}
	for _, id := range []string{"task_unknown0", "nothing", "task_%2e%2e%2fx"} {
		if status, _ := b.call(t, http.MethodGet, "/api/task/"+id); status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", id, status)
		}
	}
	if b.Balance(t).Reserved != 10 {
		t.Error("the task was touched")
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.begin(t, 0)
	b.begin(t, time.Minute)
	if _, m := b.call(t, http.MethodGet, "/api/task?status=queued"); len(m["data"].([]any)) != 1 || m["next_cursor"] != nil {
		t.Errorf("queued = %v", m)
	}
	if _, m := b.call(t, http.MethodGet, "/api/task?limit=1"); len(m["data"].([]any)) != 1 || m["next_cursor"] != "more" {
		t.Errorf("first page = %v", m)
	}
	for _, query := range []string{"status=done", "kind=sound", "limit=0", "limit=101", "limit=x"} {
		if status, m := b.call(t, http.MethodGet, "/api/task?"+query); status != http.StatusBadRequest || m["errors"] == nil {
			t.Errorf("%s: %d %v, want 400", query, status, m)
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	b := setup(t)
	queued, done := b.begin(t, 0), b.begin(t, time.Minute)
	for range 2 {
		status, m := b.call(t, http.MethodPost, "/api/task/"+queued.ID+"/cancel")
		if status != http.StatusOK || m["status"] != "canceled" {
			t.Fatalf("cancel: %d %v", status, m)
		}
	}
	status, m := b.call(t, http.MethodPost, "/api/task/"+done.ID+"/cancel")
	if status != http.StatusConflict || m["code"] != "conflict" {
		t.Errorf("cancel of an ended task: %d %v", status, m)
	}
	if got := b.Balance(t); got.Reserved != 0 || got.Spent != 10 {
		t.Errorf("balance = %+v", got)
	}
	reader := "Bearer " + b.NewKey(intaketest.Account, apikey.Read)
	if status, _ := b.call(t, http.MethodPost, "/api/task/"+queued.ID+"/cancel", "Authorization", reader); status != http.StatusForbidden {
		t.Errorf("cancel with a key to read: %d, want 403", status)
	}
}

// ids returns the ids of the task events in a stream.
func ids(text string) []string {
	var list []string
	for line := range strings.SplitSeq(text, "\n") {
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			list = append(list, id)
		}
	}
	return list
}

func TestEventsFollowTheTaskToItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		begun := b.begin(t, 0)
		go func() {
			<-time.After(40 * time.Second)
			b.Work(t)
		}()
		w := b.Do(t, b.handler, http.MethodGet, "/api/task/"+begun.ID+"/events", "")
		text := w.Body.String()
		if got := w.Header().Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("content type = %q", got)
		}
		if !strings.HasPrefix(text, "retry: ") || strings.Count(text, ": still here") != 2 {
			t.Errorf("stream = %s, want retry and two heartbeats in 40 s", text)
		}
		if got := ids(text); len(got) < 2 || got[0] != "1" || !slices.IsSorted(got) {
			t.Errorf("ids = %v", got)
		}
		if !strings.HasSuffix(strings.TrimSpace(text), "}") || !strings.Contains(text, `"status":"succeeded"`) {
			t.Errorf("the stream does not end with the task's end: %s", text)
		}
	})
}

func TestEventsResume(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		begun := b.begin(t, 0)
		w := b.Do(t, b.handler, http.MethodGet, "/api/task/"+begun.ID+"/events", "", "Last-Event-ID", "1")
		text := w.Body.String()
		if got := ids(text); len(got) != 0 {
			t.Errorf("ids = %v, want none that the client has seen", got)
		}
		if !strings.Contains(text, "event: reconnect") {
			t.Errorf("stream = %s, want it to ask the client to come back", text)
		}
	})
	b := setup(t)
	begun := b.begin(t, time.Minute)
	w := b.Do(t, b.handler, http.MethodGet, "/api/task/"+begun.ID+"/events", "", "Last-Event-ID", "99")
	if got := ids(w.Body.String()); len(got) != 1 {
		t.Errorf("ids = %v, want the end once more", got)
	}
	if status, _ := b.call(t, http.MethodGet, "/api/task/"+begun.ID+"/events", "Last-Event-ID", "x"); status != http.StatusBadRequest {
		t.Errorf("status = %d, want 400", status)
	}
}
