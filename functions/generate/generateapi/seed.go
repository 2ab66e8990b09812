package generateapi

import (
	"errors"
	"net/http"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/task"
)

// seedAnswer is what the seed routes answer. Error is null on success.
type seedAnswer struct {
	Success        bool          `json:"success"`
	Data           *httpapi.Task `json:"data"`
	Error          *string       `json:"error"`
	ResponseTimeMS int64         `json:"response_time_ms"`
	APIConfigID    *string       `json:"api_config_id"`
}

func (h *handler) seedImage(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	return h.seed(w, r, c, generation.Image)
}

func (h *handler) seedVideo(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	return h.seed(w, r, c, generation.Video)
}

// seed generates and waits for the end. What goes wrong is told as a problem
// that has the seed answer's members too.
func (h *handler) seed(w http.ResponseWriter, r *http.Request, c httpapi.Caller, kind generation.Kind) error {
	started := h.Now()
	took := func() int64 { return h.Now().Sub(started).Milliseconds() }
	t, err := ticket(w, r, c)
	if err == nil && t.Request.Kind != "" && t.Request.Kind != kind {
		err = fault.Invalid("kind", "must be %s on this path", kind)
	}
	if err != nil {
		return seedFailure(err, nil, took())
	}
	t.Request.Kind = kind
	t.Wait = h.MaxWait
	if p := httpapi.Prefer(r, h.MaxWait); p.Wait > 0 {
		t.Wait = p.Wait
	}
	placed, err := h.place(w, r, c, t)
	if err != nil {
		return seedFailure(err, nil, took())
	}
	view, err := h.view(r, placed)
	if err != nil {
		return err
	}
	answer := seedAnswer{Data: &view, ResponseTimeMS: took(), APIConfigID: view.APIConfigID}
	switch {
	case placed.Task.Status == task.Succeeded:
		answer.Success = true
	case placed.Task.Status.Terminal():
		return seedFailure(taskFailure(placed.Task), &view, took())
	default:
		text := "the generation goes on; read it at /api/task/" + placed.Task.ID
		answer.Error = &text
	}
	return h.answer(w, placed, answer)
}

// seedFailure adds the seed answer's members to a refusal.
func seedFailure(err error, view *httpapi.Task, took int64) error {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	var data, config any
	if view != nil {
		data = view
		if n := len(view.Attempts); n > 0 {
			config = view.Attempts[n-1].Config
		}
	}
	return e.With("success", false).With("data", data).With("error", e.Message).
		With("response_time_ms", took).With("api_config_id", config)
}

// taskFailure is the error that a task ended with, as an answer of its own.
func taskFailure(t task.Task) error {
	if t.Error == nil {
		return fault.New(fault.ProviderFailed, "the task ended as %s", t.Status)
	}
	code := t.Error.Code
	if t.Status == task.Canceled {
		code = fault.Conflict
	}
	return fault.New(code, "%s", t.Error.Message).With("task", t.ID)
}
