package adminapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"easel/shared/fault"
	"easel/shared/httpapi"
	"easel/shared/journal"
)

const (
	defaultLimit = 50
	maxLimit     = 200
	storeLimit   = 100 // what one page of the store holds
)

// limit is the size of a page: what was asked for, within what the store gives.
func limit(r *http.Request) (int, error) {
	n, err := httpapi.Limit(r, defaultLimit, maxLimit)
	return min(n, storeLimit), err
}

// queryOf refuses parameters that the route does not know, so that a misspelt
// filter never looks like an empty one, and returns the first value of each.
func queryOf(r *http.Request, known ...string) (func(name string) string, error) {
	query := r.URL.Query()
	var f fault.Fields
	for name := range query {
		ok := false
		for _, k := range known {
			ok = ok || k == name
		}
		f.Check(ok, name, "is not a known parameter; known are %s", strings.Join(known, ", "))
	}
	return query.Get, f.Err()
}

// timeOf reads a time of the query; an absent one is zero.
func timeOf(get func(string) string, name string, f *fault.Fields) time.Time {
	text := get(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	f.Check(err == nil, name, "must be a time such as 2026-01-31T12:00:00Z")
	return t
}

// etag announces an object's version.
func etag(w http.ResponseWriter, version int64) {
	httpapi.SetETag(w.Header(), version)
}

// checkVersion compares If-Match with the stored version. A mismatch is a
// StaleVersion error that shows current.
func checkVersion(r *http.Request, stored int64, current any) error {
	if r.Header.Get("If-Match") == "" {
		return fault.Invalid("If-Match", `must be the version that is being edited, such as "3", or *`)
	}
	_, err := httpapi.IfMatch(r, stored)
	if fault.CodeOf(err) == fault.StaleVersion {
		return stale(current)
	}
	return err
}

// stale tells that somebody else was faster, with the object as it is now.
func stale(current any) error {
	return fault.New(fault.StaleVersion, "it was changed by somebody else; compare both and try again").With("current", current)
}

// withCurrent adds to a store's StaleVersion error what the object is now. Other
// errors pass.
func withCurrent(ctx context.Context, err error, read func(context.Context) (any, error)) error {
	if !errors.Is(err, journal.ErrStale) {
		return err
	}
	current, readErr := read(ctx)
	if readErr != nil {
		return err
	}
	return stale(current)
}

// found turns the store's "not found" into the caller's.
func found(err error, what string) error {
	if errors.Is(err, journal.ErrNotFound) {
		return fault.New(fault.NotFound, "there is no such %s", what)
	}
	return err
}

// newID returns an id for what the request creates. With an Idempotency-Key it is
// always the same for the same actor, path and key, so a repeat meets what the
// first request made; repeatable is then true.
func (h *handler) newID(r *http.Request, prefix string) (id string, repeatable bool, err error) {
	sum, err := h.onceSum(r)
	if err != nil || sum == nil {
		return h.NewID(prefix), false, err
	}
	return prefix + hex.EncodeToString(sum[:16]), true, nil
}

// onceSum is a hash of who asks for what under which Idempotency-Key; nil without one.
func (h *handler) onceSum(r *http.Request) ([]byte, error) {
	key, err := httpapi.IdempotencyKey(r)
	if err != nil || key == "" {
		return nil, err
	}
	actor := callerOf(r)
	sum := sha256.Sum256([]byte(actor.KeyID + "\x00" + actor.User + "\x00" + r.URL.Path + "\x00" + key))
	return sum[:], nil
}

// decode reads the body into v.
func decode(w http.ResponseWriter, r *http.Request, v any) error {
	return httpapi.Decode(w, r, httpapi.MaxBody, v)
}

// list answers with a whole list.
func list[T any](w http.ResponseWriter, items []T) error {
	return httpapi.Write(w, http.StatusOK, httpapi.PageOf(items, ""))
}

// page answers with a page of a list.
func page[T any](w http.ResponseWriter, items []T, next string) error {
	return httpapi.Write(w, http.StatusOK, httpapi.PageOf(items, next))
}

// itoa is short for the index of a field.
func itoa(i int) string { return strconv.Itoa(i) }

// fieldsOf adds the fields of err, an InvalidInput error or nil, under a prefix. It
// returns any other error.
func fieldsOf(f *fault.Fields, prefix string, err error) error {
	e, ok := errors.AsType[*fault.Error](err)
	if err == nil || ok && len(e.Fields) > 0 {
		if e != nil {
			for _, field := range e.Fields {
				f.Add(prefix+field.Name, "%s", field.Message)
			}
		}
		return nil
	}
	return err
}
