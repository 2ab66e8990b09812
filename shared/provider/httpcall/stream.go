package httpcall

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	"easel/shared/fault"
)

// maxLine bounds one line of an event stream.
const maxLine = 4 << 20

// ErrStop ends a stream from inside its callback without an error: the vendor
// said that it is done.
var ErrStop = errors.New("end of stream")

// Stream makes one call and hands each server-sent event's data to event, as it
// arrives; the bytes are valid until event returns. It returns the Response
// without a body when the status is 2xx, and with the body, as Do does, when not.
//
// An error of event ends the call and is returned as it is, except [ErrStop]. A
// stream that breaks is a Failure of an unknown outcome where the call submits.
func (c *Client) Stream(ctx context.Context, r Request, event func(data []byte) error) (*Response, error) {
	answer, sent, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	response := &Response{Status: answer.StatusCode, Header: answer.Header, request: r}
	if !response.OK() {
		response.Body, _ = io.ReadAll(io.LimitReader(answer.Body, maxErrorBody))
		return response, nil
	}
	err = events(io.LimitReader(answer.Body, r.maxBytes()), event)
	var emitted eventError
	switch {
	case err == nil || errors.Is(err, ErrStop):
		return response, nil
	case errors.As(err, &emitted):
		return response, emitted.error
	case errors.Is(err, bufio.ErrTooLong):
		return response, r.failure(fault.ClassBadAnswer, r.Submits, "an event of the stream is larger than allowed", err)
	default:
		return response, r.broken(ctx, sent, err)
	}
}

// eventError tells an error of the callback from one of the connection.
type eventError struct{ error }

func (e eventError) Unwrap() error { return e.error }

// events reads a stream of server-sent events. Only data lines matter here; an
// event whose data spans lines is joined with newlines, as the standard says.
func events(body io.Reader, event func([]byte) error) error {
	scanner := bufio.NewScanner(body)
	scanner.Buffer(make([]byte, 0, 16<<10), maxLine)
	var data []byte
	flush := func() error {
		if data == nil {
			return nil
		}
		err := event(data)
		data = nil
		if err != nil {
			return eventError{err}
		}
		return nil
	}
	for scanner.Scan() {
		line := bytes.TrimSuffix(scanner.Bytes(), []byte("\r"))
		if len(line) == 0 {
			if err := flush(); err != nil {
				return err
			}
			continue
		}
		value, found := bytes.CutPrefix(line, []byte("data:"))
		if !found {
			continue
		}
		if data != nil {
			data = append(data, '\n')
		}
		data = append(data, bytes.TrimPrefix(value, []byte(" "))...)
	}
	if err := scanner.Err(); err != nil {
		return err
	}
	return flush()
}
