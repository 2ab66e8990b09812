package assets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"easel/shared/generation"
	"easel/shared/safehttp"
)

const (
	fetchTries   = 3
	fetchBackoff = 500 * time.Millisecond // doubles with each try
	maxBackoff   = 10 * time.Second       // also for what Retry-After asks
)

// PutURL downloads rawURL with client and stores it like [Store.Put]. The client
// should come from safehttp. See [Store.PutRequest].
func (s *Store) PutURL(ctx context.Context, client *http.Client, rawURL, key string, limits Limits) (Object, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return Object{}, &FetchError{Err: errors.New("the URL is not valid")} // err would repeat it
	}
	return s.PutRequest(ctx, client, request, key, limits)
}

// PutRequest is PutURL for a download that needs headers. The request must be a
// GET without a body: it is sent up to three times, with growing pauses, while
// the failure may pass (a connection that breaks, also in the middle of the
// file; status 408, 425, 429 and 5xx). All tries together take at most
// limits.Timeout. A download shorter than announced is a failure.
//
// Beside the errors of Put it returns a [*FetchError], which errors.Is matches
// with ErrFetch.
func (s *Store) PutRequest(ctx context.Context, client *http.Client, request *http.Request, key string, limits Limits) (Object, error) {
	if err := checkKey(key); err != nil {
		return Object{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, limits.timeout())
	defer cancel()
	for try := 1; ; try++ {
		object, pause, err := s.fetchOnce(ctx, client, request, key, limits)
		if err == nil || pause < 0 || try == fetchTries {
			return object, err
		}
		if wait(ctx, max(pause, jitter(fetchBackoff<<(try-1)))) != nil {
			return Object{}, err // the failure says more than the time being over
		}
	}
}

// fetchOnce makes one try. A negative pause means that another one is no use;
// otherwise it is the least time to wait.
func (s *Store) fetchOnce(ctx context.Context, client *http.Client, request *http.Request, key string, limits Limits) (Object, time.Duration, error) {
	const final = -1
	outgoing := request.Clone(ctx)
	outgoing.Header.Set("Accept-Encoding", "identity") // so that the length can be compared
	response, err := client.Do(outgoing)
	if err != nil {
		return Object{}, pauseAfter(ctx, err), &FetchError{Err: withoutURL(err)}
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		failure := &FetchError{Status: response.StatusCode}
		if !transient(response.StatusCode) {
			return Object{}, final, failure
		}
		return Object{}, retryAfter(response.Header), failure
	}
	if limit := limits.ceiling(); response.ContentLength > limit {
		return Object{}, final, fmt.Errorf("fetch %s: %w: %d bytes announced", key, ErrTooLarge, response.ContentLength)
	}
	source := &sourceReader{next: response.Body}
	object, err := s.Put(ctx, key, source, limits)
	if source.err != nil {
		return Object{}, pauseAfter(ctx, source.err), &FetchError{Status: response.StatusCode, Err: source.err}
	}
	return object, final, err
}

// ceiling is the most that could be accepted while the type is not known.
func (l Limits) ceiling() int64 {
	if l.Kind == generation.Image {
		return l.maxBytes(typePNG)
	}
	return l.maxBytes(typeMP4)
}

// sourceReader remembers the error of a download, to tell it from one of the
// disk or the upload.
type sourceReader struct {
	next io.Reader
	err  error
}

func (r *sourceReader) Read(buffer []byte) (int, error) {
	n, err := r.next.Read(buffer)
	if err != nil && !errors.Is(err, io.EOF) { // io.ErrUnexpectedEOF is another error
		r.err = err
	}
	return n, err
}

// pauseAfter decides about a try that failed without a status.
func pauseAfter(ctx context.Context, err error) time.Duration {
	hopeless := ctx.Err() != nil || errors.Is(err, safehttp.ErrForbidden) || errors.Is(err, safehttp.ErrTooManyRedirects)
	if hopeless {
		return -1
	}
	return 0
}

func transient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(min(seconds, 3600))*time.Second, maxBackoff)
}

// jitter returns half to all of a pause, so that many clients do not come back
// at once.
func jitter(pause time.Duration) time.Duration {
	return pause/2 + rand.N(pause/2) //nolint:gosec // spreads load, guards nothing
}

func wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// withoutURL unwraps the client's error, whose text has the URL in it.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
