package simulator_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"easel/shared/provider/simulator"
)

const runwayBody = `{"model":"gen4.5","promptText":"a boat at sea","ratio":"1280:720","duration":5}`

func (b *bench) runway(method, path, body string) reply {
	b.t.Helper()
	got, err := b.request(method, path, strings.NewReader(body), "Content-Type", "application/json", "X-Runway-Version", "2024-11-06")
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

func TestRunwayTasksRunAndAreDeleted(t *testing.T) {
	t.Parallel()
	clock := &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	b := setup(t, simulator.Options{Latency: 10 * time.Second, Now: clock.read})
	created := b.runway("POST", "/runway/v1/text_to_video", runwayBody).json(t)
	if cost := created["estimatedCost"].(map[string]any)["credits"]; cost != 60.0 {
		t.Errorf("cost %v, want 60", cost)
	}
	task := "/runway/v1/tasks/" + created["id"].(string)
	for _, step := range []struct {
		after  time.Duration
		status string
	}{{0, "PENDING"}, {10 * time.Second, "RUNNING"}, {30 * time.Second, "SUCCEEDED"}} {
		clock.add(step.after)
		if got := b.runway("GET", task, "").json(t); got["status"] != step.status {
			t.Fatalf("status %v, want %s", got, step.status)
		}
	}
	if got := b.runway("DELETE", task, ""); got.status != http.StatusNoContent {
		t.Errorf("delete answers %d", got.status)
	}
	if got := b.runway("GET", task, ""); got.status != http.StatusNotFound || got.json(t)["error"] == nil {
		t.Errorf("a deleted task answers %d", got.status)
	}
}

func TestRunwayRefusesWhatTheVendorRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	if got := b.post("/runway/v1/text_to_video", runwayBody); got.status != http.StatusBadRequest || !strings.Contains(string(got.body), "X-Runway-Version") {
		t.Errorf("without the version: %d %s", got.status, got.body)
	}
	for name, tc := range map[string]struct{ path, body, field string }{
		"ratio":         {"text_to_video", strings.Replace(runwayBody, "1280:720", "960:960", 1), "ratio"},
		"no duration":   {"text_to_video", strings.Replace(runwayBody, `,"duration":5`, "", 1), "duration"},
		"duration":      {"text_to_video", strings.Replace(runwayBody, `:5`, `:11`, 1), "duration"},
		"model":         {"text_to_video", strings.Replace(runwayBody, "gen4.5", "gen3a_turbo", 1), "model"},
		"no image":      {"image_to_video", runwayBody, "promptImage"},
		"strict model":  {"text_to_video", `{"model":"veo3.1","promptText":"x","ratio":"1280:720","seed":1}`, "seed"},
		"no references": {"text_to_image", `{"model":"gen4_image_turbo","promptText":"x","ratio":"1280:720"}`, "referenceImages"},
	} {
		got := b.runway("POST", "/runway/v1/"+tc.path, tc.body)
		if got.status != http.StatusBadRequest || !strings.Contains(string(got.body), `"path":["`+tc.field+`"]`) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	submits(b, simulator.Runway, 0)
}

func TestRunwayFailsModeratedTasksAndChargesThem(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	for fault, code := range map[simulator.FaultName]string{simulator.Moderated: "SAFETY.", simulator.JobFails: "INTERNAL."} {
		b.fault(simulator.Runway, simulator.Fault{Fault: fault, Times: 1})
		id := b.runway("POST", "/runway/v1/text_to_video", runwayBody).json(t)["id"].(string)
		task := b.runway("GET", "/runway/v1/tasks/"+id, "").json(t)
		charged := task["cost"].(map[string]any)["credits"] != 0.0
		if task["status"] != "FAILED" || !strings.HasPrefix(task["failureCode"].(string), code) || charged != (fault == simulator.Moderated) {
			t.Errorf("%s: %v", fault, task)
		}
	}
	if got := b.runway("GET", "/runway/v1/organization", "").json(t)["creditBalance"]; got == nil {
		t.Error("no balance")
	}
}

const pika = "fal-ai/pika/v2.2/text-to-video"

func (b *bench) fal(method, path, body string) reply {
	b.t.Helper()
	got, err := b.request(method, path, strings.NewReader(body), "Content-Type", "application/json", "Authorization", "Key abc")
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

func TestFalQueuesAndSignsItsWebhooks(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	in := newInbox(t)
	got := b.fal("POST", "/fal/queue/"+pika+"?fal_webhook="+url.QueryEscape(in.url+"/?task=1"), `{"prompt":"a fox"}`)
	created := got.json(t)
	id, _ := created["request_id"].(string)
	if got.status != http.StatusOK || !strings.HasSuffix(created["status_url"].(string), "/fal-ai/pika/requests/"+id+"/status") {
		t.Fatalf("%d %s", got.status, got.body)
	}
	status := b.fal("GET", strings.TrimPrefix(created["status_url"].(string), b.url)+"?logs=1", "").json(t)
	if status["status"] != "COMPLETED" || status["logs"] == nil {
		t.Errorf("%v", status)
	}
	result := b.fal("GET", strings.TrimPrefix(created["response_url"].(string), b.url), "").json(t)
	if result["video"].(map[string]any)["content_type"] != "video/mp4" {
		t.Errorf("%v", result)
	}

	eventually(t, "the webhook", func() bool { return len(in.all()) == 1 })
	call := in.all()[0]
	keys := b.get("/fal/rest/.well-known/jwks.json", "Authorization", "").json(t)["keys"].([]any)
	key, err := base64.RawURLEncoding.DecodeString(keys[0].(map[string]any)["x"].(string))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(call.body)
	message := strings.Join([]string{
		call.header.Get("X-Fal-Webhook-Request-Id"), call.header.Get("X-Fal-Webhook-User-Id"), call.header.Get("X-Fal-Webhook-Timestamp"), hex.EncodeToString(sum[:]),
	}, "\n")
	signature, err := hex.DecodeString(call.header.Get("X-Fal-Webhook-Signature"))
	if err != nil || !ed25519.Verify(key, []byte(message), signature) {
		t.Error("the signature does not verify")
	}
	if event := call.json(t); event["status"] != "OK" || event["request_id"] != id {
		t.Errorf("%s", call.body)
	}
}

func TestFalHasNoFailedStatus(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	for fault, want := range map[simulator.FaultName]int{simulator.Moderated: 422, simulator.JobFails: 500} {
		b.fault(simulator.Fal, simulator.Fault{Fault: fault, Times: 1})
		created := b.fal("POST", "/fal/queue/"+pika, `{"prompt":"a fox"}`).json(t)
		status := b.fal("GET", strings.TrimPrefix(created["status_url"].(string), b.url), "").json(t)
		result := b.fal("GET", strings.TrimPrefix(created["response_url"].(string), b.url), "")
		if status["status"] != "COMPLETED" || result.status != want {
			t.Errorf("%s: %v, then %d %s", fault, status["status"], result.status, result.body)
		}
	}
	if got := b.post("/fal/queue/"+pika, `{"prompt":"x"}`); got.status != http.StatusUnauthorized {
		t.Errorf("a Bearer key answers %d", got.status)
	}
	if got := b.fal("POST", "/fal/queue/"+pika, `{}`); got.status != http.StatusUnprocessableEntity || !strings.Contains(string(got.body), `"loc":["body","prompt"]`) {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestFalCancels(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{Latency: time.Minute})
	created := b.fal("POST", "/fal/queue/"+pika, `{"prompt":"a fox"}`).json(t)
	path := strings.TrimPrefix(created["cancel_url"].(string), b.url)
	if got := b.fal("PUT", path, ""); got.status != http.StatusAccepted {
		t.Errorf("cancel answers %d", got.status)
	}
	if got := b.fal("PUT", path, ""); got.status != http.StatusBadRequest || got.json(t)["status"] != "ALREADY_COMPLETED" {
		t.Errorf("a second cancel answers %d", got.status)
	}
}

func TestCustomAPIsSpeakTheirOwnForms(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	luma := b.post("/custom/luma/v1/generations", `{"model":"ray-3.2","type":"video","prompt":"a lake"}`).json(t)
	done := b.get("/custom/luma/v1/generations/" + luma["id"].(string)).json(t)
	if done["status"] != "completed" || done["output"].([]any)[0].(map[string]any)["url"] == "" {
		t.Errorf("luma: %v", done)
	}

	kling := b.post("/custom/kling/v1/videos/text2video", `{"model_name":"kling-v3","prompt":"a lake","duration":"5"}`).json(t)
	data := kling["data"].(map[string]any)
	if kling["code"] != 0.0 || data["task_status"] != "submitted" {
		t.Errorf("kling: %v", kling)
	}
	task := b.get("/custom/kling/v1/videos/text2video/" + data["task_id"].(string)).json(t)["data"].(map[string]any)
	if task["task_status"] != "succeed" || task["task_result"] == nil {
		t.Errorf("kling: %v", task)
	}
	b.fault(simulator.Custom, simulator.Fault{Fault: simulator.RateLimited, Times: 1})
	if got := b.post("/custom/kling/v1/videos/text2video", `{}`); got.status != http.StatusOK || got.json(t)["code"] != 1302.0 {
		t.Errorf("kling: an error is %d %s", got.status, got.body)
	}

	bfl := b.post("/custom/bfl/v1/flux-pro-1.1", `{"prompt":"a lake","width":512,"height":512}`, "X-Key", "k").json(t)
	ready := b.get(bfl["polling_url"].(string), "X-Key", "k").json(t)
	if ready["status"] != "Ready" {
		t.Fatalf("bfl: %v", ready)
	}
	file := b.get(ready["result"].(map[string]any)["sample"].(string))
	picture(t, file.body, "jpeg", 512, 512)
	submits(b, simulator.Custom, 3)
}
