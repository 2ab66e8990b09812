package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"easel/shared/fault"
)

// problemType precedes a code in a problem's type, which is a name and not an address.
const problemType = "urn:easel:problem:"

// outcome is how one code is told over HTTP.
type outcome struct {
	status int
	title  string
	// openAI is the type that OpenAI's clients know for it.
	openAI string
}

// outcomes is the one table from codes to HTTP.
var outcomes = map[fault.Code]outcome{ //nolint:gochecknoglobals // a constant table
	fault.InvalidInput:        {http.StatusBadRequest, "Invalid input", "invalid_request_error"},
	fault.Unauthenticated:     {http.StatusUnauthorized, "Not authenticated", "invalid_request_error"},
	fault.InsufficientCredits: {http.StatusPaymentRequired, "Not enough credits", "insufficient_quota"},
	fault.Forbidden:           {http.StatusForbidden, "Not allowed", "invalid_request_error"},
	fault.NotFound:            {http.StatusNotFound, "Not found", "invalid_request_error"},
	fault.MethodNotAllowed:    {http.StatusMethodNotAllowed, "Method not allowed", "invalid_request_error"},
	fault.Conflict:            {http.StatusConflict, "Conflict", "invalid_request_error"},
	fault.IdempotencyMismatch: {http.StatusConflict, "Idempotency key was used before", "idempotency_error"},
	fault.StaleVersion:        {http.StatusPreconditionFailed, "Changed meanwhile", "invalid_request_error"},
	fault.TooLarge:            {http.StatusRequestEntityTooLarge, "Too large", "invalid_request_error"},
	fault.UnsupportedMedia:    {http.StatusUnsupportedMediaType, "Unsupported content type", "invalid_request_error"},
	fault.ContentRejected:     {http.StatusUnprocessableEntity, "Content refused", "image_generation_user_error"},
	fault.RateLimited:         {http.StatusTooManyRequests, "Too many requests", "rate_limit_error"},
	fault.QuotaExceeded:       {http.StatusTooManyRequests, "Monthly limit used up", "insufficient_quota"},
	fault.Internal:            {http.StatusInternalServerError, "Internal error", "server_error"},
	fault.ProviderFailed:      {http.StatusBadGateway, "Every provider failed", "server_error"},
	fault.Unavailable:         {http.StatusServiceUnavailable, "Not available", "server_error"},
	fault.DeadlineExceeded:    {http.StatusGatewayTimeout, "Deadline exceeded", "server_error"},
}

// Status returns the HTTP status of a code, 500 for one that is not known.
func Status(code fault.Code) int {
	if o, ok := outcomes[code]; ok {
		return o.status
	}
	return http.StatusInternalServerError
}

// Fail answers with err: as a problem (RFC 9457), or in OpenAI's form below /v1/.
// What is not a *fault.Error becomes an internal error whose cause goes to the
// log only. A request that its caller gave up is not our failure and is not
// logged as one.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r.Context())
	e := tell(r, err)
	h := w.Header()
	if e.RetryAfter > 0 {
		h.Set("Retry-After", seconds(e.RetryAfter))
	}
	if e.Code == fault.Unauthenticated {
		h.Set("WWW-Authenticate", `Bearer realm="easel"`)
	}
	contentType := "application/problem+json"
	if isOpenAI(r) {
		contentType = "application/json"
		if !repeatable(e.Code) {
			h.Set("X-Should-Retry", "false")
		}
	}
	body, merr := marshal(formOf(r, x.id, e))
	if merr != nil { // only a detail that is no JSON can do this
		x.log.ErrorContext(r.Context(), "an error could not be told", "error", merr, "request_id", x.id)
		body, e = []byte(`{"type":"urn:easel:problem:internal","title":"Internal error","status":500,"code":"internal"}`), &fault.Error{Code: fault.Internal}
	}
	h.Set("Content-Type", contentType)
	w.WriteHeader(Status(e.Code))
	_, _ = w.Write(body)
}

// Problem returns err in the form in which [Fail] tells it, for an answer whose
// status is already sent. It logs what Fail would log.
func Problem(r *http.Request, err error) any {
	return formOf(r, RequestID(r.Context()), tell(r, err))
}

// tell returns what a caller may know of err, and logs the rest.
func tell(r *http.Request, err error) *fault.Error {
	x := exchangeOf(r.Context())
	e := public(r.Context(), err)
	x.failed = e
	if e.Cause != nil || e.Code == fault.Internal {
		level := slog.LevelError
		if gaveUp(r) { // what the caller broke off is not broken here
			level = slog.LevelInfo
		}
		x.log.Log(r.Context(), level, "a request failed", "code", e.Code, "error", err, "request_id", x.id)
	}
	return e
}

// gaveUp reports whether the caller has left before its answer.
func gaveUp(r *http.Request) bool { return errors.Is(r.Context().Err(), context.Canceled) }

func isOpenAI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/v1/") }

func formOf(r *http.Request, id string, e *fault.Error) map[string]any {
	if isOpenAI(r) {
		return openAIError(e)
	}
	return problem(id, e)
}

// public returns what a caller may know of err.
func public(ctx context.Context, err error) *fault.Error {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		if _, known := outcomes[e.Code]; known {
			return e
		}
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.New(fault.TooLarge, "the body must have at most %d bytes", tooLarge.Limit)
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return fault.New(fault.Unavailable, "the caller gave the request up") // nobody reads this
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		return fault.New(fault.DeadlineExceeded, "the request took too long").Because(err)
	}
	return fault.New(fault.Internal, "something went wrong here; the request id helps to find it").Because(err)
}

// problem is the RFC 9457 form: the standard members win over details.
func problem(id string, e *fault.Error) map[string]any {
	o := outcomes[e.Code]
	m := make(map[string]any, len(e.Details)+7)
	maps.Copy(m, e.Details)
	m["type"], m["title"], m["status"] = problemType+string(e.Code), o.title, o.status
	m["detail"], m["code"], m["request_id"] = e.Message, e.Code, id
	if len(e.Fields) > 0 {
		m["errors"] = e.Fields
	}
	return m
}

func openAIError(e *fault.Error) map[string]any {
	var param any
	if len(e.Fields) > 0 {
		param = e.Fields[0].Name
	}
	code := string(e.Code)
	switch { // the codes that OpenAI's clients look for
	case e.Code == fault.Unauthenticated:
		code = "invalid_api_key"
	case e.Code == fault.NotFound && param == "model":
		code = "model_not_found"
	}
	return map[string]any{"error": map[string]any{
		"message": e.Message, "type": outcomes[e.Code].openAI, "code": code, "param": param,
	}}
}

// ModelNotFound turns an InvalidInput error about the model alone into the
// NotFound one that OpenAI's clients expect; any other error stays as it is.
func ModelNotFound(err error) error {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Code != fault.InvalidInput || len(e.Fields) != 1 || e.Fields[0].Name != "model" {
		return err
	}
	c := *e
	c.Code = fault.NotFound
	return &c
}

// repeatable reports whether OpenAI's clients, which repeat 409, 429 and 5xx by
// themselves, may do so: not where a task exists that a repeat would double.
func repeatable(code fault.Code) bool {
	return code == fault.RateLimited || code == fault.Unavailable
}

// seconds is a duration for Retry-After: whole seconds, rounded up.
func seconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(d.Seconds())))
}
