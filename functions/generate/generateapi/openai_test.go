package generateapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"easel/shared/apikey"
	"easel/shared/fault"
	"easel/shared/intake/intaketest"
	"easel/shared/provider"
)

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// postForm sends a form; a name that starts with @ is a file.
func (b *bundle) postForm(t *testing.T, path string, fields map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range fields {
		file, isFile := strings.CutPrefix(name, "@")
		if !isFile {
			_ = form.WriteField(name, value)
			continue
		}
		part, err := form.CreateFormFile(file, "file.png")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write([]byte(value))
	}
	_ = form.Close()
	return b.Do(t, b.handler, http.MethodPost, path, body.String(), "Content-Type", form.FormDataContentType())
}

func first(t *testing.T, m map[string]any) map[string]any {
	t.Helper()
	data, _ := m["data"].([]any)
	if len(data) == 0 {
		t.Fatalf("answer = %v, want data", m)
	}
	one, _ := data[0].(map[string]any)
	return one
}

func TestOpenAIImages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.post(t, "/v1/images/generations", `{"prompt":"a","n":2,"size":"auto","quality":"standard","moderation":"low"}`)
	wantStatus(t, w, http.StatusOK)
	m := object(t, w)
	if data, _ := m["data"].([]any); len(data) != 2 || !strings.HasPrefix(first(t, m)["url"].(string), "https://assets.example/") || m["created"] == nil {
		t.Errorf("answer = %v", m)
	}
	for _, body := range []string{`{"prompt":"a","model":"gpt-image-1"}`, `{"prompt":"a","response_format":"b64_json"}`} {
		m = object(t, b.post(t, "/v1/images/generations", body))
		if first(t, m)["b64_json"] != base64.StdEncoding.EncodeToString([]byte("picture")) || first(t, m)["url"] != nil {
			t.Errorf("answer = %v", m)
		}
	}
	if got := b.Balance(t).Spent; got != 40 {
		t.Errorf("spent = %d, want 40", got)
	}
}

func TestOpenAIImagesTranslateTheRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	wantStatus(t, b.post(t, "/v1/images/generations",
		`{"prompt":"a","model":"painter","quality":"hd","output_format":"webp","background":"transparent","style":"vivid","size":"1024x1024"}`), http.StatusOK)
	r := b.Provider.Calls()[0].Request
	if r.Quality != "high" || r.Format != "webp" || string(r.Options["background"]) != `"transparent"` || string(r.Options["style"]) != `"vivid"` || r.Size != "1024x1024" {
		t.Errorf("request = %+v", r)
	}
}

func TestOpenAIEdit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	image := string(picture(t))
	w := b.postForm(t, "/v1/images/edits", map[string]string{"prompt": "add a boat", "model": "painter", "@image": image, "@mask": image, "n": "1"})
	wantStatus(t, w, http.StatusOK)
	r := b.Provider.Calls()[0].Request
	if !strings.HasPrefix(r.Image, "data:image/png;base64,") || r.Mask != r.Image {
		t.Errorf("request = %+v", r)
	}
	for name, fields := range map[string]map[string]string{
		"image":  {"prompt": "a"},
		"mask":   {"prompt": "a", "@image": image, "@mask": "<svg/>"},
		"n":      {"prompt": "a", "@image": image, "n": "two"},
		"prompt": {"@image": image},
		"stream": {"prompt": "a", "@image": image, "stream": "true"},
	} {
		b := setup(t)
		w := b.postForm(t, "/v1/images/edits", fields)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"param":"`+name+`"`) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		b.WantUntouched(t)
	}
	w = b.postForm(t, "/v1/images/edits", map[string]string{"prompt": "a", "@image": strings.Repeat("x", 11<<20)})
	wantStatus(t, w, http.StatusRequestEntityTooLarge)
	w = b.post(t, "/v1/images/edits", `{"prompt":"a"}`)
	wantStatus(t, w, http.StatusUnsupportedMediaType)
}

func TestOpenAIErrors(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"prompt":"a","model":"nope"}`:            `"code":"model_not_found"`,
		`{"prompt":""}`:                            `"param":"prompt"`,
		`{"prompt":"a","n":11}`:                    `"param":"n"`,
		`{"prompt":"a","response_format":"x"}`:     `"param":"response_format"`,
		`{"prompt":"a","stream":true}`:             `"param":"stream"`,
		`{"prompt":7}`:                             `"param":"prompt"`,
		`{"prompt":"a","model":"orphan"}`:          `"code":"unavailable"`,
		`{"prompt":"a","n":4,"size":"1024x1024"} `: `"code":"insufficient_credits"`,
	} {
		b := setup(t)
		b.Config.Models[0].Price.Credits = 26
		w := b.post(t, "/v1/images/generations", body)
		if w.Code < 400 || w.Header().Get("Content-Type") != "application/json" || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s, want %s", body, w.Code, w.Body, want)
		}
		b.WantUntouched(t)
	}
	b := setup(t)
	b.Provider.OnSubmit = func(context.Context, provider.Call) (provider.Answer, error) {
		return provider.Answer{}, &fault.Failure{Class: fault.ClassModerated}
	}
	w := b.post(t, "/v1/images/generations", `{"prompt":"a"}`)
	if w.Code != http.StatusUnprocessableEntity || w.Header().Get("X-Should-Retry") != "false" || !strings.Contains(w.Body.String(), "content_rejected") {
		t.Errorf("moderated: %d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestOpenAIModels(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.get(t, "/v1/models")
	if !strings.Contains(w.Body.String(), `"id":"gpt-image-1"`) || !strings.Contains(w.Body.String(), `"id":"writer"`) {
		t.Errorf("models = %s", w.Body)
	}
	if m := object(t, b.get(t, "/v1/models/gpt-image-1")); m["id"] != "gpt-image-1" || m["object"] != "model" {
		t.Errorf("model = %v", m)
	}
	wantStatus(t, b.get(t, "/v1/models/nope"), http.StatusNotFound)
}

func TestOpenAIVideos(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, send := range []func() *httptest.ResponseRecorder{
		func() *httptest.ResponseRecorder {
			return b.post(t, "/v1/videos", `{"prompt":"waves","model":"mover","seconds":"4"}`)
		},
		func() *httptest.ResponseRecorder {
			return b.postForm(t, "/v1/videos", map[string]string{"prompt": "waves", "model": "mover", "seconds": "4", "@input_reference": string(picture(t))})
		},
	} {
		w := send()
		wantStatus(t, w, http.StatusOK)
		m := object(t, w)
		id, _ := m["id"].(string)
		if m["object"] != "video" || m["status"] != "queued" || m["seconds"] != "4" || m["progress"] != 0.0 {
			t.Errorf("video = %v", m)
		}
		wantStatus(t, b.get(t, "/v1/videos/"+id+"/content"), http.StatusConflict)
		b.Work(t)
		if m := object(t, b.get(t, "/v1/videos/"+id)); m["status"] != "completed" || m["progress"] != 100.0 || m["completed_at"] == nil {
			t.Errorf("video = %v", m)
		}
		content := b.get(t, "/v1/videos/"+id+"/content")
		if content.Header().Get("Content-Type") != "video/mp4" || content.Body.String() != "picture" {
			t.Errorf("content = %v %s", content.Header(), content.Body)
		}
		wantStatus(t, b.Do(t, b.handler, http.MethodDelete, "/v1/videos/"+id, ""), http.StatusConflict)
		stranger := b.get(t, "/v1/videos/"+id, "Authorization", "Bearer "+b.NewKey("acc_2", apikey.Generate))
		wantStatus(t, stranger, http.StatusNotFound)
	}
	if !strings.HasPrefix(b.Provider.Calls()[1].Request.Image, "data:image/png") || b.Balance(t).Spent != 16 {
		t.Errorf("calls = %+v", b.Provider.Calls())
	}
}

func TestOpenAIVideoIsDeletedWhileItIsMade(t *testing.T) {
	t.Parallel()
	b := setup(t)
	m := object(t, b.post(t, "/v1/videos", `{"prompt":"waves","model":"mover","seconds":4}`))
	for range 2 {
		w := b.Do(t, b.handler, http.MethodDelete, "/v1/videos/"+m["id"].(string), "")
		if wantStatus(t, w, http.StatusOK); object(t, w)["deleted"] != true {
			t.Errorf("answer = %s", w.Body)
		}
	}
	if got := object(t, b.get(t, "/v1/videos/"+m["id"].(string))); got["status"] != "failed" || got["error"] == nil {
		t.Errorf("video = %v", got)
	}
	if b.Balance(t).Available != intaketest.Credits {
		t.Errorf("balance = %+v", b.Balance(t))
	}
	for _, body := range []string{`{"prompt":"a","seconds":"many"}`, `{"prompt":"a","seconds":0}`, `{"prompt":"a","seconds":{}}`} {
		w := b.post(t, "/v1/videos", body)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"param":"seconds"`) {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}
