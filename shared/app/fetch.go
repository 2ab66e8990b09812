package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"easel/shared/fault"
	"easel/shared/safehttp"
)

// What an image that a caller names by its URL may take.
const (
	fetchTime     = 10 * time.Second
	maxFetchBytes = 20 << 20
)

// Fetch downloads the image at a URL that a caller chose, once and within ten
// seconds, and stores it like Upload. Whatever goes wrong with the URL is an
// InvalidInput error about the field, which says nothing of what is at an
// address that may not be reached.
func (i images) Fetch(ctx context.Context, account, field, url string) (string, error) {
	data, err := i.download(ctx, field, url)
	if ctx.Err() != nil {
		return "", fmt.Errorf("fetch an input image: %w", context.Cause(ctx))
	}
	if err != nil {
		return "", err
	}
	return i.Upload(ctx, account, field, data)
}

func (i images) download(ctx context.Context, field, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fault.Invalid(field, "must be a valid URL")
	}
	request.Header.Set("Accept", "image/png, image/jpeg, image/webp, image/gif")
	request.Header.Set("User-Agent", "easel/1 (fetches an image that a user named)")
	response, err := i.client.Do(request)
	if err != nil {
		return nil, notFetched(field, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fault.Invalid(field, "could not be fetched: its server answered with status %d", response.StatusCode)
	}
	if response.ContentLength > maxFetchBytes {
		return nil, tooLarge(field)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxFetchBytes+1))
	switch {
	case err != nil:
		return nil, notFetched(field, err)
	case len(data) > maxFetchBytes:
		return nil, tooLarge(field)
	}
	return data, nil
}

func tooLarge(field string) error {
	return fault.Invalid(field, "could not be fetched: it has more than %d MiB", maxFetchBytes>>20)
}

// notFetched says why there was no whole answer, in few kinds: the error's own
// text may name addresses inside the network.
func notFetched(field string, err error) error {
	switch {
	case errors.Is(err, safehttp.ErrForbidden):
		return fault.Invalid(field, "could not be fetched: the address, or one that it redirects to, is not allowed")
	case errors.Is(err, safehttp.ErrTooManyRedirects):
		return fault.Invalid(field, "could not be fetched: it redirects too often")
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Invalid(field, "could not be fetched within %d seconds", int(fetchTime.Seconds()))
	default:
		return fault.Invalid(field, "could not be fetched: its server cannot be reached, or broke off")
	}
}
