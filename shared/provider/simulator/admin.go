package simulator

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// Names of the simulated vendors, as configs of the gateway call them.
const (
	OpenAI     = "openai"
	Stability  = "stability"
	Replicate  = "replicate"
	Runway     = "runway"
	Fal        = "fal"
	Gemini     = "gemini"
	Custom     = "custom"     // the Luma-like, Kling-like and BFL-like APIs together
	Cloudflare = "cloudflare" // AI Gateway in front of the others
)

// Providers lists the simulated vendors.
func Providers() []string {
	return []string{OpenAI, Stability, Replicate, Runway, Fal, Gemini, Custom, Cloudflare}
}

// SetFault makes the vendor misbehave, in place of any fault it had. The error
// is a *FieldError.
func (s *Server) SetFault(provider string, f Fault) error {
	if !slices.Contains(Providers(), provider) {
		return &FieldError{"provider", "is not one of " + strings.Join(Providers(), ", ")}
	}
	if err := f.validate(); err != nil {
		return err
	}
	s.faults.set(provider, f)
	return nil
}

// ClearFault lets the vendor behave again. Jobs already spoiled stay so.
func (s *Server) ClearFault(provider string) { s.faults.clear(provider) }

// Stats returns what the vendor did so far; zero for an unknown vendor.
func (s *Server) Stats(provider string) Stats { return s.stats.read(provider) }

// Admin returns the handler of the operator's routes. It checks no key: the
// caller puts its own authentication in front.
//
//	GET    /simulator                     faults and counts of every vendor
//	GET    /simulator/submits?provider=…&prompt=…   accepted creates
//	GET    /simulator/gateway             calls through AI Gateway
//	PUT    /simulator/{provider}/fault    set a Fault
//	DELETE /simulator/{provider}/fault    remove it
func (s *Server) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /simulator", s.adminState)
	mux.HandleFunc("GET /simulator/submits", s.adminSubmits)
	mux.HandleFunc("GET /simulator/gateway", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, object{"calls": s.GatewayCalls()})
	})
	mux.HandleFunc("PUT /simulator/{provider}/fault", s.adminSetFault)
	mux.HandleFunc("DELETE /simulator/{provider}/fault", s.adminClearFault)
	return mux
}

// providerState is one vendor in the answer of GET /simulator.
type providerState struct {
	Counts

	Fault *Fault `json:"fault"`
}

func (s *Server) adminState(w http.ResponseWriter, _ *http.Request) {
	states := make(map[string]providerState, len(Providers()))
	for _, name := range Providers() {
		state := providerState{Counts: s.stats.read(name).Counts}
		if f, ok := s.faults.peek(name); ok {
			state.Fault = &f
		}
		states[name] = state
	}
	writeJSON(w, http.StatusOK, object{"providers": states, "fault_names": FaultNames()})
}

func (s *Server) adminSubmits(w http.ResponseWriter, r *http.Request) {
	found := []Submit{}
	query := r.URL.Query()
	for _, name := range Providers() {
		if want := query.Get("provider"); want != "" && want != name {
			continue
		}
		for _, sub := range s.stats.read(name).Recent {
			if want := query.Get("prompt"); want == "" || want == sub.Prompt {
				found = append(found, sub)
			}
		}
	}
	writeJSON(w, http.StatusOK, object{"submits": found})
}

func (s *Server) adminSetFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		adminError(w, fieldOf(err))
		return
	}
	if err := s.SetFault(r.PathValue("provider"), f); err != nil {
		var field *FieldError
		if !errors.As(err, &field) {
			field = &FieldError{"body", err.Error()}
		}
		adminError(w, field)
		return
	}
	f, _ = s.faults.peek(r.PathValue("provider"))
	writeJSON(w, http.StatusOK, f)
}

func (s *Server) adminClearFault(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("provider")
	if !slices.Contains(Providers(), name) {
		adminError(w, &FieldError{"provider", "is not one of " + strings.Join(Providers(), ", ")})
		return
	}
	s.ClearFault(name)
	w.WriteHeader(http.StatusNoContent)
}

// fieldOf names the field that a JSON decoding error is about.
func fieldOf(err error) *FieldError {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return &FieldError{wrong.Field, "must be " + wrong.Type.String() + ", not " + wrong.Value}
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return &FieldError{strings.Trim(name, `"`), "is not a field of a fault"}
	}
	return &FieldError{"body", "is not a JSON object: " + err.Error()}
}

func adminError(w http.ResponseWriter, e *FieldError) {
	status := http.StatusBadRequest
	if e.Field == "provider" {
		status = http.StatusNotFound
	}
	writeJSON(w, status, object{"error": object{"field": e.Field, "message": e.Error()}})
}
