package disk_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"easel/shared/assets/disk"
)

func TestEveryRequestMustBeSignedByOurClient(t *testing.T) {
	t.Parallel()
	server, other := newServer(t), newServer(t)
	for name, change := range map[string]func(*http.Request){
		"unsigned":       func(r *http.Request) { r.Header.Del("Authorization") },
		"another method": func(r *http.Request) { r.Method = http.MethodDelete },
		"another path":   func(r *http.Request) { r.URL.Path += "x"; r.RequestURI = r.URL.RequestURI() },
		"another host":   func(r *http.Request) { r.Host = "evil.example" },
		"another hash":   func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", strings.Repeat("0", 64)) },
		"another date": func(r *http.Request) {
			r.Header.Set("X-Amz-Date", time.Now().UTC().Add(time.Second).Format("20060102T150405Z"))
		},
		"no scope": func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x,SignedHeaders=host,Signature=00")
		},
		"host not signed":     func(r *http.Request) { replaceAuthorization(r, "host;", "") },
		"an empty signature":  func(r *http.Request) { replaceAuthorization(r, "Signature=", "Signature=,X=") },
		"a basic credential":  func(r *http.Request) { r.SetBasicAuth("a", "b") },
		"an added query part": func(r *http.Request) { r.RequestURI += "&acl" },
	} {
		if status := put(t, server, server, change); status != http.StatusForbidden {
			t.Errorf("%s: status %d", name, status)
		}
	}
	if status := put(t, server, other, nil); status != http.StatusForbidden {
		t.Errorf("another server's client: status %d", status)
	}
	if status := put(t, server, server, nil); status != http.StatusOK {
		t.Errorf("unchanged: status %d", status)
	}
}

func TestASignedURLEndsWithItsLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t)
		if status := put(t, server, server, nil); status != http.StatusOK {
			t.Fatalf("put: status %d", status)
		}
		bucket, key := disk.Bucket, "a/b c.png"
		presign := s3.NewPresignClient(server.Client("http://assets.test"))
		signed, err := presign.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key}, s3.WithPresignExpires(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			pause  time.Duration
			status int
		}{{0, http.StatusOK}, {time.Minute, http.StatusOK}, {time.Second, http.StatusForbidden}, {24 * time.Hour, http.StatusForbidden}} {
			<-time.After(step.pause)
			recorder := httptest.NewRecorder()
			server.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, signed.URL, nil))
			if recorder.Code != step.status {
				t.Errorf("after another %s: status %d, want %d", step.pause, recorder.Code, step.status)
			}
			if recorder.Code == http.StatusOK && recorder.Body.String() != "content" {
				t.Errorf("body = %q", recorder.Body)
			}
		}
	})
}

func TestRequestsWithAWrongClockAreRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t)
		for _, c := range []struct {
			late   time.Duration
			status int
		}{{14 * time.Minute, http.StatusOK}, {16 * time.Minute, http.StatusForbidden}} {
			status := put(t, server, server, func(*http.Request) { <-time.After(c.late) })
			if status != c.status {
				t.Errorf("%s late: status %d, want %d", c.late, status, c.status)
			}
		}
	})
}

func TestNewRefusesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	if _, err := disk.New(""); err == nil {
		t.Error("no folder was accepted")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "credentials.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.New(dir); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("damaged credentials: %v", err)
	}
}

func newServer(t *testing.T) *disk.Server {
	t.Helper()
	server, err := disk.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// put sends an object to server, signed by signer's client and then changed, and
// returns the status.
func put(t *testing.T, server, signer *disk.Server, change func(*http.Request)) int {
	t.Helper()
	status := 0
	client := signer.Client("http://assets.test", func(o *s3.Options) {
		o.RetryMaxAttempts = 1
		o.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
			incoming := r.Clone(r.Context())
			incoming.RequestURI, incoming.Host = r.URL.RequestURI(), r.URL.Host
			incoming.Header.Set("Content-Length", "7")
			if change != nil {
				change(incoming)
			}
			recorder := httptest.NewRecorder()
			server.ServeHTTP(recorder, incoming)
			status = recorder.Code
			response := recorder.Result()
			response.Request = r
			return response, nil
		})
	})
	bucket, key := disk.Bucket, "a/b c.png"
	_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader([]byte("content"))})
	if (err == nil) != (status == http.StatusOK) {
		t.Errorf("status %d, err = %v", status, err)
	}
	return status
}

func replaceAuthorization(r *http.Request, from, to string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), from, to, 1))
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) {
	response, err := d(r)
	if err == nil && r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
	return response, err
}
