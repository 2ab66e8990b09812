// Package lambdahttp runs net/http handlers in AWS Lambda behind API Gateway
// (REST, proxy integration, buffered or streamed), and small functions behind SQS
// and a schedule. The events of AWS are known here and nowhere else.
//
// API Gateway renames some response headers (Authorization, Date, Server,
// WWW-Authenticate become x-amzn-Remapped-…) and decodes a base64 body only where
// the API lists */* among its binary media types.
package lambdahttp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

// Mode is how a response travels. It must be what the integration in API Gateway
// says, or every call is a 502.
type Mode string

const (
	// Buffered sends the response when it is complete, at most 6 MB of it.
	Buffered Mode = "buffered"
	// Stream sends each write as it happens.
	Stream Mode = "stream"
)

const (
	defaultReserve = 1500 * time.Millisecond
	headerID       = "X-Request-Id"
)

// Options configures the handlers of this package. The zero value is usable.
type Options struct {
	// Mode is the integration's response transfer mode; empty means Buffered.
	Mode Mode
	// BasePath is the path under which a custom domain maps the API, such as
	// "/gateway"; it is removed from the path of requests.
	BasePath string
	// Reserve is how long before the end of the invocation the request's context
	// ends, so that what must be written down still can be; 0 means 1.5 s. Of a
	// short invocation at most half is reserved.
	Reserve time.Duration
	// Logger hears of panics and lost connections; nil means slog's default.
	Logger *slog.Logger
}

func (o Options) logger() *slog.Logger {
	if o.Logger != nil {
		return o.Logger
	}
	return slog.Default()
}

// deadline returns a context that ends before the invocation does.
func (o Options) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	reserve := min(cmp.Or(o.Reserve, defaultReserve), time.Until(end)/2)
	return context.WithDeadline(ctx, end.Add(-reserve))
}

type contextKey struct{}

// RequestID returns the id that API Gateway gave the request, "" outside of one.
// Handlers find it in the header X-Request-Id too, where it replaces what the
// client sent; the response carries it unless the handler sets another.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(contextKey{}).(string)
	return id
}

// Start serves invocations with handler in the given mode until the process ends.
func Start(handler http.Handler, options Options) {
	if options.Mode == Stream {
		lambda.Start(StreamHandler(handler, options))
		return
	}
	lambda.Start(Handler(handler, options))
}

// Handler returns the function that lambda.Start wants for a buffered
// integration. It never returns an error: a panic is answered with 500, an event
// that is no request with 400.
func Handler(handler http.Handler, options Options) func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	return func(ctx context.Context, event events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		ctx, cancel := options.deadline(ctx)
		defer cancel()
		id := requestID(ctx, event)
		request, err := newRequest(ctx, event, options)
		if err != nil {
			return failure(http.StatusBadRequest, "bad_request", id).buffered(), nil
		}
		buffer := &bufferedBody{}
		writer := newWriter(request, buffer)
		if err := serve(ctx, handler, writer, request, options); err != nil {
			return failure(http.StatusInternalServerError, "internal", id).buffered(), nil
		}
		writer.finish()
		if buffer.overflow {
			options.logger().ErrorContext(ctx, "response is too large for a buffered integration", "path", request.URL.Path)
			return failure(http.StatusInternalServerError, "internal", id).buffered(), nil
		}
		return reply{status: writer.status, header: writer.sent, body: buffer.Bytes()}.buffered(), nil
	}
}

var errPanic = errors.New("handler panicked")

// serve runs the handler and turns a panic into an error.
func serve(ctx context.Context, handler http.Handler, writer http.ResponseWriter, request *http.Request, options Options) (err error) {
	defer func() {
		reason := recover()
		if reason == nil {
			return
		}
		err = fmt.Errorf("%w: %v", errPanic, reason)
		if cause, ok := reason.(error); ok && errors.Is(cause, http.ErrAbortHandler) {
			return // the documented way to break off: not worth a stack
		}
		options.logger().ErrorContext(ctx, "handler panicked",
			"panic", fmt.Sprint(reason), "path", request.URL.Path, "stack", string(debug.Stack()))
	}()
	handler.ServeHTTP(writer, request)
	return nil
}

// failure returns a problem document for what no handler could answer.
func failure(status int, code, requestID string) reply {
	body, err := json.Marshal(struct {
		Type      string `json:"type"`
		Title     string `json:"title"`
		Status    int    `json:"status"`
		Code      string `json:"code"`
		RequestID string `json:"request_id,omitempty"`
	}{"about:blank", http.StatusText(status), status, code, requestID})
	if err != nil {
		body = nil // cannot happen with these fields
	}
	header := http.Header{}
	header.Set("Content-Type", "application/problem+json")
	if requestID != "" {
		header.Set(headerID, requestID)
	}
	return reply{status: status, header: header, body: body}
}
