package httpcall_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/provider/httpcall"
	"easel/shared/secret"
)

const canary = "canary-9b1d7c5e"

func serve(t *testing.T, handler http.HandlerFunc) (*httpcall.Client, string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return httpcall.New(server.Client()), server.URL
}

func body(t *testing.T) *httpcall.Body {
	t.Helper()
	b, err := httpcall.JSON(map[string]string{"prompt": "a < b"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func failure(t *testing.T, err error) *fault.Failure {
	t.Helper()
	f, ok := errors.AsType[*fault.Failure](err)
	if !ok {
		t.Fatalf("error = %v, want a *fault.Failure", err)
	}
	return f
}

func TestAPostIsNotReplayedOnABrokenConnection(t *testing.T) {
	t.Parallel()
	// The server answers the first request of a connection and breaks off at the
	// second, as one does that closes idle connections at the wrong moment.
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var requests atomic.Int32
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				reader := bufio.NewReader(conn)
				for i := range 2 {
					request, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, request.Body)
					requests.Add(1)
					if i == 0 {
						_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
					}
				}
			}()
		}
	}()
	client := httpcall.New(&http.Client{Transport: new(http.Transport)})
	r := httpcall.Request{Method: http.MethodPost, URL: "http://" + listener.Addr().String(), Body: body(t), Submits: true}
	if _, err := client.Do(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	_, err = client.Do(t.Context(), r)
	if f := failure(t, err); f.Class != fault.ClassTimeout || !f.Unknown {
		t.Errorf("failure = %v", f)
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("the server saw %d requests, want 2", n)
	}
}

func TestExtraHeadersNeverReplaceTheProtocolsOwn(t *testing.T) {
	t.Parallel()
	var got http.Header
	var sent string
	client, url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		data, _ := io.ReadAll(r.Body)
		sent = string(data)
	})
	_, err := client.Do(t.Context(), httpcall.Request{
		Method: http.MethodPost, URL: url, Body: body(t), Header: map[string]string{"Authorization": "Bearer own"},
		Extra: map[string]string{"authorization": "Bearer other", "content-type": "text/plain", "Cookie": "a=b", "X-Extra": "yes"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer own", "Content-Type": "application/json", "Cookie": "", "X-Extra": "yes", "User-Agent": "easel",
	} {
		if got.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, got.Get(name), want)
		}
	}
	if sent != `{"prompt":"a < b"}` {
		t.Errorf("body = %s", sent)
	}
}

func TestAURLThatIsNoneIsNotSent(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "/v1", "ftp://a.example", "http://", "http://[::1", "::"} {
		_, err := httpcall.New(nil).Do(t.Context(), httpcall.Request{URL: url, Submits: true})
		if f := failure(t, err); f.Class != fault.ClassConnect || f.Unknown {
			t.Errorf("%q: %v", url, f)
		}
	}
}

func TestATransportsOwnFailurePasses(t *testing.T) {
	t.Parallel()
	own := fault.Failure{Class: fault.ClassUnavailable, Unknown: true, Message: "the gateway refuses"}
	client := httpcall.New(&http.Client{Transport: refusing{&own}})
	for _, submits := range []bool{true, false} {
		_, err := client.Do(t.Context(), httpcall.Request{URL: "http://a.example", Submits: submits})
		want := own
		want.Unknown = submits
		if got := failure(t, err); *got != want {
			t.Errorf("failure = %+v, want %+v", got, want)
		}
	}
}

type refusing struct{ err error }

func (r refusing) RoundTrip(*http.Request) (*http.Response, error) { return nil, r.err }

func TestAFailureHoldsNoSecretAndNoURL(t *testing.T) {
	t.Parallel()
	client := httpcall.New(&http.Client{Transport: refusing{errors.New("proxy says " + canary)}})
	_, err := client.Do(t.Context(), httpcall.Request{
		URL: "http://a.example/?key=query-secret", Submits: true, Secrets: []secret.Value{secret.New(canary)},
	})
	f := failure(t, err)
	if text := f.Error(); strings.Contains(text, canary) || strings.Contains(text, "query-secret") {
		t.Errorf("failure = %s", text)
	}
	if f.Class != fault.ClassConnect || f.Unknown {
		t.Errorf("failure = %v: nothing was sent", f)
	}
}

func TestDetailIsCutWithoutBreakingARune(t *testing.T) {
	t.Parallel()
	client, url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "x"+strings.Repeat("é", 4<<10)+canary)
	})
	response, err := client.Do(t.Context(), httpcall.Request{URL: url, Secrets: []secret.Value{secret.New(canary)}})
	if err != nil {
		t.Fatal(err)
	}
	f := response.Refusal(httpcall.Verdict{})
	if len(f.Detail) != 2<<10-1 || strings.ContainsRune(f.Detail, '\uFFFD') {
		t.Errorf("the detail has %d bytes and ends with %q", len(f.Detail), f.Detail[len(f.Detail)-4:])
	}
}

func TestRefusalDecidesWhetherASubmitIsUnknown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status  int
		verdict httpcall.Verdict
		class   fault.Class
		unknown bool
	}{
		{400, httpcall.Verdict{Class: fault.ClassInvalidInput}, fault.ClassInvalidInput, false},
		{400, httpcall.Verdict{}, fault.ClassBadAnswer, false},
		{408, httpcall.Verdict{Class: fault.ClassTimeout}, fault.ClassTimeout, true},
		{429, httpcall.Verdict{}, fault.ClassRateLimited, false},
		{500, httpcall.Verdict{}, fault.ClassUnavailable, true},
		{500, httpcall.Verdict{Class: fault.ClassUnavailable}, fault.ClassUnavailable, false},
		{500, httpcall.Verdict{Class: fault.ClassUnavailable, Starts: true}, fault.ClassUnavailable, true},
		{502, httpcall.Verdict{Class: fault.ClassUnavailable}, fault.ClassUnavailable, true},
		{503, httpcall.Verdict{}, fault.ClassUnavailable, false},
		{503, httpcall.Verdict{Class: fault.ClassUnavailable, Starts: true}, fault.ClassUnavailable, false},
		{504, httpcall.Verdict{}, fault.ClassTimeout, true},
		{302, httpcall.Verdict{}, fault.ClassBadAnswer, true},
	} {
		client, url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.status) })
		for _, submits := range []bool{true, false} {
			response, err := client.Do(t.Context(), httpcall.Request{URL: url, Submits: submits})
			if err != nil {
				t.Fatal(err)
			}
			f := response.Refusal(c.verdict)
			if f.Class != c.class || f.Unknown != (c.unknown && submits) || f.Status != c.status || f.Message == "" {
				t.Errorf("%d %+v, submits %v: %+v", c.status, c.verdict, submits, f)
			}
		}
	}
}

func TestSameHost(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{
		"https://api.example/v2/x": true, "https://API.example/": true, "https://api.example:8443/": false,
		"http://api.example/": false, "https://api.example.evil.example/": false, "https://user@api.example/": false,
		"/v1/x": false, "": false, "https://[::1": false,
	} {
		if got := httpcall.SameHost("https://api.example/v1", raw); got != want {
			t.Errorf("SameHost(%q) = %v", raw, got)
		}
	}
}

func TestATimeoutBeforeTheRequestWasSentIsAConnectError(t *testing.T) {
	t.Parallel()
	client := httpcall.New(&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := client.Do(ctx, httpcall.Request{Method: http.MethodPost, URL: "http://a.example", Body: body(t), Submits: true})
	if f := failure(t, err); f.Class != fault.ClassConnect || f.Unknown || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("failure = %v", f)
	}
}
