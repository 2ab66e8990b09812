package simulator_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"easel/shared/provider/simulator"
)

// submit is a create that succeeds at one vendor, and the parts of its answer
// to each refusal: the status, and a text that its body holds.
type submit struct {
	path, body string
	header     []string
	refusals   map[simulator.FaultName]refusal
}

type refusal struct {
	status int
	says   string
}

func submitsOf(t *testing.T) map[string]submit {
	t.Helper()
	stable, kind := form(t, map[string]string{"prompt": "x"})
	return map[string]submit{
		simulator.OpenAI: {
			"/openai/v1/images/generations", `{"model":"gpt-image-2","prompt":"x"}`, nil,
			map[simulator.FaultName]refusal{
				simulator.RateLimited: {429, "rate_limit_exceeded"}, simulator.OutOfCredit: {429, "insufficient_quota"}, simulator.Auth: {401, "invalid_api_key"},
				simulator.Unavailable: {503, "overloaded"}, simulator.ServerError: {500, "server_error"}, simulator.Moderated: {400, "moderation_blocked"},
				simulator.JobFails: {500, "server_error"},
			},
		},
		simulator.Stability: {
			"/stability/v2beta/stable-image/generate/core", stable,
			[]string{"Content-Type", kind},
			map[simulator.FaultName]refusal{
				simulator.RateLimited: {429, "rate_limit_exceeded"}, simulator.OutOfCredit: {402, "payment_required"}, simulator.Auth: {401, "unauthorized"},
				simulator.Unavailable: {503, "service_unavailable"}, simulator.ServerError: {500, "internal_error"}, simulator.Moderated: {403, "content_moderation"},
			},
		},
		simulator.Replicate: {
			schnell, `{"input":{"prompt":"x"}}`, nil,
			map[simulator.FaultName]refusal{
				simulator.RateLimited: {429, "resets in ~7s"}, simulator.OutOfCredit: {402, "Insufficient credit"}, simulator.Auth: {401, "authentication token"},
				simulator.Unavailable: {503, "unavailable"}, simulator.ServerError: {500, "unexpected error"},
			},
		},
		simulator.Runway: {
			"/runway/v1/text_to_video", runwayBody,
			[]string{"X-Runway-Version", "2024-11-06"},
			map[simulator.FaultName]refusal{
				simulator.RateLimited: {429, "daily"}, simulator.OutOfCredit: {400, "credits"}, simulator.Auth: {401, "API key"},
				simulator.Unavailable: {503, "unavailable"}, simulator.ServerError: {500, "Internal"},
			},
		},
		simulator.Fal: {
			"/fal/queue/" + pika, `{"prompt":"x"}`,
			[]string{"Authorization", "Key k"},
			map[simulator.FaultName]refusal{
				simulator.RateLimited: {429, "Too many"}, simulator.OutOfCredit: {403, "balance"}, simulator.Auth: {401, "Authentication"},
				simulator.Unavailable: {503, "unavailable"}, simulator.ServerError: {500, "Internal"},
			},
		},
		simulator.Gemini: {
			"/gemini/v1beta/models/gemini-3.8-flash:generateContent", `{"contents":[{"parts":[{"text":"x"}]}]}`,
			[]string{"X-Goog-Api-Key", "k"},
			map[simulator.FaultName]refusal{
				simulator.RateLimited: {429, "RESOURCE_EXHAUSTED"}, simulator.OutOfCredit: {400, "FAILED_PRECONDITION"}, simulator.Auth: {400, "API_KEY_INVALID"},
				simulator.Unavailable: {503, "UNAVAILABLE"}, simulator.ServerError: {500, "INTERNAL"}, simulator.Moderated: {200, "blockReason"},
			},
		},
	}
}

func TestRefusalsUseTheVendorsWordsAndBillNothing(t *testing.T) {
	t.Parallel()
	for provider, sub := range submitsOf(t) {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			b := setup(t, simulator.Options{})
			for fault, want := range sub.refusals {
				before := b.sim.Stats(provider).Submits
				b.fault(provider, simulator.Fault{Fault: fault, Times: 1, DelayMS: 7000 * int64(boolInt(fault == simulator.RateLimited))})
				got := b.post(sub.path, sub.body, sub.header...)
				if got.status != want.status || !strings.Contains(string(got.body), want.says) {
					t.Errorf("%s: %d %.300s", fault, got.status, got.body)
				}
				worked := fault == simulator.JobFails || provider == simulator.Gemini && fault == simulator.Moderated
				if after := b.sim.Stats(provider).Submits; after != before && !worked {
					t.Errorf("%s was counted as a submit", fault)
				}
				if got := b.post(sub.path, sub.body, sub.header...); got.status/100 != 2 {
					t.Errorf("after %s was used up: %d %.200s", fault, got.status, got.body)
				}
			}
		})
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestOnlySomeVendorsSendRetryAfter(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	all := submitsOf(t)
	for provider, want := range map[string]string{simulator.OpenAI: "3", simulator.Replicate: "3", simulator.Fal: "3", simulator.Stability: "", simulator.Gemini: "", simulator.Runway: ""} {
		b.fault(provider, simulator.Fault{Fault: simulator.RateLimited, DelayMS: 2500})
		if got := b.post(all[provider].path, all[provider].body, all[provider].header...); got.header.Get("Retry-After") != want {
			t.Errorf("%s: Retry-After %q, want %q", provider, got.header.Get("Retry-After"), want)
		}
	}
}

func TestResetDoesTheWorkAndCutsTheConnection(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	for provider, sub := range submitsOf(t) {
		b.fault(provider, simulator.Fault{Fault: simulator.ResetAfterAccept, Times: 1})
		_, err := b.request(http.MethodPost, sub.path, strings.NewReader(sub.body), append([]string{"Content-Type", "application/json"}, sub.header...)...)
		if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", provider, err)
		}
		submits(b, provider, 1)
	}
}

func TestHangLastsUntilTheClientLeavesOrTheDelayEnds(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	sub := submitsOf(t)[simulator.OpenAI]
	b.fault(simulator.OpenAI, simulator.Fault{Fault: simulator.Hang, Times: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+sub.path, strings.NewReader(sub.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer k")
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the hanging call ended with %v", err)
	}
	submits(b, simulator.OpenAI, 0)

	b.fault(simulator.OpenAI, simulator.Fault{Fault: simulator.Hang, Times: 1, DelayMS: 50})
	start := time.Now()
	if got := b.post(sub.path, sub.body); got.status != http.StatusOK || time.Since(start) < 50*time.Millisecond {
		t.Errorf("%d after %v", got.status, time.Since(start))
	}
}

func TestCloseEndsAHangingCall(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Options{})
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	b := &bench{t, sim, server.URL}
	b.fault(simulator.OpenAI, simulator.Fault{Fault: simulator.Hang})
	done := make(chan error, 1)
	go func() {
		_, err := b.request(http.MethodPost, "/openai/v1/images/generations", strings.NewReader(`{}`))
		done <- err
	}()
	eventually(t, "the call", func() bool { return sim.Stats(simulator.OpenAI).Calls == 1 })
	sim.Close()
	sim.Close()
	select {
	case err := <-done:
		if err == nil {
			t.Error("the hanging call was answered")
		}
	case <-time.After(10 * time.Second):
		t.Error("the hanging call goes on")
	}
}

func TestTruncatedAndSlowBodies(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	sub := submitsOf(t)[simulator.OpenAI]
	b.fault(simulator.OpenAI, simulator.Fault{Fault: simulator.Truncated, Times: 1})
	got, err := b.request(http.MethodPost, sub.path, strings.NewReader(sub.body), "Content-Type", "application/json")
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(got.body) == 0 {
		t.Errorf("%d bytes, %v", len(got.body), err)
	}
	b.fault(simulator.OpenAI, simulator.Fault{Fault: simulator.SlowBody, Times: 1, DelayMS: 200})
	start := time.Now()
	firstImage(t, b.post(sub.path, sub.body))
	if took := time.Since(start); took < 200*time.Millisecond {
		t.Errorf("the body took %v", took)
	}
	submits(b, simulator.OpenAI, 2)
}

func TestLateSuccessKeepsAJobRunning(t *testing.T) {
	t.Parallel()
	clock := &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	b := setup(t, simulator.Options{Now: clock.read})
	b.fault(simulator.Replicate, simulator.Fault{Fault: simulator.LateSuccess, Times: 1, DelayMS: 60000})
	id := b.post(schnell, `{"input":{"prompt":"x"}}`).json(t)["id"].(string)
	for _, step := range []struct {
		after  time.Duration
		status string
	}{{30 * time.Second, "processing"}, {29 * time.Second, "processing"}, {time.Second, "succeeded"}} {
		clock.add(step.after)
		if got := b.get("/replicate/v1/predictions/" + id).json(t)["status"]; got != step.status {
			t.Errorf("status %v, want %s", got, step.status)
		}
	}
}

func TestReplicateJobsFailInTheVendorsWords(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	for fault, says := range map[simulator.FaultName]string{simulator.Moderated: "NSFW", simulator.JobFails: "E1000"} {
		b.fault(simulator.Replicate, simulator.Fault{Fault: fault, Times: 1})
		got := b.post(schnell, `{"input":{"prompt":"x"}}`, "Prefer", "wait").json(t)
		if got["status"] != "failed" || !strings.Contains(got["error"].(string), says) {
			t.Errorf("%s: %v", fault, got)
		}
	}
	submits(b, simulator.Replicate, 2)
}

func TestFaultsMaySpoilReadsAndFiles(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	b.fault(simulator.Replicate, simulator.Fault{Fault: simulator.ServerError, On: simulator.OnReads})
	done := b.post(schnell, `{"input":{"prompt":"x","megapixels":"0.25"}}`, "Prefer", "wait").json(t)
	if got := b.get("/replicate/v1/predictions/" + done["id"].(string)); got.status != http.StatusInternalServerError {
		t.Errorf("a read answers %d", got.status)
	}
	file := strings.TrimPrefix(done["output"].([]any)[0].(string), b.url)
	b.fault(simulator.Replicate, simulator.Fault{Fault: simulator.Truncated, On: simulator.OnFiles, Times: 1})
	if _, err := b.request(http.MethodGet, file, nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the download ends with %v", err)
	}
	if got := b.get(file); got.status != http.StatusOK {
		t.Errorf("the next download answers %d", got.status)
	}
	b.sim.ClearFault(simulator.Replicate)
}

// admin sends one call to the operator's routes.
func (b *bench) admin(method, path, body string) reply {
	b.t.Helper()
	rec := httptest.NewRecorder()
	b.sim.Admin().ServeHTTP(rec, httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(body)))
	return reply{rec.Code, rec.Header(), rec.Body.Bytes()}
}

func TestAdminSetsShowsAndClearsFaults(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	if got := b.admin("PUT", "/simulator/openai/fault", `{"fault":"rate_limited","times":2,"delay_ms":1000}`); got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	sub := submitsOf(t)[simulator.OpenAI]
	b.post(sub.path, sub.body)
	state := b.admin("GET", "/simulator", "").json(t)["providers"].(map[string]any)["openai"].(map[string]any)
	if fault := state["fault"].(map[string]any); fault["fault"] != "rate_limited" || fault["times"] != 1.0 || state["calls"] != 1.0 || state["submits"] != 0.0 || state["refusals"] != 1.0 {
		t.Errorf("%v", state)
	}
	if got := b.admin("DELETE", "/simulator/openai/fault", ""); got.status != http.StatusNoContent {
		t.Errorf("delete answers %d", got.status)
	}
	b.post(sub.path, sub.body)
	list := b.admin("GET", "/simulator/submits?provider=openai&prompt=x", "").json(t)["submits"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["model"] != "gpt-image-2" {
		t.Errorf("%v", list)
	}
	for name, tc := range map[string]struct {
		path, body string
		status     int
		field      string
	}{
		"unknown name":     {"/simulator/openai/fault", `{"fault":"explode"}`, 400, "fault"},
		"wrong type":       {"/simulator/openai/fault", `{"fault":"hang","times":"3"}`, 400, "times"},
		"unknown field":    {"/simulator/openai/fault", `{"fault":"hang","time":3}`, 400, "time"},
		"no JSON":          {"/simulator/openai/fault", `hang`, 400, "body"},
		"unknown provider": {"/simulator/acme/fault", `{"fault":"hang"}`, 404, "provider"},
	} {
		got := b.admin("PUT", tc.path, tc.body)
		if e := got.json(t)["error"].(map[string]any); got.status != tc.status || e["field"] != tc.field {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}
