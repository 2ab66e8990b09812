package custom_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/custom"
	"easel/shared/secret"
)

// submit sends a call to a server that answers with status and body.
func submit(t *testing.T, c provider.Call, status int, contentType, body string) (provider.Answer, *fault.Failure, *http.Request, string) {
	t.Helper()
	var got *http.Request
	var sent []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		sent, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	c.BaseURL, c.Key = server.URL, secret.New("secret-key-1234")
	answer, err := custom.New(server.Client()).Submit(t.Context(), c)
	if err == nil {
		return answer, nil, got, string(sent)
	}
	return answer, fault.FailureOf(err), got, string(sent)
}

func TestASyncAPIThatAnswersWithBase64(t *testing.T) {
	t.Parallel()
	c := call(t, "sync_image", "m", generation.Image)
	c.Request.N, c.Request.Image = 2, pixel
	answer, failure, r, body := submit(t, c, 200, "application/json", `{"pictures":["aGVsbG8=","aGk="]}`)
	if failure != nil || len(answer.Files) != 2 || string(answer.Files[0].Data) != "hello" || answer.Files[0].ContentType != "image/png" {
		t.Fatalf("answer = %+v, %v", answer, failure)
	}
	if r.URL.Query().Get("api_key") != "secret-key-1234" || r.Header.Get("X-Attempt") != "att_1" || r.Header.Get("Authorization") != "" {
		t.Errorf("request = %v %v", r.URL, r.Header)
	}
	for _, part := range []string{`name="text"`, "a lighthouse at dusk", `name="count"`, `name="init"; filename="init.png"`, "1024x1024"} {
		if !strings.Contains(body, part) {
			t.Errorf("the form lacks %s:\n%s", part, body)
		}
	}
	for name, x := range map[string]struct {
		status  int
		body    string
		class   fault.Class
		unknown bool
	}{
		"nothing":         {200, `{"pictures":[]}`, fault.ClassBadAnswer, true},
		"no base64":       {200, `{"pictures":["%"]}`, fault.ClassBadAnswer, true},
		"a refusal":       {200, `{"error":"unsafe prompt"}`, fault.ClassModerated, false},
		"a known crash":   {500, `{"error":"sorry"}`, fault.ClassUnavailable, false},
		"another's crash": {500, `sorry`, fault.ClassUnavailable, true},
	} {
		_, failure, _, _ := submit(t, c, x.status, "application/json", x.body)
		if failure == nil || failure.Class != x.class || failure.Unknown != x.unknown || strings.Contains(failure.Error(), "secret-key") {
			t.Errorf("%s: %v", name, failure)
		}
	}
}

func TestASyncAPIThatAnswersWithTheFileItself(t *testing.T) {
	t.Parallel()
	c := call(t, "sync_image", "m", generation.Image)
	c.Data = []byte(`{"mode":"sync","submit":{"method":"POST","path":"/draw","body":{"p":"{{prompt}}"}},"answer":{"type":"bytes"}}`)
	answer, failure, _, _ := submit(t, c, 200, "image/webp", "RIFF")
	if failure != nil || len(answer.Files) != 1 || answer.Files[0].ContentType != "image/webp" || answer.Usage.Images != 1 {
		t.Errorf("answer = %+v, %v", answer, failure)
	}
	_, failure, _, _ = submit(t, c, 200, "text/html", "<html>")
	if failure == nil || failure.Class != fault.ClassBadAnswer || !failure.Unknown {
		t.Errorf("a web page: %v", failure)
	}
}

func TestASyncAPIForText(t *testing.T) {
	t.Parallel()
	c := call(t, "sync_text", "m", generation.Text)
	warm := 0.5
	c.Request.System, c.Request.MaxTokens, c.Request.Temperature = "Be brief.", 9, &warm
	answer, failure, r, body := submit(t, c, 200, "application/json", `{"reply":"Yes."}`)
	if failure != nil || answer.Text != "Yes." || answer.FinishReason != "stop" || r.Header.Get("Authorization") != "" {
		t.Errorf("answer = %+v, %v", answer, failure)
	}
	want := `{"flags":["a"],"limit":9,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"a lighthouse at dusk"}],"warmth":"0.5"}`
	if body != want {
		t.Errorf("body = %s", body)
	}
}

// TestTheKeyIsSentToTrustedHostsOnly polls a job whose address the API named.
func TestTheKeyIsSentToTrustedHostsOnly(t *testing.T) {
	t.Parallel()
	c := call(t, "bfl", "flux-2-pro", generation.Image)
	c.BaseURL, c.Key = "http://127.0.0.1:1", secret.New("secret-key-1234")
	for _, address := range []string{"https://evil.example/x", "http://api.us1.bfl.ai/x", "https://api.us1.bfl.ai.evil.example/x", "https://x@api.us1.bfl.ai/x", "/relative", "%"} {
		_, err := custom.New(nil).Poll(t.Context(), c, provider.Job{ID: "b1", Handle: map[string]string{"poll_url": address}})
		if f := fault.FailureOf(err); f.Class != fault.ClassBadAnswer || f.Unknown {
			t.Errorf("%s: %v", address, f)
		}
	}
}

func TestAJobsIDCannotLeaveItsSegment(t *testing.T) {
	t.Parallel()
	c := call(t, "luma", "ray-3.2", generation.Video)
	var path string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.EscapedPath()
		_, _ = io.WriteString(w, `{"status":"queued"}`)
	}))
	t.Cleanup(server.Close)
	c.BaseURL = server.URL
	p := custom.New(server.Client())
	if _, err := p.Poll(t.Context(), c, provider.Job{ID: "../../admin?x=1#y"}); err != nil || path != "/v1/generations/..%2F..%2Fadmin%3Fx=1%23y" {
		t.Errorf("path = %s, %v", path, err)
	}
	for _, id := range []string{"", ".", ".."} {
		if _, err := p.Poll(t.Context(), c, provider.Job{ID: id}); fault.FailureOf(err).Class != fault.ClassUnsupported {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

func TestCancelIsDescribedOrUnsupported(t *testing.T) {
	t.Parallel()
	c := call(t, "luma", "ray-3.2", generation.Video)
	if err := custom.New(nil).Cancel(t.Context(), c, provider.Job{ID: "g1"}); fault.FailureOf(err).Class != fault.ClassUnsupported {
		t.Errorf("error = %v", err)
	}
	c.Data = []byte(strings.Replace(string(c.Data), `"mode": "async",`, `"mode":"async","cancel":{"method":"DELETE","path":"/v1/generations/{{job.id}}"},`, 1))
	for status, class := range map[int]fault.Class{204: "", 404: "", 409: "", 401: fault.ClassAuth, 502: fault.ClassUnavailable} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodDelete || r.URL.Path != "/v1/generations/g1" {
				t.Errorf("request = %s %s", r.Method, r.URL)
			}
			w.WriteHeader(status)
		}))
		t.Cleanup(server.Close)
		c.BaseURL = server.URL
		err := custom.New(server.Client()).Cancel(t.Context(), c, provider.Job{ID: "g1"})
		if (err == nil) != (class == "") || (err != nil && fault.FailureOf(err).Class != class) {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestWebhooksThatAreSigned(t *testing.T) {
	t.Parallel()
	const body = `{"task_id":"k1","task_status":"succeed","event":"e1"}`
	mac := hmac.New(sha256.New, []byte("hook-secret"))
	_, _ = io.WriteString(mac, body)
	sum := mac.Sum(nil)
	for name, x := range map[string]struct {
		hook, value string
		secret      secret.Value
		class       fault.Class
	}{
		"hex":       {`"signature":"hmac","header":"X-Sign","prefix":"sha256="`, "sha256=" + hex.EncodeToString(sum), secret.New("hook-secret"), ""},
		"base64":    {`"signature":"hmac","header":"X-Sign","encoding":"base64"`, base64.StdEncoding.EncodeToString(sum), secret.New("hook-secret"), ""},
		"no prefix": {`"signature":"hmac","header":"X-Sign","prefix":"sha256="`, hex.EncodeToString(sum), secret.New("hook-secret"), fault.ClassAuth},
		"forged":    {`"signature":"hmac","header":"X-Sign"`, hex.EncodeToString(sum), secret.New("another-secret"), fault.ClassAuth},
		"no secret": {`"signature":"hmac","header":"X-Sign"`, hex.EncodeToString(sum), secret.Value{}, fault.ClassAuth},
		"no header": {`"signature":"hmac","header":"X-Sign"`, "", secret.New("hook-secret"), fault.ClassAuth},
		"standard":  {`"signature":"standard"`, "", secret.New("hook-secret"), fault.ClassAuth},
	} {
		data := strings.Replace(string(described(t, "kling")), `"signature": "none"`, x.hook+`,"id":"event"`, 1)
		header := http.Header{}
		header.Set("X-Sign", x.value)
		got, err := custom.New(nil).Notice(t.Context(), provider.Message{
			Header: header.Get, Body: []byte(body), Secret: x.secret, Data: []byte(data),
		})
		if x.class != "" {
			if err == nil || fault.FailureOf(err).Class != x.class {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			continue
		}
		if want := (provider.Notice{ID: "e1", Job: "k1", Final: true}); err != nil || got != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
