package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	_ "golang.org/x/image/webp"

	"easel/cmd/easel/local"
	"easel/shared/catalog"
	"easel/shared/env"
	"easel/shared/generation"
	"easel/shared/provider/simulator"
	"easel/shared/webhook"
)

// gateway is a running gateway and how a test talks to it.
type gateway struct {
	*local.Gateway
	t *testing.T
}

// start runs a gateway whose simulated providers answer at once.
func start(t *testing.T) *gateway {
	t.Helper()
	return startWith(t, func(*local.Options) {})
}

// startWith runs a gateway with changed options.
func startWith(t *testing.T, change func(*local.Options)) *gateway {
	t.Helper()
	options, err := local.FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	instant := time.Duration(0)
	options.Addr, options.Data, options.SimulatorLatency = "127.0.0.1:0", "", &instant
	options.SweepEvery, options.Draft = 250*time.Millisecond, true
	change(&options)
	g, err := local.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return &gateway{g, t}
}

// taskView is a task as its caller sees it.
type taskView struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Outputs []struct {
		URL         string `json:"url"`
		ContentType string `json:"content_type"`
		Width       int    `json:"width"`
		Height      int    `json:"height"`
	} `json:"outputs"`
	Credits struct {
		Reserved int64 `json:"reserved"`
		Charged  int64 `json:"charged"`
	} `json:"credits"`
	Error *struct {
		Code string `json:"code"`
	} `json:"error"`
	Attempts []struct {
		Provider string `json:"provider"`
		Outcome  string `json:"outcome"`
		Class    string `json:"class"`
	} `json:"attempts"`
}

// call sends a request with the caller's key and returns the status and the body.
func (g *gateway) call(method, path string, body any, headers ...string) (int, []byte) {
	g.t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		g.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(g.t.Context(), method, g.URL+path, bytes.NewReader(content))
	if err != nil {
		g.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+g.APIKey)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return response.StatusCode, answer
}

// create asks for a picture and waits for its task to end.
func (g *gateway) create(body map[string]any, headers ...string) taskView {
	g.t.Helper()
	status, answer := g.call(http.MethodPost, "/api/generate", body, append(headers, "Prefer", "wait=120")...)
	if status != http.StatusOK && status != http.StatusAccepted {
		g.t.Fatalf("generate answered %d: %s", status, answer)
	}
	return g.ended(parse(g.t, answer).ID)
}

// ended reads the task until it has ended.
func (g *gateway) ended(id string) taskView {
	g.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		_, answer := g.call(http.MethodGet, "/api/task/"+id, nil)
		if t := parse(g.t, answer); t.Status != "queued" && t.Status != "processing" {
			return t
		}
	}
	g.t.Fatalf("task %s did not end", id)
	return taskView{}
}

func parse(t *testing.T, body []byte) taskView {
	t.Helper()
	var v taskView
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}

type balance struct{ Granted, Available, Reserved, Spent int64 }

func (g *gateway) balance() balance {
	g.t.Helper()
	var b balance
	_, answer := g.call(http.MethodGet, "/api/account", nil)
	if err := json.Unmarshal(answer, &b); err != nil {
		g.t.Fatal(err)
	}
	if b.Granted != b.Available+b.Reserved+b.Spent {
		g.t.Fatalf("the balance does not add up: %+v", b)
	}
	return b
}

func (g *gateway) fault(provider string, f simulator.Fault) {
	g.t.Helper()
	if err := g.Simulator.SetFault(provider, f); err != nil {
		g.t.Fatal(err)
	}
}

// outcomes are a task's attempts in short form.
func (v taskView) outcomes() string {
	list := make([]string, 0, len(v.Attempts))
	for _, a := range v.Attempts {
		list = append(list, strings.TrimSuffix(a.Provider+" "+a.Outcome+" "+a.Class, " "))
	}
	return strings.Join(list, ", ")
}

func TestAPictureIsPaidOnceAndOpens(t *testing.T) {
	t.Parallel()
	g := start(t)
	v := g.create(map[string]any{"prompt": "a lighthouse at dusk", "aspect_ratio": "16:9"})
	if v.Status != "succeeded" || v.Credits.Charged != 10 || v.Credits.Reserved != 0 {
		t.Fatalf("task = %+v", v)
	}
	response, err := http.Get(v.Outputs[0].URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	picture, format, err := image.Decode(response.Body)
	if err != nil {
		t.Fatalf("the output does not open: %v", err)
	}
	if b := picture.Bounds(); b.Dx() != v.Outputs[0].Width || b.Dy() != v.Outputs[0].Height || b.Dx() <= b.Dy() {
		t.Errorf("the picture is %v, the task says %dx%d", b, v.Outputs[0].Width, v.Outputs[0].Height)
	}
	if want := "image/" + format; v.Outputs[0].ContentType != want || response.Header.Get("Content-Type") != want {
		t.Errorf("a %s is called %s and served as %s", format, v.Outputs[0].ContentType, response.Header.Get("Content-Type"))
	}
	if b := g.balance(); b != (balance{Granted: local.DemoCredits, Available: local.DemoCredits - 10, Spent: 10}) {
		t.Errorf("balance = %+v", b)
	}
	if unsigned, _, _ := strings.Cut(v.Outputs[0].URL, "?"); statusOf(t, unsigned) != http.StatusForbidden {
		t.Error("an asset can be read without its signature")
	}
}

func statusOf(t *testing.T, url string) int {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

func TestFailoverIsPaidOnce(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.fault(simulator.OpenAI, simulator.Fault{Fault: simulator.RateLimited})
	g.fault(simulator.Stability, simulator.Fault{Fault: simulator.Unavailable})
	v := g.create(map[string]any{"prompt": "a lighthouse at dusk"})
	if v.Status != "succeeded" {
		t.Fatalf("task = %+v", v)
	}
	if want := "openai rejected rate_limited, stability rejected unavailable, replicate succeeded"; v.outcomes() != want {
		t.Errorf("attempts = %s, want %s", v.outcomes(), want)
	}
	if b := g.balance(); b.Spent != 10 || b.Reserved != 0 {
		t.Errorf("balance = %+v", b)
	}
}

// TestFaults switches each fault on at the provider that a model is served by,
// and says how the task ends and what it costs.
func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, model, provider string
		fault                 simulator.Fault
		status, code          string
		charged               int64
	}{
		{"a refusal for content is not shopped around", "", simulator.OpenAI, simulator.Fault{Fault: simulator.Moderated}, "failed", "content_rejected", 0},
		{"a bad key goes to the next provider", "", simulator.OpenAI, simulator.Fault{Fault: simulator.Auth}, "succeeded", "", 10},
		{"an empty account goes to the next provider", "", simulator.OpenAI, simulator.Fault{Fault: simulator.OutOfCredit}, "succeeded", "", 10},
		{"a lost webhook is replaced by a look-up", "flux-dev", simulator.Replicate, simulator.Fault{Fault: simulator.LostWebhook}, "succeeded", "", 10},
		{"a doubled webhook changes nothing", "flux-dev", simulator.Replicate, simulator.Fault{Fault: simulator.DuplicateWebhook}, "succeeded", "", 10},
		{"a lost answer is found, not sent again", "flux-dev", simulator.Replicate, simulator.Fault{Fault: simulator.ResetAfterAccept, Times: 1}, "succeeded", "", 10},
		{"a failed job of the only provider fails the task", "flux-pro", simulator.Replicate, simulator.Fault{Fault: simulator.JobFails}, "failed", "provider_failed", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := start(t)
			g.fault(tt.provider, tt.fault)
			body := map[string]any{"prompt": "a lighthouse at dusk"}
			if tt.model != "" {
				body["model"] = tt.model
			}
			v := g.create(body)
			code := ""
			if v.Error != nil {
				code = v.Error.Code
			}
			if v.Status != tt.status || code != tt.code {
				t.Fatalf("ended as %s %q (%s), want %s %q", v.Status, code, v.outcomes(), tt.status, tt.code)
			}
			if b := g.balance(); b.Spent != tt.charged || b.Reserved != 0 {
				t.Errorf("balance = %+v, want %d spent", b, tt.charged)
			}
			if tt.fault.Fault == simulator.ResetAfterAccept {
				if submits := g.Simulator.Stats(tt.provider).Submits; submits != 1 {
					t.Errorf("the provider was asked %d times", submits)
				}
			}
		})
	}
}

func TestAnUnknownSubmitIsNeverSentAgain(t *testing.T) {
	t.Parallel()
	g := start(t)
	// The answer of a synchronous call is lost: nobody can learn what became of it,
	// so the task waits for its deadline and no other provider is asked.
	models, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range models {
		if m.Name == generation.Image.DefaultModel() {
			m.DeadlineSeconds = 10
			if err := g.App.Store.PutModel(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
	}
	g.fault(simulator.OpenAI, simulator.Fault{Fault: simulator.ResetAfterAccept})
	g.App.Views.Forget()
	v := g.create(map[string]any{"prompt": "a lost answer"})
	if v.Status != "expired" || v.outcomes() != "openai abandoned timeout" && v.outcomes() != "openai unknown timeout" {
		t.Fatalf("ended as %s (%s)", v.Status, v.outcomes())
	}
	if b := g.balance(); b.Spent != 0 || b.Reserved != 0 {
		t.Errorf("balance = %+v", b)
	}
	if n := g.Simulator.Stats(simulator.OpenAI).Submits; n != 1 {
		t.Errorf("the provider was asked %d times", n)
	}
}

func TestCallersAreTold(t *testing.T) {
	t.Parallel()
	g := start(t)
	type report struct {
		header http.Header
		body   []byte
	}
	reports := make(chan report, 8)
	var once sync.Once
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fail := false
		once.Do(func() { fail = true })
		if fail {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		reports <- report{r.Header, body}
	}))
	t.Cleanup(endpoint.Close)
	v := g.create(map[string]any{"prompt": "a lighthouse at dusk", "callback_url": endpoint.URL + "/hook"})
	select {
	case got := <-reports:
		key, err := g.App.Secrets.Get(t.Context(), env.WebhookSecret)
		if err != nil {
			t.Fatal(err)
		}
		if err := webhook.Verify(key, got.header.Get, got.body, time.Now()); err != nil {
			t.Errorf("the report's signature does not hold: %v", err)
		}
		if !strings.Contains(string(got.body), v.ID) || !strings.Contains(string(got.body), `"task.succeeded"`) {
			t.Errorf("report = %s", got.body)
		}
	case <-time.After(5 * time.Minute):
		t.Fatal("the caller was not told")
	}
}

func TestIdempotencyKeyMakesOneTask(t *testing.T) {
	t.Parallel()
	g := start(t)
	body := map[string]any{"prompt": "once"}
	const callers = 8
	ids := make(chan string, callers)
	var all sync.WaitGroup
	for range callers {
		all.Go(func() { ids <- g.create(body, "Idempotency-Key", "k1").ID })
	}
	all.Wait()
	first := <-ids
	for range callers - 1 {
		if id := <-ids; id != first {
			t.Errorf("one key made the tasks %s and %s", first, id)
		}
	}
	if b := g.balance(); b.Spent != 10 {
		t.Errorf("balance = %+v", b)
	}
	status, answer := g.call(http.MethodPost, "/api/generate", map[string]any{"prompt": "another"}, "Idempotency-Key", "k1")
	if status != http.StatusConflict {
		t.Errorf("the key with another body answered %d: %s", status, answer)
	}
}

func TestCreditsAreNeverOverspent(t *testing.T) {
	t.Parallel()
	g := start(t)
	const callers = 150 // 100 of them can pay
	statuses := make(chan int, callers)
	var all sync.WaitGroup
	limit := make(chan struct{}, 20)
	for i := range callers {
		limit <- struct{}{}
		all.Go(func() {
			status, _ := g.call(http.MethodPost, "/api/generate", map[string]any{"prompt": fmt.Sprint("picture ", i), "model": "flux-dev"})
			statuses <- status
			<-limit
		})
	}
	all.Wait()
	close(statuses)
	counts := map[int]int{}
	for s := range statuses {
		counts[s]++
	}
	if counts[http.StatusAccepted] != 100 || counts[http.StatusPaymentRequired] != 50 {
		t.Errorf("answers = %v, want 100 accepted and 50 refused for credits", counts)
	}
	if b := g.balance(); b.Available != 0 || b.Reserved+b.Spent != local.DemoCredits {
		t.Errorf("balance = %+v", b)
	}
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	taken := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(taken.Close)
	_, err := local.Start(context.Background(), local.Options{Local: env.Local{Addr: strings.TrimPrefix(taken.URL, "http://")}})
	if err == nil || !strings.Contains(err.Error(), env.Addr) {
		t.Errorf("error = %v, want one that names %s", err, env.Addr)
	}
}
