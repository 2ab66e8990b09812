package rehearsal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	_ "image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"easel/rehearsal"
	"easel/shared/dynamo/engine"
	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/provider/simulator"
)

const root = ".."

// binaries builds every function once for the test binary.
var binaries = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "easel-rehearsal-")
	if err != nil {
		return "", err
	}
	return folder, rehearsal.Build(context.Background(), root, folder, rehearsal.Built(root))
})

func TestMain(m *testing.M) {
	code := m.Run()
	if folder, err := binaries(); err == nil && code == 0 {
		_ = os.RemoveAll(folder)
	}
	os.Exit(code)
}

// stage is a running deployment and who asks it.
type stage struct {
	*rehearsal.Deployment
	rehearsal.Caller

	t testing.TB
}

// deploy starts a deployment of the template's; the schedule fires each second.
func deploy(tb testing.TB) *stage {
	tb.Helper()
	binary, err := engine.Find(os.Getenv("EASEL_DYNOXIDE"))                              //nolint:forbidigo // where make put the engine
	if errors.Is(err, engine.ErrNotInstalled) && os.Getenv("EASEL_SKIP_ENGINE") == "1" { //nolint:forbidigo // as enginetest
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	folder, err := binaries()
	if err != nil {
		tb.Fatal(err)
	}
	template, err := rehearsal.ReadTemplate(filepath.Join("testdata", "template.json"))
	if err != nil {
		tb.Fatal(err)
	}
	options := rehearsal.Options{
		Template: template, Binaries: folder, Folder: tb.TempDir(), Engine: binary, TickEvery: time.Second, Log: logOf(tb),
	}
	d, err := rehearsal.Start(tb.Context(), options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := d.Close(); err != nil {
			tb.Error(err)
		}
	})
	caller, err := d.Seed(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return &stage{d, caller, tb}
}

// logOf keeps what the functions write for a test that fails.
func logOf(tb testing.TB) io.Writer {
	tb.Helper()
	var mu sync.Mutex
	var lines bytes.Buffer
	tb.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if tb.Failed() {
			all := lines.String()
			tb.Log(all[max(0, len(all)-maxShown):])
		}
	})
	return writer(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return lines.Write(p)
	})
}

const maxShown = 8 << 10

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

type answered struct {
	status int
	header http.Header
	body   []byte
}

func (s *stage) ask(method, path, key string, body any, headers ...string) answered {
	s.t.Helper()
	response := s.open(method, path, key, body, headers...)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answered{response.StatusCode, response.Header, content}
}

func (s *stage) open(method, path, key string, body any, headers ...string) *http.Response {
	s.t.Helper()
	var content io.Reader = http.NoBody
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, content)
	if err != nil {
		s.t.Fatal(err)
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	return response
}

// taskView is a task as its caller sees it.
type taskView struct {
	ID, Status string
	Outputs    []struct {
		URL         string
		ContentType string `json:"content_type"`
	}
	Credits  struct{ Reserved, Charged int64 }
	Error    *struct{ Code, Message string }
	Attempts []struct{ Provider, Outcome, Class string }
}

func (s *stage) read(a answered) taskView {
	s.t.Helper()
	var v taskView
	if a.status >= http.StatusBadRequest {
		s.t.Fatalf("the gateway answered %d: %s", a.status, a.body)
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		s.t.Fatalf("%v in %s", err, a.body)
	}
	return v
}

// refusal checks that what the gateway itself answers has both our form and that
// of OpenAI, and names the request.
func (s *stage) refusal(a answered, status int) {
	s.t.Helper()
	var body struct {
		Type, Title, Detail string
		Code                fault.Code
		Status              int
		RequestID           string `json:"request_id"`
		Error               struct {
			Message, Type string
			Code          fault.Code
		}
	}
	if err := json.Unmarshal(a.body, &body); err != nil || a.status != status || body.Status != status {
		s.t.Fatalf("answered %d, %v: %s", a.status, err, a.body)
	}
	if httpapi.Status(body.Code) != status || body.Type != "urn:easel:problem:"+string(body.Code) || body.Detail == "" {
		s.t.Errorf("the problem is %s", a.body)
	}
	if body.Error.Code != body.Code || body.Error.Message != body.Detail || body.Error.Type == "" {
		s.t.Errorf("OpenAI's clients get %s", a.body)
	}
	if id := a.header.Get(httpapi.RequestIDHeader); id == "" || id != body.RequestID || a.header.Get("Content-Type") != "application/problem+json" {
		s.t.Errorf("the headers are %v, the request id is %q", a.header, body.RequestID)
	}
}

// submit asks for a generation and does not wait for it.
func (s *stage) submit(body map[string]any) string {
	s.t.Helper()
	return s.read(s.ask(http.MethodPost, "/api/generate", s.Key, body, "Prefer", "respond-async")).ID
}

// end follows a task until it has ended.
func (s *stage) end(id string, within time.Duration) taskView {
	s.t.Helper()
	var v taskView
	for deadline := time.Now().Add(within); time.Now().Before(deadline); <-time.After(100 * time.Millisecond) {
		v = s.read(s.ask(http.MethodGet, "/api/task/"+id, s.Key, nil))
		if v.Status != "queued" && v.Status != "processing" {
			return v
		}
	}
	s.t.Fatalf("task %s is still %s after %s: %+v", id, v.Status, within, v)
	return v
}

// paid checks that the account was charged so much and nothing is held.
func (s *stage) paid(credits int64) {
	s.t.Helper()
	var b struct{ Granted, Available, Reserved, Spent int64 }
	if err := json.Unmarshal(s.ask(http.MethodGet, "/api/account", s.Key, nil).body, &b); err != nil {
		s.t.Fatal(err)
	}
	if b.Spent != credits || b.Reserved != 0 || b.Granted != b.Available+b.Spent {
		s.t.Errorf("balance = %+v, want %d spent and nothing reserved", b, credits)
	}
}

// picture fetches a task's first output by its signed URL.
func (s *stage) file(v taskView) []byte {
	s.t.Helper()
	if v.Status != "succeeded" || len(v.Outputs) == 0 {
		s.t.Fatalf("task = %+v", v)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, v.Outputs[0].URL, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("the output answered %d, %v", response.StatusCode, err)
	}
	return data
}

func (s *stage) fault(provider string, f simulator.Fault) {
	s.t.Helper()
	if err := s.Simulator.SetFault(provider, f); err != nil {
		s.t.Fatal(err)
	}
}

// batch sends the requests as one batch, waits for its end, and returns what it cost.
func (s *stage) batch(requests ...map[string]any) (charged int64) {
	s.t.Helper()
	a := s.ask(http.MethodPost, "/api/batches", s.Key, map[string]any{"requests": requests})
	var v struct {
		ID, Status string
		Counts     struct{ Succeeded int }
		Credits    struct{ Charged int64 }
	}
	if err := json.Unmarshal(a.body, &v); err != nil || a.status != http.StatusAccepted {
		s.t.Fatalf("answered %d: %s, %v", a.status, a.body, err)
	}
	for deadline := time.Now().Add(2 * time.Minute); v.Status != "completed"; <-time.After(200 * time.Millisecond) {
		a = s.ask(http.MethodGet, "/api/batches/"+v.ID, s.Key, nil)
		if err := json.Unmarshal(a.body, &v); err != nil || a.status != http.StatusOK || time.Now().After(deadline) {
			s.t.Fatalf("answered %d: %s, %v", a.status, a.body, err)
		}
	}
	items := s.ask(http.MethodGet, "/api/batches/"+v.ID+"/items?status=succeeded", s.Key, nil)
	if v.Counts.Succeeded != len(requests) || bytes.Count(items.body, []byte(`"task":"task_`)) != len(requests) {
		s.t.Errorf("the batch is %s, its items %s", a.body, items.body)
	}
	return v.Credits.Charged
}

// The steps of one caller, one after another: each counts what the account paid so far.
//
//nolint:paralleltest,tparallel // they share the deployment and its balance
func TestADeploymentServesEveryKindOfRequest(t *testing.T) {
	t.Parallel()
	s := deploy(t)

	t.Run("health needs no key", func(t *testing.T) {
		if a := s.ask(http.MethodGet, "/healthz", "", nil); a.status != http.StatusOK {
			t.Errorf("health answered %d: %s", a.status, a.body)
		}
	})
	t.Run("a stranger is refused by the function", func(t *testing.T) {
		if a := s.ask(http.MethodPost, "/api/generate", "", map[string]any{"prompt": "x"}); a.status != http.StatusUnauthorized {
			t.Errorf("answered %d: %s", a.status, a.body)
		}
	})
	t.Run("a path outside the template is not there", func(t *testing.T) {
		s.refusal(s.ask(http.MethodGet, "/api/nothing", s.Key, nil), http.StatusNotFound)
		s.refusal(s.ask(http.MethodDelete, "/v1/models", s.Key, nil), http.StatusNotFound)
	})
	t.Run("a body that the gateway does not take is refused as the functions would", func(t *testing.T) {
		s.refusal(s.ask(http.MethodPost, "/v1/images/generations", s.Key, strings.Repeat("x", 11<<20)), http.StatusRequestEntityTooLarge)
	})
	spent := int64(0)
	t.Run("a picture that the caller waits for", func(t *testing.T) {
		v := s.read(s.ask(http.MethodPost, "/api/generate", s.Key, map[string]any{"prompt": "a lighthouse at dusk"}, "Prefer", "wait=60"))
		v = s.end(v.ID, time.Minute)
		if _, _, err := image.Decode(bytes.NewReader(s.file(v))); err != nil && v.Outputs[0].ContentType == "image/png" {
			t.Errorf("the output is no picture: %v", err)
		}
		spent += v.Credits.Charged
		s.paid(spent)
	})
	t.Run("a picture by the queue, the worker and a webhook", func(t *testing.T) {
		before := s.Simulator.Stats(simulator.Replicate).WebhooksDelivered
		v := s.end(s.submit(map[string]any{"prompt": "a lighthouse at dusk"}), time.Minute)
		if len(s.file(v)) == 0 {
			t.Error("the output is empty")
		}
		if got := s.Simulator.Stats(simulator.Replicate).WebhooksDelivered; got == before {
			t.Error("no webhook was delivered")
		}
		spent += v.Credits.Charged
		s.paid(spent)
	})
	t.Run("a video", func(t *testing.T) {
		v := s.end(s.submit(map[string]any{"model": "auto-video", "prompt": "waves"}), 2*time.Minute)
		if v.Outputs == nil || !strings.HasPrefix(v.Outputs[0].ContentType, "video/") || len(s.file(v)) == 0 {
			t.Errorf("task = %+v", v)
		}
		spent += v.Credits.Charged
		s.paid(spent)
	})
	t.Run("a batch", func(t *testing.T) {
		spent += s.batch(map[string]any{"prompt": "a boat"}, map[string]any{"prompt": "a bridge", "custom_id": "second"})
		s.paid(spent)
	})
	t.Run("a text that is streamed", func(t *testing.T) {
		response := s.open(http.MethodPost, "/api/prompt", s.Key, map[string]any{"prompt": "say something", "stream": true})
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
			t.Fatalf("answered %d %s: %v: %s", response.StatusCode, response.Header, err, body)
		}
		if n := bytes.Count(body, []byte("data:")); n < 2 {
			t.Errorf("the stream has %d events: %s", n, body)
		}
	})
	t.Run("a forged webhook changes nothing", func(t *testing.T) {
		a := s.ask(http.MethodPost, "/api/webhooks/replicate?task=task_x&attempt=att_x", "", map[string]any{"status": "succeeded"}, "Webhook-Signature", "v1,Zm9yZ2Vk")
		if a.status != http.StatusUnauthorized && a.status != http.StatusNotFound {
			t.Errorf("answered %d: %s", a.status, a.body)
		}
	})
	t.Run("an operator reads the configs", func(t *testing.T) {
		if !s.Has(env.Admin) {
			t.Skip("the admin function is not in this tree")
		}
		if a := s.ask(http.MethodGet, "/api/admin/configs", s.Admin, nil); a.status != http.StatusOK || !bytes.Contains(a.body, []byte("cfg_replicate")) {
			t.Errorf("answered %d: %s", a.status, a.body)
		}
		a := s.ask(http.MethodGet, "/api/admin/settings", s.Admin, nil)
		if !bytes.Contains(a.body, []byte(`"asset_origin":"http://127.0.0.1:`)) || !bytes.Contains(a.body, []byte(`"region":"us-east-1"`)) {
			t.Errorf("the deployment says of itself: %s", a.body)
		}
	})
	t.Run("the schedule's event is one that the worker knows", func(t *testing.T) {
		if err := s.Tick(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
