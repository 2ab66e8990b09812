package generateapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"easel/shared/batch"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/intake"
)

const (
	// maxBatchBody is the largest body of a batch, in bytes.
	maxBatchBody = 4 << 20
	// maxBatchErrors bounds how many wrong fields of a batch one answer names.
	maxBatchErrors = 20
	maxCustomID    = 64 // characters
)

// batchBody is what /api/batches takes.
type batchBody struct {
	Requests    []batchRequest    `json:"requests"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	CallbackURL *string           `json:"callback_url,omitempty"`
}

// batchRequest is one request: what /api/generate takes, and a name for it.
type batchRequest struct {
	body

	CustomID string `json:"custom_id,omitempty"`
}

// readBatchBody reads a batch, and returns who makes it under which idempotency key.
func readBatchBody(w http.ResponseWriter, r *http.Request, c httpapi.Caller) (b batchBody, d batch.Draft, err error) {
	if err := httpapi.Decode(w, r, maxBatchBody, &b); err != nil {
		return b, d, err
	}
	if n := len(b.Requests); n < 1 || n > batch.MaxRequests {
		return b, d, fault.Invalid("requests", "must have 1 to %d members", batch.MaxRequests)
	}
	d = batch.Draft{
		Account: c.Account, KeyID: c.KeyID, RequestID: httpapi.RequestID(r.Context()),
		KeyPlaces: c.Concurrency, UserPlaces: c.UserConcurrency, Metadata: b.Metadata,
	}
	if d.IdempotencyKey, err = httpapi.IdempotencyKey(r); err != nil {
		return b, d, err
	}
	d.Hash, err = httpapi.Fingerprint(r, b)
	return b, d, err
}

// checkBatch fills the draft with the batch's requests, each of them checked.
func (h *handler) checkBatch(r *http.Request, c httpapi.Caller, b batchBody, d batch.Draft) (batch.Draft, error) {
	var err error
	check := &batchCheck{handler: h, r: r, caller: c, ids: map[string]int{}}
	if d.CallbackURL, err = check.beside(r.Context(), b); err != nil {
		return d, err
	}
	d.Requests, err = check.all(r.Context(), b.Requests)
	return d, err
}

// batchCheck checks the requests of one batch and collects what is wrong with them.
type batchCheck struct {
	*handler
	r      *http.Request
	caller httpapi.Caller
	fields fault.Fields
	wrong  int
	// ids are the custom ids, with the index of the request that has each.
	ids map[string]int
}

// beside checks what belongs to the whole batch, and returns its callback URL.
func (k *batchCheck) beside(ctx context.Context, b batchBody) (string, error) {
	t := ticketOf(k.r, k.caller, generation.Request{})
	t.Metadata, t.CallbackURL = b.Metadata, value(b.CallbackURL)
	if b.CallbackURL != nil && t.CallbackURL == "" {
		t.Blank = []string{"callback_url"}
	}
	t, err := k.Desk.CheckBeside(ctx, t)
	return t.CallbackURL, k.note("", err)
}

// all returns the requests, or one error that names what is wrong with them, up to
// twenty fields.
func (k *batchCheck) all(ctx context.Context, list []batchRequest) ([]batch.Request, error) {
	requests := make([]batch.Request, len(list))
	for n := range list {
		at := "requests[" + strconv.Itoa(n) + "]"
		k.customID(at, list[n].CustomID, n)
		request, err := k.one(ctx, &list[n])
		if err = k.note(at, err); err != nil {
			return nil, err
		}
		request.CustomID = list[n].CustomID
		requests[n] = request
		if k.wrong >= maxBatchErrors {
			break
		}
	}
	return requests, k.fields.Err()
}

// add notes that a field is wrong, as long as the answer has room for it.
func (k *batchCheck) add(name, message string) {
	if k.wrong++; k.wrong <= maxBatchErrors {
		k.fields.Add(name, "%s", message)
	}
}

// note takes over what an error says about fields of the request at the path. It
// returns any other error, with the path in its message.
func (k *batchCheck) note(at string, err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	if e.Code != fault.InvalidInput || len(e.Fields) == 0 {
		told := *e
		told.Message = at + ": " + e.Message
		return &told
	}
	for _, field := range e.Fields {
		name := field.Name
		if at != "" {
			name = at + "." + name
		}
		k.add(name, field.Message)
	}
	return nil
}

// customID checks that a request's custom id is well-formed and its own.
func (k *batchCheck) customID(at, id string, n int) {
	if id == "" {
		return
	}
	if utf8.RuneCountInString(id) > maxCustomID {
		k.add(at+".custom_id", "must have at most "+strconv.Itoa(maxCustomID)+" characters")
		return
	}
	if first, taken := k.ids[id]; taken {
		k.add(at+".custom_id", "must be unique: requests["+strconv.Itoa(first)+"] has the same")
		return
	}
	k.ids[id] = n
}

// one checks and prices one request, like /api/generate does.
func (k *batchCheck) one(ctx context.Context, b *batchRequest) (batch.Request, error) {
	request, err := b.request()
	if err != nil {
		return batch.Request{}, err
	}
	t := ticketOf(k.r, k.caller, request)
	t.Metadata, t.CallbackURL = b.Metadata, value(b.CallbackURL)
	// The account's preferred endpoint hears of the batch, and not of each request.
	t.Blank = append(b.blank(), "callback_url")
	if b.User != "" {
		t.User = b.User
	}
	checked, err := k.Desk.Check(ctx, t)
	if err != nil {
		return batch.Request{}, err
	}
	return storable(checked)
}

// storable returns a checked request as a batch keeps it, or what speaks against it.
func storable(c intake.Checked) (batch.Request, error) {
	r := batch.Request{
		User: c.User, Request: c.Request, Metadata: c.Metadata, CallbackURL: c.CallbackURL, Quote: c.Quote,
	}
	var f fault.Fields
	f.Check(c.Model.Kind != generation.Text, "model", "makes text, which a batch cannot; use POST /api/prompt")
	f.Check(!inline(c.Request.Image), "image", "must be an https URL in a batch")
	f.Check(!inline(c.Request.Mask), "mask", "must be an https URL in a batch")
	if err := f.Err(); err != nil {
		return r, err
	}
	size, err := r.Size()
	if err == nil && size > batch.MaxRequest {
		err = fault.Invalid("prompt", "and all else of the request must have at most %d bytes", batch.MaxRequest)
	}
	return r, err
}

// inline reports whether an image is in the request itself.
func inline(image string) bool { return strings.HasPrefix(image, "data:") }
