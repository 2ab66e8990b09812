package httpcall_test

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "20", 20 * time.Second},
		{"Retry-After", "1.5", 1500 * time.Millisecond},
		{"Retry-After", now.Add(time.Minute).Format(http.TimeFormat), time.Minute},
		{"Retry-After", now.Add(-time.Minute).Format(http.TimeFormat), 0},
		{"Retry-After", "-3", 0},
		{"Retry-After", "NaN", 0},
		{"Retry-After", "1e300", 24 * time.Hour},
		{"Retry-After", now.AddDate(1, 0, 0).Format(http.TimeFormat), 24 * time.Hour},
		{"Retry-After", "soon", 0},
		{"Retry-After-Ms", "250", 250 * time.Millisecond},
		{"X-Nothing", "", 0},
	} {
		h := http.Header{}
		h.Set(c.name, c.value)
		if got := httpcall.RetryAfter(h, now); got != c.want {
			t.Errorf("%s: %s = %v, want %v", c.name, c.value, got, c.want)
		}
	}
}

func TestOptionsOverlayOneAnother(t *testing.T) {
	t.Parallel()
	call := provider.Call{
		Data: []byte(`{"options":{"steps":1,"sampler":"a","scale":1.5},"family":"x"}`),
		Request: generation.Request{Options: map[string]json.RawMessage{
			"steps": []byte(`2`), "sampler": []byte(`"b"`), "vendor": []byte(`{"steps":3}`), "other": []byte(`{"steps":9}`),
		}},
	}
	var got struct {
		Steps   int     `json:"steps"`
		Sampler string  `json:"sampler"`
		Scale   float64 `json:"scale"`
	}
	if err := httpcall.Options(call, "vendor", &got); err != nil {
		t.Fatal(err)
	}
	if got.Steps != 3 || got.Sampler != "b" || got.Scale != 1.5 {
		t.Errorf("options = %+v", got)
	}
	for name, options := range map[string]map[string]json.RawMessage{
		"options.steps":  {"steps": []byte(`"many"`)},
		"options.vendor": {"vendor": []byte(`[]`)},
	} {
		call.Request.Options = options
		f := failure(t, httpcall.Options(call, "vendor", &got))
		if f.Class != fault.ClassInvalidInput || !strings.HasPrefix(f.Message, name+" ") {
			t.Errorf("%s: %v", name, f)
		}
	}
}

func TestParseDataURL(t *testing.T) {
	t.Parallel()
	data, err := httpcall.ParseDataURL("data:image/png;base64,aGVsbG8=")
	if err != nil || data.ContentType != "image/png" || string(data.Bytes) != "hello" {
		t.Errorf("data = %+v, %v", data, err)
	}
	for raw, class := range map[string]fault.Class{
		"https://a.example/a.png":     fault.ClassUnsupported,
		"data:image/png;base64":       fault.ClassUnsupported,
		"data:image/png,hello":        fault.ClassInvalidInput,
		"data:image/png;base64,%%%":   fault.ClassInvalidInput,
		"data:image/png;base64,":      fault.ClassInvalidInput,
		"data:im age;base64,aGVsbG8=": fault.ClassInvalidInput,
	} {
		_, err := httpcall.ParseDataURL(raw)
		if f := failure(t, err); f.Class != class {
			t.Errorf("%q: %v", raw, f)
		}
	}
}

func TestFormKeepsOrderAndTypes(t *testing.T) {
	t.Parallel()
	var parts []string
	client, url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		reader := multipart.NewReader(r.Body, params["boundary"])
		for {
			part, err := reader.NextPart()
			if err != nil {
				return
			}
			data, _ := io.ReadAll(part)
			parts = append(parts, part.FormName()+"|"+part.FileName()+"|"+part.Header.Get("Content-Type")+"|"+string(data))
		}
	})
	var form httpcall.Form
	form.Text("a", "1")
	form.Text("empty", "")
	form.File("image[]", httpcall.Data{ContentType: "image/jpeg", Bytes: []byte("x")})
	if _, err := client.Do(t.Context(), httpcall.Request{Method: http.MethodPost, URL: url, Body: form.Body()}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a|||1", "image[]|image.jpg|image/jpeg|x"}; !slices.Equal(parts, want) {
		t.Errorf("parts = %q, want %q", parts, want)
	}
}

func TestStreamReadsEventsAsTheyAre(t *testing.T) {
	t.Parallel()
	client, url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, ": a comment\r\nevent: x\r\ndata: one\r\n\r\ndata:two\ndata: three\n\nid: 7\n\ndata: last")
	})
	var got []string
	response, err := client.Stream(t.Context(), httpcall.Request{URL: url}, func(data []byte) error {
		got = append(got, string(data))
		return nil
	})
	if err != nil || !response.OK() {
		t.Fatal(err)
	}
	if want := []string{"one", "two\nthree", "last"}; !slices.Equal(got, want) {
		t.Errorf("events = %q, want %q", got, want)
	}
	stopped := 0
	_, err = client.Stream(t.Context(), httpcall.Request{URL: url}, func([]byte) error { stopped++; return httpcall.ErrStop })
	if err != nil || stopped != 1 {
		t.Errorf("ErrStop: %v after %d events", err, stopped)
	}
}

func TestAnEventThatNeverEndsIsRefused(t *testing.T) {
	t.Parallel()
	client, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("x", 1<<20)); err != nil {
				return
			}
		}
	})
	_, err := client.Stream(t.Context(), httpcall.Request{URL: url, Submits: true}, func([]byte) error { return nil })
	if f := failure(t, err); f.Class != fault.ClassBadAnswer || !f.Unknown {
		t.Errorf("failure = %v", f)
	}
}

func TestAfterPieces(t *testing.T) {
	t.Parallel()
	known := &fault.Failure{Class: fault.ClassModerated}
	if got := failure(t, httpcall.AfterPieces(known, true)); !got.Unknown || known.Unknown {
		t.Errorf("after a piece: %v; the original: %v", got, known)
	}
	if failure(t, httpcall.AfterPieces(known, false)).Unknown {
		t.Error("before the first piece nothing is unknown")
	}
	if err := httpcall.AfterPieces(io.EOF, true); !errors.Is(err, io.EOF) {
		t.Errorf("another error: %v", err)
	}
}

func TestMessagesAndPairs(t *testing.T) {
	t.Parallel()
	got := httpcall.Messages(generation.Request{System: "s", Prompt: "p", Messages: []generation.Message{{Role: "assistant", Content: "a"}}})
	want := []generation.Message{{Role: "system", Content: "s"}, {Role: "assistant", Content: "a"}, {Role: "user", Content: "p"}}
	if !slices.Equal(got, want) {
		t.Errorf("messages = %v", got)
	}
	for text, ok := range map[string]bool{"16:9": true, "16": false, ":": false, "0:9": false, "-1:9": false, "1e3:2": false, "9999999999:1": false} {
		if _, _, got := httpcall.ParsePair(text, ":"); got != ok {
			t.Errorf("ParsePair(%q) = %v", text, got)
		}
	}
	if httpcall.HashUser("") != "" || httpcall.HashUser("a") == httpcall.HashUser("b") || strings.Contains(httpcall.HashUser("alice"), "alice") {
		t.Error("HashUser is wrong")
	}
}
