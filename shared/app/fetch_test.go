package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"easel/shared/fault"
	"easel/shared/safehttp"
)

// pages serves what a caller's URL may name.
func pages(t *testing.T) *httptest.Server {
	t.Helper()
	serve := func(body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }
	}
	mux := http.NewServeMux()
	mux.Handle("/a.png", serve(picture(t, 8)))
	mux.Handle("/page", serve([]byte("<html><body>hello</body></html>")))
	mux.Handle("/empty", serve(nil))
	mux.Handle("/half", serve(picture(t, 8)[:20]))
	mux.Handle("/moved", http.RedirectHandler("/a.png", http.StatusFound))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.Handle("/metadata", http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusFound))
	mux.Handle("/private", http.RedirectHandler("https://10.0.0.7/secret.png", http.StatusFound))
	mux.Handle("/gone", http.NotFoundHandler())
	mux.HandleFunc("/announced", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "30000000") })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(picture(t, 8))
		for chunk := make([]byte, 1<<20); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("\x89PNG"))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func TestAnImageByURLIsKeptLikeAnUpload(t *testing.T) {
	t.Parallel()
	i, server := newImages(t), pages(t)
	want, err := i.Upload(t.Context(), "acc_1", "image", picture(t, 8))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/a.png", "/moved"} {
		if got, err := i.Fetch(t.Context(), "acc_1", "image", server.URL+path); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
}

func TestAnImageThatCannotBeFetchedIsTheCallersMistake(t *testing.T) {
	t.Parallel()
	i, server := newImages(t), pages(t)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for url, reason := range map[string]string{
		server.URL + "/page":      "is not a png, jpeg, webp or gif image",
		server.URL + "/empty":     "is not a png, jpeg, webp or gif image",
		server.URL + "/half":      "is damaged",
		server.URL + "/gone":      "status 404",
		server.URL + "/loop":      "redirects too often",
		server.URL + "/metadata":  "not allowed",
		server.URL + "/private":   "not allowed",
		server.URL + "/announced": "more than 20 MiB",
		server.URL + "/endless":   "more than 20 MiB",
		server.URL + "/broken":    "broke off",
		closed.URL:                "cannot be reached",
		"https://169.254.169.254": "not allowed",
		"https://192.168.1.1/a":   "not allowed",
	} {
		_, err := i.Fetch(t.Context(), "acc_1", "mask", url)
		wrong, ok := errors.AsType[*fault.Error](err)
		if !ok || wrong.Code != fault.InvalidInput || len(wrong.Fields) != 1 || wrong.Fields[0].Name != "mask" || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want one that says %q of mask", url, err, reason)
			continue
		}
		for _, inside := range []string{"169.254", "10.0.0.7", "192.168", "127.0.0.1", "meta-data"} {
			if strings.Contains(err.Error(), inside) {
				t.Errorf("%s: the error tells of %s: %v", url, inside, err)
			}
		}
	}
}

func TestADeployedGatewayFetchesNothingFromItsOwnMachine(t *testing.T) {
	t.Parallel()
	i, server := newImages(t), pages(t)
	i.client = safehttp.New(safehttp.Options{})
	if _, err := i.Fetch(t.Context(), "acc_1", "image", server.URL+"/a.png"); fault.CodeOf(err) != fault.InvalidInput || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("error = %v", err)
	}
}

// slow answers at once with a body that comes to no end until its context does.
type slow struct{}

func (slow) RoundTrip(r *http.Request) (*http.Response, error) {
	reader, writer := io.Pipe()
	context.AfterFunc(r.Context(), func() { _ = writer.CloseWithError(context.Cause(r.Context())) })
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: reader, ContentLength: -1, Request: r}, nil
}

func TestASlowImageIsGivenUpAfterTenSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := images{client: &http.Client{Transport: slow{}}}
		started := time.Now()
		_, err := i.Fetch(t.Context(), "acc_1", "image", "https://example.com/a.png")
		if took := time.Since(started); took != fetchTime || fault.CodeOf(err) != fault.InvalidInput || !strings.Contains(err.Error(), "within 10 seconds") {
			t.Errorf("%v after %s", err, took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := i.Fetch(ctx, "acc_1", "image", "https://example.com/a.png"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v, want that of the request's own end", err)
		}
	})
}
