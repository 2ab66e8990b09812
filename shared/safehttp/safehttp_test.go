package safehttp_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"easel/shared/safehttp"
)

func TestDirectRequestsToPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	client := safehttp.New(safehttp.Options{AllowHTTP: true, AnyPort: true})
	for _, host := range append(privateHosts(), "localhost", "2130706433", "0x7f.1") {
		assertForbidden(t, client, "http://"+host+":1/latest/meta-data/")
	}
	assertForbidden(t, safehttp.New(safehttp.Options{}), "http://example.com/")
}

func TestANameThatResolvesToAPrivateAddressIsNeverDialled(t *testing.T) {
	t.Parallel()
	var reached atomic.Bool
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	t.Cleanup(server.Close)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, address := range []string{"127.0.0.1", "169.254.169.254", "10.0.0.7", "100.64.0.1", "0.0.0.0", "::1", "fd00:ec2::254", "::ffff:127.0.0.1"} {
		client := safehttp.New(safehttp.Options{AnyPort: true, Resolver: resolverTo(netip.MustParseAddr(address))})
		assertForbidden(t, client, "https://rebound.example.com:"+port+"/")
	}
	if reached.Load() {
		t.Error("the private server was reached")
	}
}

func TestThePortIsCheckedWhenDialling(t *testing.T) {
	t.Parallel()
	client := safehttp.New(safehttp.Options{Resolver: resolverTo(netip.MustParseAddr("192.0.78.24"))})
	assertForbidden(t, client, "https://public.example.com:22/")
}

func TestLoopbackModeReachesALocalServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	t.Cleanup(server.Close)
	client := safehttp.New(safehttp.Options{AllowLoopback: true})
	t.Cleanup(client.CloseIdleConnections)
	if status, body := get(t, client, server.URL, nil); status != http.StatusOK || body != "hello" {
		t.Errorf("got %d %q", status, body)
	}
	assertForbidden(t, client, "https://10.0.0.1/")
	assertForbidden(t, client, "https://169.254.169.254/")
}

//nolint:paralleltest // it sets environment variables
func TestTheEnvironmentsProxyIsIgnored(t *testing.T) {
	var proxied atomic.Bool
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied.Store(true) }))
	t.Cleanup(proxy.Close)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	client := safehttp.New(safehttp.Options{AllowHTTP: true, AllowLoopback: true, Resolver: resolverTo(netip.MustParseAddr("10.0.0.1"))})
	assertForbidden(t, client, "http://public.example.com/")
	if proxied.Load() {
		t.Error("the request went through the proxy")
	}
}

func TestRedirectsToForbiddenPlacesAreRefused(t *testing.T) {
	t.Parallel()
	for _, target := range []string{
		"https://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "https://[fd00::1]/", "http://example.com/",
		"file:///etc/passwd", "https://user:pass@example.com/", "https://2130706433/", "https://100.64.1.1/",
	} {
		server := httptest.NewServer(http.RedirectHandler(target, http.StatusFound))
		client := safehttp.New(safehttp.Options{AllowLoopback: true})
		assertForbidden(t, client, server.URL)
		client.CloseIdleConnections()
		server.Close()
	}
}

func TestAtMostThreeRedirectsAreFollowed(t *testing.T) {
	t.Parallel()
	var hops atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) {
		hops.Add(1)
		http.Redirect(w, r, "/loop", http.StatusFound)
	})
	mux.Handle("/3", http.RedirectHandler("/2", http.StatusFound))
	mux.Handle("/2", http.RedirectHandler("/1", http.StatusFound))
	mux.Handle("/1", http.RedirectHandler("/0", http.StatusFound))
	mux.HandleFunc("/0", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	client := safehttp.New(safehttp.Options{AllowLoopback: true})
	t.Cleanup(client.CloseIdleConnections)
	if status, _ := get(t, client, server.URL+"/3", nil); status != http.StatusOK {
		t.Errorf("three redirects: status %d", status)
	}
	response, err := client.Do(request(t, http.MethodGet, server.URL+"/loop", nil))
	if !errors.Is(err, safehttp.ErrTooManyRedirects) {
		t.Errorf("endless redirects: %v", err)
	}
	closeBody(response)
	if hops.Load() != 4 {
		t.Errorf("asked %d times, want 4", hops.Load())
	}
}

func TestCredentialsDoNotFollowToAnotherOrigin(t *testing.T) {
	t.Parallel()
	seen := make(chan http.Header, 4)
	record := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Clone() })
	first := httptest.NewUnstartedServer(nil)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/back" {
			http.Redirect(w, r, "http://"+first.Listener.Addr().String()+"/end", http.StatusFound)
			return
		}
		record(w, r)
	}))
	t.Cleanup(other.Close)
	mux := http.NewServeMux()
	mux.Handle("/out", http.RedirectHandler(other.URL+"/end", http.StatusFound))
	mux.Handle("/round", http.RedirectHandler(other.URL+"/back", http.StatusFound))
	mux.Handle("/same", http.RedirectHandler("/end", http.StatusFound))
	mux.Handle("/end", record)
	first.Config.Handler = mux
	first.Start()
	t.Cleanup(first.Close)
	client := safehttp.New(safehttp.Options{AllowLoopback: true})
	t.Cleanup(client.CloseIdleConnections)
	credentials := http.Header{"Authorization": {"Bearer x"}, "X-Api-Key": {"x"}, "Cookie": {"a=b"}, "X-Goog-Api-Key": {"x"}, "Accept": {"image/*"}}
	for path, kept := range map[string]bool{"/out?token=1": false, "/round": false, "/same": true} {
		get(t, client, first.URL+path, credentials)
		header := <-seen
		for _, name := range []string{"Authorization", "X-Api-Key", "Cookie", "X-Goog-Api-Key"} {
			if got := header.Get(name) != ""; got != kept {
				t.Errorf("%s: %s sent = %v, want %v", path, name, got, kept)
			}
		}
		if header.Get("Accept") == "" || header.Get("Referer") != "" {
			t.Errorf("%s: Accept %q, Referer %q", path, header.Get("Accept"), header.Get("Referer"))
		}
	}
}

func TestOnlyReadsFollowRedirects(t *testing.T) {
	t.Parallel()
	var submits atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		submits.Add(1)
		http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(server.Close)
	for name, c := range map[string]struct {
		method  string
		options safehttp.Options
	}{
		"a POST":               {http.MethodPost, safehttp.Options{AllowLoopback: true}},
		"a GET without follow": {http.MethodGet, safehttp.Options{AllowLoopback: true, NoRedirect: true}},
	} {
		submits.Store(0)
		client := safehttp.New(c.options)
		response, err := client.Do(request(t, c.method, server.URL, nil))
		if err != nil {
			t.Fatal(err)
		}
		closeBody(response)
		client.CloseIdleConnections()
		if response.StatusCode != http.StatusTemporaryRedirect || submits.Load() != 1 {
			t.Errorf("%s: status %d after %d requests", name, response.StatusCode, submits.Load())
		}
	}
}

func TestAServerThatNeverAnswersTimesOut(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	client := safehttp.New(safehttp.Options{AllowLoopback: true, HeaderTimeout: 20 * time.Millisecond})
	response, err := client.Do(request(t, http.MethodGet, server.URL, nil))
	closeBody(response)
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("err = %v, want a timeout", err)
	}
}

func TestAHugeResponseHeaderIsRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Padding", strings.Repeat("a", 128<<10))
	}))
	t.Cleanup(server.Close)
	client := safehttp.New(safehttp.Options{AllowLoopback: true})
	response, err := client.Do(request(t, http.MethodGet, server.URL, nil))
	closeBody(response)
	if err == nil {
		t.Error("a 128 KiB header was accepted")
	}
}

func TestARefusedRequestsBodyIsClosed(t *testing.T) {
	t.Parallel()
	body := &closeRecorder{Reader: strings.NewReader("x")}
	response, err := safehttp.New(safehttp.Options{}).Do(request(t, http.MethodPost, "https://10.0.0.1/", body))
	closeBody(response)
	if !errors.Is(err, safehttp.ErrForbidden) || !body.closed {
		t.Errorf("err = %v, closed = %v", err, body.closed)
	}
}

type closeRecorder struct {
	io.Reader

	closed bool
}

func (c *closeRecorder) Close() error {
	c.closed = true
	return nil
}

func assertForbidden(t *testing.T, client *http.Client, target string) {
	t.Helper()
	response, err := client.Do(request(t, http.MethodGet, target, nil))
	closeBody(response)
	if !errors.Is(err, safehttp.ErrForbidden) {
		t.Errorf("GET %s = %v, want ErrForbidden", target, err)
	}
}

func get(t *testing.T, client *http.Client, target string, header http.Header) (int, string) {
	t.Helper()
	outgoing := request(t, http.MethodGet, target, nil)
	if header != nil {
		outgoing.Header = header.Clone()
	}
	response, err := client.Do(outgoing)
	if err != nil {
		t.Fatal(err)
	}
	defer closeBody(response)
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func request(t *testing.T, method, target string, body io.Reader) *http.Request {
	t.Helper()
	outgoing, err := http.NewRequestWithContext(t.Context(), method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	return outgoing
}

func closeBody(response *http.Response) {
	if response != nil {
		_ = response.Body.Close()
	}
}

// resolverTo answers every DNS question with one address.
func resolverTo(address netip.Addr) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go answerDNS(server, address)
		return client, nil
	}}
}

// answerDNS speaks DNS over a stream: two bytes of length before each message.
func answerDNS(conn net.Conn, address netip.Addr) {
	defer func() { _ = conn.Close() }()
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		answer := dnsAnswer(query, address)
		framed := binary.BigEndian.AppendUint16(nil, uint16(len(answer)))
		if _, err := conn.Write(append(framed, answer...)); err != nil {
			return
		}
	}
}

func dnsAnswer(query []byte, address netip.Addr) []byte {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	question := query[12 : end+5]
	asked := binary.BigEndian.Uint16(question[len(question)-4:])
	record, kind := address.AsSlice(), uint16(1)
	if address.Is6() {
		kind = 28
	}
	answers := uint16(0)
	if asked == kind {
		answers = 1
	}
	out := append([]byte{}, query[:2]...)
	for _, field := range []uint16{0x8180, 1, answers, 0, 0} {
		out = binary.BigEndian.AppendUint16(out, field)
	}
	out = append(out, question...)
	if answers == 1 {
		out = append(out, 0xc0, 12)
		out = binary.BigEndian.AppendUint16(out, kind)
		out = append(out, 0, 1, 0, 0, 0, 0)
		out = binary.BigEndian.AppendUint16(out, uint16(len(record)))
		out = append(out, record...)
	}
	return out
}
