package rehearsal

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	apiVersion  = "2018-06-01"
	runtimePath = "/runtime/"

	headerRequestID = "Lambda-Runtime-Aws-Request-Id"
	headerDeadline  = "Lambda-Runtime-Deadline-Ms"
	headerARN       = "Lambda-Runtime-Invoked-Function-Arn"
	trailerType     = "Lambda-Runtime-Function-Error-Type"
	trailerBody     = "Lambda-Runtime-Function-Error-Body"
)

// FunctionError is a failure that a function reported about itself.
type FunctionError struct {
	Type    string `json:"errorType"`    //nolint:tagliatelle // the names of AWS
	Message string `json:"errorMessage"` //nolint:tagliatelle // the names of AWS
}

// Error says what the function said.
func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

// runtimeAPI is the Runtime API of every environment, each under its own id.
type runtimeAPI struct {
	mux *http.ServeMux

	mu           sync.Mutex
	environments map[string]*environment
}

func newRuntimeAPI() *runtimeAPI {
	api := &runtimeAPI{mux: http.NewServeMux(), environments: map[string]*environment{}}
	base := runtimePath + "{environment}/" + apiVersion + "/runtime/"
	api.mux.HandleFunc("GET "+base+"invocation/next", api.next)
	api.mux.HandleFunc("POST "+base+"invocation/{id}/response", api.response)
	api.mux.HandleFunc("POST "+base+"invocation/{id}/error", api.failure)
	api.mux.HandleFunc("POST "+base+"init/error", api.initFailure)
	return api
}

// ServeHTTP implements http.Handler.
func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

func (a *runtimeAPI) add(e *environment) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.environments[e.id] = e
}

func (a *runtimeAPI) remove(e *environment) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.environments, e.id)
}

func (a *runtimeAPI) find(w http.ResponseWriter, r *http.Request) *environment {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.environments[r.PathValue("environment")]
	if e == nil {
		http.Error(w, "no such environment", http.StatusForbidden)
	}
	return e
}

func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	e := a.find(w, r)
	if e == nil {
		return
	}
	inv := e.next(r.Context())
	if inv == nil {
		return // nobody waits any more
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set(headerRequestID, inv.id)
	header.Set(headerDeadline, strconv.FormatInt(time.Now().Add(inv.timeout).UnixMilli(), 10))
	header.Set(headerARN, "arn:aws:lambda:"+region+":111122223333:function:rehearsed")
	_, _ = w.Write(inv.payload)
}

// response passes a function's answer on while it comes in.
func (a *runtimeAPI) response(w http.ResponseWriter, r *http.Request) {
	inv := a.invocation(w, r)
	if inv == nil {
		return
	}
	reader, pipe := io.Pipe()
	inv.answer <- answer{contentType: r.Header.Get("Content-Type"), body: reader}
	_, err := io.Copy(pipe, r.Body)
	if err != nil {
		// Whoever asked is gone, or the process is. Lambda lets the function finish.
		_, _ = io.Copy(io.Discard, r.Body)
		err = fmt.Errorf("%w: %w", ErrExited, err)
	} else if failed := trailerError(r.Trailer); failed != nil {
		err = failed
	}
	_ = pipe.CloseWithError(err) // always nil; a nil err is io.EOF
	w.WriteHeader(http.StatusAccepted)
}

// trailerError returns the failure that ended a stream; nil for a whole one.
func trailerError(trailer http.Header) error {
	kind := trailer.Get(trailerType)
	if kind == "" {
		return nil
	}
	failed := &FunctionError{Type: kind}
	if body, err := base64.StdEncoding.DecodeString(trailer.Get(trailerBody)); err == nil {
		_ = json.Unmarshal(body, failed) // the type is known without it
	}
	return failed
}

func (a *runtimeAPI) failure(w http.ResponseWriter, r *http.Request) {
	inv := a.invocation(w, r)
	if inv == nil {
		return
	}
	failed := &FunctionError{Type: "Unhandled"}
	if err := json.NewDecoder(r.Body).Decode(failed); err != nil {
		failed.Message = "the function's error cannot be read"
	}
	inv.answer <- answer{err: failed}
	w.WriteHeader(http.StatusAccepted)
}

// initFailure ends an environment that could not start.
func (a *runtimeAPI) initFailure(w http.ResponseWriter, r *http.Request) {
	e := a.find(w, r)
	if e == nil {
		return
	}
	w.WriteHeader(http.StatusAccepted)
	go e.kill()
}

// invocation returns the invocation that a request is about.
func (a *runtimeAPI) invocation(w http.ResponseWriter, r *http.Request) *invocation {
	e := a.find(w, r)
	if e == nil {
		return nil
	}
	inv := e.invocation(r.PathValue("id"))
	if inv == nil || len(inv.answer) > 0 {
		http.Error(w, "no such invocation", http.StatusBadRequest)
		return nil
	}
	return inv
}
