package adminapi

import (
	"context"
	"fmt"
	"net/http"

	"easel/shared/apikey"
	"easel/shared/audit"
	"easel/shared/fault"
	"easel/shared/httpapi"
)

// What is only a write of the store goes through commit: the write and its entry
// are one transaction, so neither is ever without the other.
//
// What reaches further, such as a provider, a secret store or a task's life, goes
// through act: the entry is written first, as what is meant, and once more when it
// is known what came of it. If the first cannot be written, nothing is done. An
// entry without "after" tells of something that may or may not have happened.

// actor says who makes the request, for the trail.
func (h *handler) actor(r *http.Request) audit.Actor {
	c := callerOf(r)
	a := audit.Actor{Type: "oidc", ID: c.User, Name: c.User, Role: string(role(c))}
	if key, err := h.Store.Key(r.Context(), c.KeyID); err == nil {
		a.Type, a.ID, a.Name = "key", c.KeyID, key.Name
	} else if c.User == "" {
		a.Type, a.ID = "key", c.KeyID
	}
	return a
}

func role(c httpapi.Caller) apikey.Scope {
	if c.May(apikey.Admin) {
		return apikey.Admin
	}
	return apikey.Viewer
}

// entry begins an entry of the trail.
func (h *handler) entry(r *http.Request, action string, object audit.Object, before, after any) (audit.Entry, error) {
	e := audit.Entry{
		ID: h.NewID("aud_"), At: h.Now().UTC(), Actor: h.actor(r), Action: action, Object: object,
		RequestID: httpapi.RequestID(r.Context()),
	}
	var err error
	if e.Before, err = audit.View(before); err != nil {
		return e, err
	}
	e.After, err = audit.View(after)
	return e, err
}

// commit writes the change together with its entry.
func (h *handler) commit(r *http.Request, action string, object audit.Object, before, after any, c audit.Change) error {
	var err error
	if c.Entry, err = h.entry(r, action, object, before, after); err != nil {
		return err
	}
	return h.Store.Commit(r.Context(), c)
}

// intend writes an entry before what it tells of is done. Nothing must be done
// when it fails.
func (h *handler) intend(r *http.Request, action string, object audit.Object, before any) (audit.Entry, error) {
	e, err := h.entry(r, action, object, before, nil)
	if err != nil {
		return e, err
	}
	if err := h.Store.Note(r.Context(), e); err != nil {
		return e, fmt.Errorf("nothing was done, because the trail could not be written: %w", err)
	}
	return e, nil
}

// finish completes an intended entry with what came of it. It can only log that
// it could not: what was done is done.
func (h *handler) finish(r *http.Request, e audit.Entry, after any, failed error) {
	if failed != nil {
		after = audit.Facts{"failed": fault.CodeOf(failed)}
	}
	ctx := context.WithoutCancel(r.Context()) // it happened, whoever still listens
	var err error
	if e.After, err = audit.View(after); err == nil {
		err = h.Store.Note(ctx, e)
	}
	if err != nil {
		h.Log.ErrorContext(ctx, "the trail does not say what came of it", "entry", e.ID, "action", e.Action, "error", err)
	}
}

// act writes down what is meant, does it, and writes down what came of it.
func (h *handler) act(r *http.Request, action string, object audit.Object, before any, do func(context.Context) (after any, err error)) error {
	e, err := h.intend(r, action, object, before)
	if err != nil {
		return err
	}
	after, err := do(r.Context())
	h.finish(r, e, after, err)
	return err
}

// audit lists the trail.
func (h *handler) audit(w http.ResponseWriter, r *http.Request) error {
	get, err := queryOf(r, "from", "to", "actor", "action", "object", "cursor", "limit")
	if err != nil {
		return err
	}
	var f fault.Fields
	filter := audit.Filter{
		From: timeOf(get, "from", &f), To: timeOf(get, "to", &f),
		Actor: get("actor"), Action: get("action"), Object: get("object"),
	}
	if err := f.Err(); err != nil {
		return err
	}
	n, err := limit(r)
	if err != nil {
		return err
	}
	entries, next, err := h.Store.Audit(r.Context(), filter, get("cursor"), n)
	if err != nil {
		return err
	}
	return page(w, entries, next)
}
