package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxAnswer is how much of an answer is read, so that its connection can be used again.
const maxAnswer = 64 << 10

// Request returns the POST of a message to an endpoint of the book's account, in
// the form of Standard Webhooks: signed with every secret that signs now, under an
// id by which the receiver knows a repetition.
func (r *Registry) Request(ctx context.Context, b Book, url, id string, body []byte) (*http.Request, error) {
	signer, err := r.Signer(ctx, b)
	if err != nil {
		return nil, err
	}
	headers, err := signer.Headers(id, r.Now(), body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the endpoint's URL is not valid") // err would repeat it, and it may hold a secret
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Easel")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	return request, nil
}

// Send sends a message. Any status of 2xx is success. The status is 0 when there
// was no answer, and the error says nothing of the URL, which may hold a secret.
func Send(client *http.Client, request *http.Request) (status int, err error) {
	response, err := client.Do(request)
	if err != nil {
		return 0, errors.New("the endpoint could not be reached")
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer))
	if response.StatusCode/100 != 2 {
		return response.StatusCode, fmt.Errorf("the endpoint answered %d", response.StatusCode)
	}
	return response.StatusCode, nil
}
