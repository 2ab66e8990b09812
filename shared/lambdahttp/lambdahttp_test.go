package lambdahttp_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"easel/shared/lambdahttp"
)

const getID = "6f1c0a52-0c1d-4e0c-9a43-3b1de1f0a9b1"

func fixture(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func event(tb testing.TB, name string) events.APIGatewayProxyRequest {
	tb.Helper()
	var decoded events.APIGatewayProxyRequest
	if err := json.Unmarshal(fixture(tb, name), &decoded); err != nil {
		tb.Fatal(err)
	}
	return decoded
}

// quiet returns options whose log can be read.
func quiet() (lambdahttp.Options, *bytes.Buffer) {
	logged := &bytes.Buffer{}
	return lambdahttp.Options{Logger: slog.New(slog.NewTextHandler(logged, nil))}, logged
}

// capture runs one buffered request and returns what the handler saw.
func capture(t *testing.T, decoded events.APIGatewayProxyRequest, options lambdahttp.Options) (*http.Request, []byte) {
	t.Helper()
	var seen *http.Request
	var body []byte
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen = r
		body, _ = io.ReadAll(r.Body)
	})
	call(t, handler, decoded, options)
	if seen == nil {
		t.Fatal("the handler was not called")
	}
	return seen, body
}

func call(t *testing.T, handler http.Handler, decoded events.APIGatewayProxyRequest, options lambdahttp.Options) events.APIGatewayProxyResponse {
	t.Helper()
	response, err := lambdahttp.Handler(handler, options)(t.Context(), decoded)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func TestAGetEventBecomesARequest(t *testing.T) {
	t.Parallel()
	r, body := capture(t, event(t, "get.json"), lambdahttp.Options{})
	for name, c := range map[string]struct{ got, want string }{
		"method":      {r.Method, "GET"},
		"path":        {r.URL.Path, "/api/task/café 1"},
		"request URI": {r.RequestURI, "/api/task/caf%C3%A9%201?cursor=a+b%26c%3D%C3%BC&kind=image&kind=video"},
		"cursor":      {r.URL.Query().Get("cursor"), "a b&c=ü"},
		"kinds":       {strings.Join(r.URL.Query()["kind"], " "), "image video"},
		"host":        {r.Host, "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"},
		"host header": {r.Header.Get("Host"), ""},
		"accept":      {strings.Join(r.Header.Values("Accept"), " "), "application/json text/html"},
		"cookie":      {r.Header.Get("Cookie"), "a=1; b=2"},
		"remote":      {r.RemoteAddr, "203.0.113.7:0"},
		"request id":  {r.Header.Get("X-Request-Id"), getID},
		"context id":  {lambdahttp.RequestID(r.Context()), getID},
		"body":        {string(body), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s = %q, want %q", name, c.got, c.want)
		}
	}
	if ids := r.Header.Values("X-Request-Id"); len(ids) != 1 {
		t.Errorf("request ids %q", ids)
	}
}

func TestABinaryBodyIsDecoded(t *testing.T) {
	t.Parallel()
	r, body := capture(t, event(t, "post_binary.json"), lambdahttp.Options{})
	if want := []byte{0, 1, 0xff, 0x80, 0xff}; !bytes.Equal(body, want) || r.ContentLength != 5 {
		t.Errorf("body %v of length %d", body, r.ContentLength)
	}
	if r.URL.Path != "/v1/images/edits" || r.RemoteAddr != "[2001:db8::7]:0" || r.Header.Get("Authorization") != "Bearer placeholder" {
		t.Errorf("request %v %q %v", r.URL, r.RemoteAddr, r.Header)
	}
}

func TestStageAndBasePathAreRemoved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, contextPath, stage, resource, base, want string
	}{
		"the usual":                   {"/api/task", "/prod/api/task", "prod", "/{proxy+}", "", "/api/task"},
		"the root":                    {"/", "/prod", "prod", "/", "", "/"},
		"a path named like the stage": {"/prod/x", "/prod/prod/x", "prod", "/{proxy+}", "", "/prod/x"},
		"a resource like the stage":   {"/v1/images", "/v1/images", "v1", "/v1/images", "", "/v1/images"},
		"a tool that keeps the stage": {"/prod/api", "/prod/api", "prod", "/{proxy+}", "", "/api"},
		"only the stage":              {"/prod", "/prod", "prod", "/{proxy+}", "", "/"},
		"a mapped domain":             {"/gateway/api", "/gateway/api", "prod", "/{proxy+}", "/gateway/", "/api"},
		"a longer segment":            {"/gateways/api", "/gateways/api", "prod", "/{proxy+}", "/gateway", "/gateways/api"},
		"an escaped slash":            {"/api/a%2Fb", "/prod/api/a%2Fb", "prod", "/{proxy+}", "", "/api/a/b"},
		"a lonely percent":            {"/api/100%", "/prod/api/100%", "prod", "/{proxy+}", "", "/api/100%"},
		"nothing":                     {"", "", "", "", "", "/"},
	} {
		decoded := events.APIGatewayProxyRequest{HTTPMethod: "GET", Path: c.path, Resource: c.resource}
		decoded.RequestContext.Path, decoded.RequestContext.Stage = c.contextPath, c.stage
		r, _ := capture(t, decoded, lambdahttp.Options{BasePath: c.base})
		if r.URL.Path != c.want {
			t.Errorf("%s: path %q, want %q", name, r.URL.Path, c.want)
		}
	}
}

func TestSingleValuesServeWhereMultiValuesAreMissing(t *testing.T) {
	t.Parallel()
	decoded := event(t, "get.json")
	decoded.MultiValueHeaders, decoded.MultiValueQueryStringParameters = nil, nil
	r, _ := capture(t, decoded, lambdahttp.Options{})
	if r.Header.Get("Accept") != "text/html" || r.URL.Query().Get("kind") != "video" || r.Host == "" {
		t.Errorf("request %v %v", r.URL, r.Header)
	}
}

func TestAnEventThatIsNoRequestIsRefused(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") })
	for name, decoded := range map[string]events.APIGatewayProxyRequest{
		"an empty event": {},
		"a bad method":   {HTTPMethod: "GET /x", Path: "/"},
		"a bad body":     {HTTPMethod: "POST", Path: "/", Body: "%%%", IsBase64Encoded: true},
	} {
		if response := call(t, handler, decoded, lambdahttp.Options{}); response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %+v", name, response)
		}
		streamed, err := lambdahttp.StreamHandler(handler, lambdahttp.Options{})(t.Context(), decoded)
		if err != nil || streamed.StatusCode != http.StatusBadRequest {
			t.Errorf("%s streamed: %+v, %v", name, streamed, err)
		}
	}
}

func TestAResponseIsBuffered(t *testing.T) {
	t.Parallel()
	binary := []byte{0xff, 0xd8, 0xff, 0}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		method  string
		want    events.APIGatewayProxyResponse
	}{
		"text": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Add("Set-Cookie", "a=1")
				w.Header().Add("Set-Cookie", "b=2")
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusAccepted)
				w.WriteHeader(http.StatusTeapot) // too late
				w.Header().Set("X-Late", "1")
				_, _ = io.WriteString(w, `{"a":`)
				_, _ = io.WriteString(w, `"ü"}`)
			}, "GET",
			events.APIGatewayProxyResponse{StatusCode: 202, Body: `{"a":"ü"}`, MultiValueHeaders: http.Header{"Set-Cookie": {"a=1", "b=2"}, "Content-Type": {"application/json"}}},
		},
		"binary": {
			func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(binary) }, "GET",
			events.APIGatewayProxyResponse{StatusCode: 200, Body: base64.StdEncoding.EncodeToString(binary), IsBase64Encoded: true, MultiValueHeaders: http.Header{"Content-Type": {"image/jpeg"}}},
		},
		"nothing": {
			func(http.ResponseWriter, *http.Request) {}, "GET",
			events.APIGatewayProxyResponse{StatusCode: 200, MultiValueHeaders: http.Header{}},
		},
		"no content": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNoContent)
				if _, err := w.Write([]byte("x")); !errors.Is(err, http.ErrBodyNotAllowed) {
					t.Errorf("Write = %v", err)
				}
			}, "DELETE",
			events.APIGatewayProxyResponse{StatusCode: 204, MultiValueHeaders: http.Header{}},
		},
		"head": {
			func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, "HEAD",
			events.APIGatewayProxyResponse{StatusCode: 200, MultiValueHeaders: http.Header{"Content-Type": {"text/html; charset=utf-8"}}},
		},
		"early hints": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusEarlyHints)
				w.WriteHeader(http.StatusNotFound)
			}, "GET",
			events.APIGatewayProxyResponse{StatusCode: 404, MultiValueHeaders: http.Header{}},
		},
		"its own request id": {
			func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Request-Id", "mine") }, "GET",
			events.APIGatewayProxyResponse{StatusCode: 200, MultiValueHeaders: http.Header{"X-Request-Id": {"mine"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			decoded := event(t, "get.json")
			decoded.HTTPMethod = c.method
			got := call(t, c.handler, decoded, lambdahttp.Options{})
			if _, ok := c.want.MultiValueHeaders["X-Request-Id"]; !ok {
				c.want.MultiValueHeaders["X-Request-Id"] = []string{getID}
			}
			if got.StatusCode != c.want.StatusCode || got.Body != c.want.Body || got.IsBase64Encoded != c.want.IsBase64Encoded ||
				!maps.EqualFunc(got.MultiValueHeaders, c.want.MultiValueHeaders, slices.Equal) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestAPanicIsAnsweredWith500AndLogged(t *testing.T) {
	t.Parallel()
	options, logged := quiet()
	response := call(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half an answer")
		panic("broken invariant")
	}), event(t, "get.json"), options)
	if response.StatusCode != http.StatusInternalServerError || strings.Contains(response.Body, "half") || strings.Contains(response.Body, "invariant") ||
		!strings.Contains(response.Body, getID) || response.MultiValueHeaders["Content-Type"][0] != "application/problem+json" {
		t.Errorf("response %+v", response)
	}
	if !strings.Contains(logged.String(), "broken invariant") || !strings.Contains(logged.String(), "lambdahttp_test.go") {
		t.Errorf("log %s", logged)
	}
}

func TestAResponseTooLargeToBufferIsAnError(t *testing.T) {
	t.Parallel()
	options, logged := quiet()
	response := call(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, 4_500_000))
		if err != nil {
			t.Errorf("a body of exactly the limit: %v", err)
		}
		if _, err = w.Write([]byte("x")); err == nil {
			t.Error("a byte over the limit was taken")
		}
	}), event(t, "get.json"), options)
	if response.StatusCode != http.StatusInternalServerError || !strings.Contains(logged.String(), "too large") {
		t.Errorf("status %d, log %s", response.StatusCode, logged)
	}
}

func TestTheContextEndsBeforeTheInvocation(t *testing.T) {
	t.Parallel()
	for invocation, want := range map[time.Duration]time.Duration{
		time.Minute: time.Minute - 1500*time.Millisecond,
		time.Second: 500 * time.Millisecond,
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), invocation)
			defer cancel()
			start := time.Now()
			_, err := lambdahttp.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
			}), lambdahttp.Options{})(ctx, event(t, "get.json"))
			if err != nil || time.Since(start) != want {
				t.Errorf("of %s the handler had %s, want %s (%v)", invocation, time.Since(start), want, err)
			}
		})
	}
}

func FuzzEveryEventIsAnswered(f *testing.F) {
	f.Add(fixture(f, "get.json"))
	f.Add(fixture(f, "post_binary.json"))
	f.Add(fixture(f, "sqs.json"))
	f.Add([]byte(`{"httpMethod":"GET","path":"%zz\u0000//..","queryStringParameters":{"":""},"multiValueHeaders":{"":["\n"]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var decoded events.APIGatewayProxyRequest
		if json.Unmarshal(data, &decoded) != nil {
			return
		}
		handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/") || r.Body == nil || r.Method == "" {
				t.Errorf("request %v %v", r.Method, r.URL)
			}
			if _, _, err := net.SplitHostPort(r.RemoteAddr); r.RemoteAddr != "" && err != nil && !strings.ContainsAny(r.RemoteAddr, "[]") {
				t.Errorf("remote address %q", r.RemoteAddr)
			}
			_ = r.URL.Query()
		})
		mux := http.NewServeMux()
		mux.Handle("/", handler)
		for _, h := range []http.Handler{handler, mux} {
			response, err := lambdahttp.Handler(h, lambdahttp.Options{})(t.Context(), decoded)
			if err != nil || response.StatusCode < 200 {
				t.Errorf("response %+v, %v", response, err)
			}
		}
	})
}
