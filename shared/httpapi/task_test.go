package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/journal"
	"easel/shared/task"
)

type signer struct{ err error }

func (s signer) Sign(_ context.Context, key string, ttl time.Duration) (string, error) {
	return "https://assets.example/" + key + "?a=1&b=2&ttl=" + ttl.String(), s.err
}

// failedOver is a task that a second provider served, with everything that
// callers must not see.
func failedOver() task.Task {
	at := time.Date(2026, 11, 22, 12, 0, 0, 123_456_789, time.FixedZone("CET", 3600))
	return task.Task{
		ID: "task_1234567890", Account: "acc_1", KeyID: "key_1", Kind: generation.Image, Model: "painter",
		Request: generation.Request{Prompt: "a fox"}, Status: task.Succeeded, Charged: 10, Price: 10, Loss: true,
		Attempts: []task.Attempt{
			{
				No: 1, ID: "att_1", Config: "cfg_a", Provider: "a", Outcome: task.Rejected, Class: fault.ClassRateLimited,
				Message: "vendor A says no", Detail: "raw words of A", RequestID: "vendor-req", LatencyMS: 80,
			},
			{No: 2, ID: "att_2", Config: "cfg_b", Provider: "b", Outcome: task.Delivered, Job: "job_1", LatencyMS: 900},
		},
		Outputs:   []generation.Asset{{Key: "out/1", ContentType: "image/png", Bytes: 3, Width: 4, Height: 5, SHA256: "ab"}},
		CreatedAt: at, StartedAt: at, FinishedAt: at.Add(1500 * time.Millisecond), ExpiresAt: at.Add(time.Minute),
		CallbackURL: "https://caller.example/hook?token=hunter2",
	}
}

func TestTaskIsShownAsTheContractSays(t *testing.T) {
	t.Parallel()
	view, err := httpapi.TaskOf(t.Context(), failedOver(), signer{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(view)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"task_1234567890","object":"task","kind":"image","model":"painter","status":"succeeded","progress":1,` +
		`"prompt":"a fox","created_at":"2026-11-22T11:00:00.123Z","started_at":"2026-11-22T11:00:00.123Z",` +
		`"finished_at":"2026-11-22T11:00:01.623Z","expires_at":"2026-11-22T11:01:00.123Z",` +
		`"outputs":[{"url":"https://assets.example/out/1?a=1\u0026b=2\u0026ttl=1h0m0s","content_type":"image/png","bytes":3,"width":4,"height":5,"sha256":"ab"}],` +
		`"credits":{"reserved":0,"charged":10},"error":null,"metadata":{},"api_config_id":"cfg_b","response_time_ms":1500,` +
		`"attempts":[{"no":1,"config":"cfg_a","provider":"a","outcome":"rejected","class":"rate_limited","message":"the provider is limiting requests","latency_ms":80},` +
		`{"no":2,"config":"cfg_b","provider":"b","outcome":"succeeded","latency_ms":900}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, secret := range []string{"raw words", "vendor", "job_1", "hunter2", "key_1", "acc_1", "loss"} {
		if strings.Contains(string(got), secret) {
			t.Errorf("the task shows %q", secret)
		}
	}
}

func TestAFailedTaskShowsItsErrorAndNoOutput(t *testing.T) {
	t.Parallel()
	failed := failedOver()
	failed.Status, failed.Outputs, failed.Charged = task.Failed, nil, 0
	failed.Attempts[1].Outcome = task.Broken
	failed.Error = &task.Error{Code: fault.ProviderFailed, Message: "every provider failed"}
	view, err := httpapi.TaskOf(t.Context(), failed, signer{})
	if err != nil || view.Error == nil || view.Error.Attempts != 2 || view.Error.Code != fault.ProviderFailed || view.APIConfigID != nil {
		t.Errorf("view = %+v, %v", view, err)
	}
	text, err := json.Marshal(view)
	if err != nil || !strings.Contains(string(text), `"outputs":[]`) || !strings.Contains(string(text), `"api_config_id":null`) {
		t.Errorf("view = %s, %v", text, err)
	}
}

func TestAnOutputThatCannotBeSignedIsAnError(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	if _, err := httpapi.TaskOf(t.Context(), failedOver(), signer{err: down}); !errors.Is(err, down) {
		t.Errorf("error = %v", err)
	}
}

// reader knows one task.
type reader struct {
	task task.Task
	err  error
}

func (r reader) Task(_ context.Context, id string) (task.Task, error) {
	if r.err != nil {
		return task.Task{}, r.err
	}
	if id != r.task.ID {
		return task.Task{}, journal.ErrNotFound
	}
	return r.task, nil
}

func TestOwnTask(t *testing.T) {
	t.Parallel()
	known := reader{task: failedOver()}
	if got, err := httpapi.OwnTask(t.Context(), known, "task_1234567890", "acc_1"); err != nil || got.ID != known.task.ID {
		t.Errorf("own task: %+v, %v", got, err)
	}
	_, missing := httpapi.OwnTask(t.Context(), known, "task_0000000000", "acc_1")
	for name, err := range map[string]error{
		"another's":  second(httpapi.OwnTask(t.Context(), known, "task_1234567890", "acc_2")),
		"not an id":  second(httpapi.OwnTask(t.Context(), known, "../task", "acc_1")),
		"an unknown": missing,
	} {
		if fault.CodeOf(err) != fault.NotFound || err.Error() != missing.Error() {
			t.Errorf("%s: %v, want the same not_found", name, err)
		}
	}
	down := errors.New("down")
	if _, err := httpapi.OwnTask(t.Context(), reader{err: down}, "task_1234567890", "acc_1"); !errors.Is(err, down) {
		t.Errorf("error = %v", err)
	}
}

func second(_ task.Task, err error) error { return err }

func TestEvents(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	e := httpapi.NewEvents(w)
	if e.Begun() || w.Flushed {
		t.Error("the answer began before its first event")
	}
	err := errors.Join(e.Retry(10), e.Send("1", "task", []byte("a\nb")), e.SendJSON("", "", map[string]string{"u": "x?a&b"}), e.Heartbeat())
	const want = "retry: 10\n\nid: 1\nevent: task\ndata: a\ndata: b\n\ndata: {\"u\":\"x?a&b\"}\n\n: still here\n\n"
	if err != nil || w.Body.String() != want || !e.Begun() || !w.Flushed {
		t.Errorf("stream = %q, %v; want %q", w.Body, err, want)
	}
}
