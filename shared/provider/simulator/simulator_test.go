package simulator_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	_ "golang.org/x/image/webp"

	"easel/shared/provider/simulator"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// bench is a running simulator and a client for it.
type bench struct {
	t   *testing.T
	sim *simulator.Server
	url string
}

func setup(t *testing.T, opts simulator.Options) *bench {
	t.Helper()
	opts.WebhookSecret, opts.Draft = secret, true
	sim := simulator.New(opts)
	server := httptest.NewServer(sim)
	t.Cleanup(func() {
		sim.Close()
		server.Close()
	})
	return &bench{t, sim, server.URL}
}

// reply is an answer read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatalf("not a JSON object: %v\n%.300s", err, r.body)
	}
	return v
}

// request is one call; header pairs follow the body.
func (b *bench) request(method, path string, body io.Reader, header ...string) (reply, error) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer key")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, data}, err
}

func (b *bench) post(path, body string, header ...string) reply {
	b.t.Helper()
	got, err := b.request(http.MethodPost, path, strings.NewReader(body), append([]string{"Content-Type", "application/json"}, header...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

func (b *bench) get(path string, header ...string) reply {
	b.t.Helper()
	got, err := b.request(http.MethodGet, strings.TrimPrefix(path, b.url), nil, header...)
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

// form builds a multipart body of text fields; files are "name" and data pairs.
func form(t *testing.T, fields map[string]string, files ...[]byte) (body string, contentType string) {
	t.Helper()
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	for _, data := range files {
		part, err := w.CreateFormFile("image", "in.png")
		if err == nil {
			_, err = part.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String(), w.FormDataContentType()
}

// picture decodes a file and checks its format and size.
func picture(t *testing.T, data []byte, format string, width, height int) {
	t.Helper()
	img, got, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("not a picture: %v", err)
	}
	if size := img.Bounds().Size(); got != format || size != image.Pt(width, height) {
		t.Errorf("got %s of %v, want %s of %dx%d", got, size, format, width, height)
	}
}

func (b *bench) fault(provider string, f simulator.Fault) {
	b.t.Helper()
	if err := b.sim.SetFault(provider, f); err != nil {
		b.t.Fatal(err)
	}
}

func submits(b *bench, provider string, want int64) {
	b.t.Helper()
	if got := b.sim.Stats(provider).Submits; got != want {
		b.t.Errorf("%s counts %d submits, want %d", provider, got, want)
	}
}

// eventually polls until the condition holds or the test's patience ends.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	limit := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%s did not happen", what)
		}
	}
}

func TestFaultsNameTheWrongField(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	for name, tc := range map[string]struct {
		provider string
		fault    simulator.Fault
		field    string
	}{
		"unknown fault":    {simulator.OpenAI, simulator.Fault{Fault: "explode"}, "fault"},
		"negative times":   {simulator.OpenAI, simulator.Fault{Fault: simulator.Hang, Times: -1}, "times"},
		"negative delay":   {simulator.OpenAI, simulator.Fault{Fault: simulator.Hang, DelayMS: -1}, "delay_ms"},
		"unknown class":    {simulator.OpenAI, simulator.Fault{Fault: simulator.Hang, On: "mondays"}, "on"},
		"unknown provider": {"acme", simulator.Fault{Fault: simulator.Hang}, "provider"},
	} {
		var field *simulator.FieldError
		if err := b.sim.SetFault(tc.provider, tc.fault); !errors.As(err, &field) || field.Field != tc.field {
			t.Errorf("%s: got %v, want an error about %q", name, err, tc.field)
		}
	}
}
