package assets_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"easel/shared/assets"
	"easel/shared/assets/disk"
	"easel/shared/generation"
	"easel/shared/safehttp"
)

func TestPutURLStoresADownload(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := movieFile("isom", 320, 240, false, 12<<20)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream") // a claim that does not count
		_, _ = w.Write(file)
	}))
	t.Cleanup(server.Close)
	object, err := b.store.PutURL(t.Context(), localClient(t), server.URL+"/a.mp4?token=x", "fetched.mp4", assets.Limits{Kind: generation.Video})
	if err != nil {
		t.Fatal(err)
	}
	if object.ContentType != "video/mp4" || object.SHA256 != hashOf(file) || object.Width != 320 {
		t.Errorf("object = %+v", object)
	}
	if data, _ := b.read(t, "fetched.mp4"); !bytes.Equal(data, file) {
		t.Error("the bytes differ")
	}
}

func TestALyingContentTypeDoesNotCount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		_, _ = io.WriteString(w, "<html><script>alert(document.domain)</script></html>")
	}))
	t.Cleanup(server.Close)
	_, err := b.store.PutURL(t.Context(), localClient(t), server.URL, "lie", assets.Limits{})
	if !errors.Is(err, assets.ErrContentType) {
		t.Errorf("err = %v", err)
	}
	b.assertAbsent(t, "lie")
}

func TestATruncatedDownloadStoresNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := pngFile(t, 40, 40)
	for name, handler := range map[string]http.HandlerFunc{
		"content-length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(file)+1000))
			_, _ = w.Write(file)
		},
		"chunked": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(file)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				handler(w, r)
			}))
			t.Cleanup(server.Close)
			_, err := b.store.PutURL(t.Context(), localClient(t), server.URL, name, assets.Limits{})
			if !errors.Is(err, assets.ErrFetch) || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("err = %v", err)
			}
			if asked.Load() != 3 {
				t.Errorf("asked %d times, want 3", asked.Load())
			}
			b.assertAbsent(t, name)
		})
	}
}

func TestAnOversizeDownloadIsNotRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, announce := range map[string]bool{"announced": true, "streamed": false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if announce {
				w.Header().Set("Content-Length", strconv.Itoa(1<<30))
			}
			_, _ = w.Write(pngFile(t, 2, 2))
			_, _ = io.CopyN(w, zeros{}, 4<<20)
		}))
		_, err := b.store.PutURL(t.Context(), localClient(t), server.URL, name, assets.Limits{Kind: generation.Image, MaxBytes: 1 << 20})
		if !errors.Is(err, assets.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
		b.assertAbsent(t, name)
		server.CloseClientConnections()
		server.Close()
	}
}

func TestAPrivateAddressIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, target := range []string{"https://169.254.169.254/latest/meta-data", "http://127.0.0.1:1/x", "https://[fd00::1]/"} {
		_, err := b.store.PutURL(t.Context(), safehttp.New(safehttp.Options{}), target, "private", assets.Limits{})
		if !errors.Is(err, assets.ErrFetch) || !errors.Is(err, safehttp.ErrForbidden) {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestTheErrorDoesNotRepeatTheURL(t *testing.T) {
	t.Parallel()
	b := setup(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(gone.Close)
	for _, target := range []string{
		"https://10.0.0.1/?token=canary", "https://u:canary@example.com/", "http://127.0.0.1:1/canary", "://canary", gone.URL + "/canary",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := b.store.PutURL(ctx, localClient(t), target, "k", assets.Limits{})
		cancel()
		if err == nil || strings.Contains(err.Error(), "canary") || !errors.Is(err, assets.ErrFetch) {
			t.Errorf("%s: %v", target, err)
		}
	}
}

// script answers each request with the next of its answers.
type script struct {
	answers []any // a status, an error, or the bytes of a file
	header  http.Header
	asked   []time.Time
	sent    []http.Header
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := s.answers[min(len(s.asked), len(s.answers)-1)]
	s.asked, s.sent = append(s.asked, time.Now()), append(s.sent, r.Header.Clone())
	response := &http.Response{StatusCode: http.StatusOK, Header: s.header.Clone(), Request: r, ContentLength: -1, Body: http.NoBody}
	if response.Header == nil {
		response.Header = http.Header{}
	}
	switch answer := answer.(type) {
	case error:
		return nil, answer
	case int:
		response.StatusCode = answer
	case []byte:
		response.Body = io.NopCloser(bytes.NewReader(answer))
	case func(context.Context) error:
		return nil, answer(r.Context())
	}
	return response, nil
}

func TestDownloadsAreRetriedOnlyWhereItCanHelp(t *testing.T) {
	t.Parallel()
	file := pngFile(t, 6, 6)
	reset := errors.New("connection reset by peer")
	for name, c := range map[string]struct {
		answers []any
		tries   int
		status  int // of the FetchError, -1 for success
	}{
		"success at once":    {[]any{file}, 1, -1},
		"a reset, then fine": {[]any{reset, file}, 2, -1},
		"two 503, then fine": {[]any{503, 503, file}, 3, -1},
		"503 for ever":       {[]any{503}, 3, 503},
		"resets for ever":    {[]any{reset}, 3, 0},
		"429, then fine":     {[]any{429, file}, 2, -1},
		"404":                {[]any{404, file}, 1, 404},
		"403":                {[]any{403, file}, 1, 403},
		"a partial answer":   {[]any{206, file}, 1, 206},
		"not implemented":    {[]any{501, file}, 1, 501},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store, steps := inBubble(t), &script{answers: c.answers}
				object, err := store.PutURL(t.Context(), &http.Client{Transport: steps}, "https://cdn.example.com/x", "k", assets.Limits{})
				if len(steps.asked) != c.tries {
					t.Errorf("%d tries, want %d", len(steps.asked), c.tries)
				}
				if c.status == -1 {
					if err != nil || object.Width != 6 {
						t.Errorf("object = %+v, %v", object, err)
					}
					return
				}
				var failure *assets.FetchError
				if !errors.As(err, &failure) || failure.Status != c.status {
					t.Errorf("err = %v", err)
				}
			})
		})
	}
}

func TestPausesGrowAndHonourRetryAfter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header             http.Header
		firstMin, firstMax time.Duration
	}{
		"by itself":      {nil, 250 * time.Millisecond, 500 * time.Millisecond},
		"as asked":       {http.Header{"Retry-After": {"4"}}, 4 * time.Second, 4 * time.Second},
		"asked too much": {http.Header{"Retry-After": {"99999999"}}, 10 * time.Second, 10 * time.Second},
		"asked nonsense": {http.Header{"Retry-After": {"-5"}}, 250 * time.Millisecond, 500 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			steps := &script{answers: []any{503}, header: c.header}
			if _, err := inBubble(t).PutURL(t.Context(), &http.Client{Transport: steps}, "https://cdn.example.com/x", "k", assets.Limits{}); err == nil {
				t.Error("no error")
			}
			first, second := steps.asked[1].Sub(steps.asked[0]), steps.asked[2].Sub(steps.asked[1])
			if first < c.firstMin || first > c.firstMax || second < first && c.header == nil {
				t.Errorf("%s: pauses of %s and %s", name, first, second)
			}
		})
	}
}

func TestADownloadEndsAtItsTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		start := time.Now()
		steps := &script{answers: []any{hang}}
		_, err := inBubble(t).PutURL(t.Context(), &http.Client{Transport: steps}, "https://cdn.example.com/x", "k", assets.Limits{Timeout: 30 * time.Second})
		if !errors.Is(err, context.DeadlineExceeded) || len(steps.asked) != 1 || time.Since(start) != 30*time.Second {
			t.Errorf("err = %v after %d tries in %s", err, len(steps.asked), time.Since(start))
		}
	})
}

func TestPutRequestSendsItsHeaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		steps := &script{answers: []any{503, pngFile(t, 2, 2)}}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://files.example.com/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Goog-Api-Key", "k")
		if _, err := inBubble(t).PutRequest(t.Context(), &http.Client{Transport: steps}, request, "k", assets.Limits{}); err != nil {
			t.Fatal(err)
		}
		for i, header := range steps.sent {
			if header.Get("X-Goog-Api-Key") != "k" || header.Get("Accept-Encoding") != "identity" {
				t.Errorf("try %d: %v", i, header)
			}
		}
	})
}

func localClient(t *testing.T) *http.Client {
	t.Helper()
	client := safehttp.New(safehttp.Options{AllowLoopback: true})
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// inBubble returns a store without a network, for tests with a fake clock.
func inBubble(t *testing.T) *assets.Store {
	t.Helper()
	server, err := disk.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return assets.New(server.Client("http://assets.test", inProcess(server)), assets.Options{Bucket: disk.Bucket, SpoolDir: t.TempDir()})
}

// inProcess hands the client's requests to the server without a connection.
func inProcess(server http.Handler) func(*s3.Options) {
	return func(o *s3.Options) { o.HTTPClient = &http.Client{Transport: handlerTransport{server}} }
}

type handlerTransport struct{ handler http.Handler }

func (h handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	incoming := r.Clone(r.Context())
	incoming.RequestURI = r.URL.RequestURI()
	if incoming.Host == "" {
		incoming.Host = r.URL.Host
	}
	if r.ContentLength >= 0 {
		incoming.Header.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
	}
	if incoming.Body == nil {
		incoming.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	h.handler.ServeHTTP(recorder, incoming)
	response := recorder.Result()
	response.Request = r
	return response, nil
}
