package lambdahttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"easel/shared/lambdahttp"
)

// prelude reads what comes before the body: JSON and eight zero bytes.
func prelude(t *testing.T, response *events.APIGatewayProxyStreamingResponse) (status int, header http.Header) {
	t.Helper()
	var read []byte
	buffer := make([]byte, 1) // one byte at a time, so that no body is taken along
	for !bytes.HasSuffix(read, make([]byte, 8)) {
		n, err := response.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		read = append(read, buffer[:n]...)
	}
	var decoded struct {
		StatusCode        int         `json:"statusCode"`        //nolint:tagliatelle // the names of AWS
		MultiValueHeaders http.Header `json:"multiValueHeaders"` //nolint:tagliatelle
	}
	if err := json.Unmarshal(read[:len(read)-8], &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded.StatusCode, decoded.MultiValueHeaders
}

func stream(t *testing.T, handler http.HandlerFunc, options lambdahttp.Options) *events.APIGatewayProxyStreamingResponse {
	t.Helper()
	response, err := lambdahttp.StreamHandler(handler, options)(t.Context(), event(t, "get.json"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Close() })
	return response
}

func TestEachFlushedChunkArrivesWhenItIsWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		response := stream(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("Content-Length", "999")
			controller := http.NewResponseController(w)
			for i := range 3 {
				_, _ = io.WriteString(w, "data: "+strconv.Itoa(i)+"\n\n")
				if err := controller.Flush(); err != nil {
					t.Error(err)
				}
				<-time.After(time.Second)
			}
		}, lambdahttp.Options{})
		status, header := prelude(t, response)
		if status != http.StatusOK || header.Get("Content-Type") != "text/event-stream" || header.Get("X-Request-Id") != getID || header.Get("Content-Length") != "" {
			t.Errorf("status %d, header %v", status, header)
		}
		buffer := make([]byte, 1024)
		for i := range 3 {
			n, err := response.Read(buffer)
			if err != nil || string(buffer[:n]) != "data: "+strconv.Itoa(i)+"\n\n" || time.Since(start) != time.Duration(i)*time.Second {
				t.Errorf("chunk %d after %s: %q, %v", i, time.Since(start), buffer[:n], err)
			}
		}
		if n, err := response.Read(buffer); n != 0 || !errors.Is(err, io.EOF) || time.Since(start) != 3*time.Second {
			t.Errorf("the end after %s: %d, %v", time.Since(start), n, err)
		}
	})
}

func TestTheHeaderIsSentByAFlushAlone(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	response := stream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush() // as an SSE handler does before its first event
		<-release
	}, lambdahttp.Options{})
	if status, _ := prelude(t, response); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	close(release)
	if rest, err := io.ReadAll(response); err != nil || len(rest) != 0 {
		t.Errorf("rest %q, %v", rest, err)
	}
}

func TestAHandlerThatWritesNothingStreamsAnEmptyResponse(t *testing.T) {
	t.Parallel()
	response := stream(t, func(http.ResponseWriter, *http.Request) {}, lambdahttp.Options{})
	if status, _ := prelude(t, response); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	if rest, err := io.ReadAll(response); err != nil || len(rest) != 0 {
		t.Errorf("rest %q, %v", rest, err)
	}
}

func TestAPanicBeforeTheHeaderIsA500(t *testing.T) {
	t.Parallel()
	options, logged := quiet()
	response := stream(t, func(http.ResponseWriter, *http.Request) { panic("too soon") }, options)
	status, header := prelude(t, response)
	body, err := io.ReadAll(response)
	if status != http.StatusInternalServerError || header.Get("Content-Type") != "application/problem+json" || err != nil || strings.Contains(string(body), "too soon") {
		t.Errorf("status %d, header %v, body %s, %v", status, header, body, err)
	}
	if !strings.Contains(logged.String(), "too soon") {
		t.Errorf("log %s", logged)
	}
}

func TestAPanicAfterTheHeaderBreaksTheStreamOff(t *testing.T) {
	t.Parallel()
	options, _ := quiet()
	response := stream(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "data: 1\n\n")
		panic("midway")
	}, options)
	if status, _ := prelude(t, response); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	body, err := io.ReadAll(response)
	if string(body) != "data: 1\n\n" || err == nil {
		t.Errorf("body %q, err = %v; want an error, or half a response looks whole", body, err)
	}
}

func TestAClientThatGoesAwayEndsTheRequest(t *testing.T) {
	t.Parallel()
	written, causes := make(chan error, 1), make(chan error, 1)
	returned := false
	response := stream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first")
		_, err := io.WriteString(w, "nobody reads this")
		written <- err
		<-r.Context().Done()
		causes <- context.Cause(r.Context())
		returned = true
	}, lambdahttp.Options{})
	prelude(t, response)
	if _, err := response.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	if err := response.Close(); err != nil {
		t.Fatal(err)
	}
	if !returned { // Close waited, so this is no race
		t.Error("Close did not wait for the handler")
	}
	if err := <-written; !errors.Is(err, lambdahttp.ErrClientGone) {
		t.Errorf("Write = %v", err)
	}
	if cause := <-causes; !errors.Is(cause, lambdahttp.ErrClientGone) {
		t.Errorf("cause = %v", cause)
	}
}

func TestTheStreamsContextOutlivesTheHeaderAndEndsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		response, err := lambdahttp.StreamHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			_, _ = io.WriteString(w, "event: error\n\n") // it still gets through
		}), lambdahttp.Options{})(ctx, event(t, "get.json"))
		if err != nil {
			t.Fatal(err)
		}
		prelude(t, response)
		body, err := io.ReadAll(response)
		if err != nil || string(body) != "event: error\n\n" || time.Since(start) != time.Minute-1500*time.Millisecond {
			t.Errorf("after %s: %q, %v", time.Since(start), body, err)
		}
		_ = response.Close()
	})
}

func TestALargeBodyStreamsWhole(t *testing.T) {
	t.Parallel()
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<19) // 8 MiB, more than fits when buffered
	response := stream(t, func(w http.ResponseWriter, _ *http.Request) {
		if _, err := io.Copy(w, bytes.NewReader(want)); err != nil {
			t.Error(err)
		}
	}, lambdahttp.Options{})
	prelude(t, response)
	if got, err := io.ReadAll(response); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
