package lambdahttp

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
)

// ErrClientGone is the cause with which a request's context ends when the
// streamed response can no longer be delivered. Writes fail with it as well.
var ErrClientGone = errors.New("client is gone")

// StreamHandler returns the function that lambda.Start wants for a streaming
// integration. It returns as soon as the handler has sent its header; each write
// of the handler then is one read of the body. A panic before the header is
// answered with 500, one after it breaks the stream off, so that the client does
// not take half a response for a whole one.
//
// The invocation lasts until the handler returned: the body ends no sooner, and
// closing it cancels the request and waits.
func StreamHandler(handler http.Handler, options Options) func(context.Context, events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error) {
	return func(ctx context.Context, event events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error) {
		ctx, release := options.deadline(ctx)
		ctx, cancel := context.WithCancelCause(ctx)
		id := requestID(ctx, event)
		request, err := newRequest(ctx, event, options)
		if err != nil {
			cancel(err)
			release()
			return failure(http.StatusBadRequest, "bad_request", id).streamed(), nil
		}
		reader, pipe := io.Pipe()
		begun, done := make(chan struct{}), make(chan error, 1)
		body := &streamBody{PipeReader: reader, cancel: cancel, ended: make(chan struct{})}
		writer := newWriter(request, pipe)
		writer.begin = func() {
			writer.sent.Del("Content-Length") // chunks carry their own
			close(begun)
		}
		go func() {
			defer close(body.ended)
			defer release()
			defer cancel(context.Canceled)
			err := serve(ctx, handler, writer, request, options)
			if err == nil {
				writer.finish()
			}
			done <- err
			_ = pipe.CloseWithError(err) // always nil; a nil err is io.EOF
		}()
		// Writes after the header wait for a reader, so the header is read unharmed.
		select {
		case <-begun:
		case err := <-done:
			if !isClosed(begun) {
				options.logger().DebugContext(ctx, "no response before the failure", "error", err)
				return failure(http.StatusInternalServerError, "internal", id).streamed(), nil
			}
		}
		return &events.APIGatewayProxyStreamingResponse{StatusCode: writer.status, MultiValueHeaders: writer.sent, Body: body}, nil
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// streamBody is the reading end of a response. Lambda's runtime closes it after
// the last read, or when it could not pass the response on.
type streamBody struct {
	*io.PipeReader

	cancel context.CancelCauseFunc
	ended  chan struct{} // closed when the handler has returned
}

// Close tells the handler, if it still runs, that nobody listens, and waits for
// it to return: nothing may be left running when the next invocation starts.
func (b *streamBody) Close() error {
	b.cancel(ErrClientGone)
	_ = b.CloseWithError(ErrClientGone) // always nil
	<-b.ended
	return nil
}
