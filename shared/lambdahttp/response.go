package lambdahttp

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// maxBuffered is what fits, as base64 and with its headers, into the 6 MB that
// Lambda takes for an answer.
const maxBuffered = 4_500_000

// reply is a complete response.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// buffered returns the reply in API Gateway's form. A body that is not UTF-8 goes
// as base64.
func (r reply) buffered() events.APIGatewayProxyResponse {
	response := events.APIGatewayProxyResponse{StatusCode: r.status, MultiValueHeaders: r.header, Body: string(r.body)}
	if !utf8.Valid(r.body) {
		response.Body, response.IsBase64Encoded = base64.StdEncoding.EncodeToString(r.body), true
	}
	return response
}

// streamed returns the reply in the streaming form.
func (r reply) streamed() *events.APIGatewayProxyStreamingResponse {
	return &events.APIGatewayProxyStreamingResponse{
		StatusCode: r.status, MultiValueHeaders: r.header, Body: bytes.NewReader(r.body),
	}
}

// bufferedBody collects a body up to the limit.
type bufferedBody struct {
	bytes.Buffer

	overflow bool
}

func (b *bufferedBody) Write(data []byte) (int, error) {
	if b.overflow || b.Len()+len(data) > maxBuffered {
		b.overflow = true
		return 0, io.ErrShortBuffer
	}
	return b.Buffer.Write(data)
}

// writer is the http.ResponseWriter. Like that of net/http it belongs to one
// goroutine, follows the status with the rules for bodies, and finds out a
// missing Content-Type.
type writer struct {
	request *http.Request
	header  http.Header
	body    io.Writer
	begin   func() // called once the header is final; may be nil

	status int         // 0 until the header is final
	sent   http.Header // the header as it was then
}

func newWriter(request *http.Request, body io.Writer) *writer {
	w := &writer{request: request, header: http.Header{}, body: body}
	if id := RequestID(request.Context()); id != "" {
		w.header.Set(headerID, id)
	}
	return w
}

// Header returns the header to be; after WriteHeader changes have no effect.
func (w *writer) Header() http.Header { return w.header }

// WriteHeader makes the header final. Informational statuses are dropped, since
// API Gateway cannot send them, and so is every call but the first.
func (w *writer) WriteHeader(status int) {
	if w.status != 0 || status >= 100 && status < 200 {
		return
	}
	if status < 200 || status > 999 {
		status = http.StatusInternalServerError
	}
	w.status = status
	w.sent = w.header.Clone()
	w.sent.Del("Transfer-Encoding")
	w.sent.Del("Connection")
	w.sent.Del("Trailer")
	if w.begin != nil {
		w.begin()
	}
}

// Write sends data. It fails when the response can have no body, when it is too
// large to be buffered, and when the client is gone.
func (w *writer) Write(data []byte) (int, error) {
	if w.status == 0 {
		if len(data) > 0 && w.header.Get("Content-Type") == "" && w.header.Get("Content-Encoding") == "" {
			w.header.Set("Content-Type", http.DetectContentType(data))
		}
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.status == http.StatusNoContent || w.status == http.StatusNotModified:
		return 0, http.ErrBodyNotAllowed
	case len(data) == 0 || w.request.Method == http.MethodHead:
		return len(data), nil
	}
	return w.body.Write(data)
}

// finish completes a response to which nothing was written.
func (w *writer) finish() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
}

// Flush sends the header. The body needs no flushing: a streamed write returns
// when it was taken over.
func (w *writer) Flush() { w.finish() }

// FlushError is Flush for http.ResponseController. It reports that the client is
// gone, as far as that is known.
func (w *writer) FlushError() error {
	w.finish()
	return w.request.Context().Err()
}

// SetReadDeadline does nothing: the request is in memory.
func (*writer) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing: the request's context bounds a write.
func (*writer) SetWriteDeadline(time.Time) error { return nil }

// EnableFullDuplex does nothing: the request is in memory.
func (*writer) EnableFullDuplex() error { return nil }
