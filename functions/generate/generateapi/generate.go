package generateapi

import (
	"net/http"
	"strconv"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/intake"
)

// retryAfter is how long a caller should wait before it looks at a task again.
func retryAfter(k generation.Kind) time.Duration {
	if k == generation.Video {
		return 5 * time.Second
	}
	return 2 * time.Second
}

// generate begins a task: 202 with the task, 200 when it ended within the wait.
func (h *handler) generate(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	t, err := ticket(w, r, c)
	if err != nil {
		return err
	}
	preference := httpapi.Prefer(r, h.MaxWait)
	t.Wait = preference.Wait
	placed, err := h.place(w, r, c, t)
	if err != nil {
		return err
	}
	view, err := h.view(r, placed)
	if err != nil {
		return err
	}
	preference.Apply(w.Header())
	return h.answer(w, placed, view)
}

// place checks a ticket for an image or a video and places it. The answer's
// headers tell of a deprecated name, whatever comes of the task.
func (h *handler) place(w http.ResponseWriter, r *http.Request, c httpapi.Caller, t intake.Ticket) (intake.Placed, error) {
	t.Cache = httpapi.CacheWish(w, r, c)
	checked, err := h.Desk.Check(r.Context(), t)
	if err != nil {
		return intake.Placed{}, err
	}
	if checked.Model.Kind == generation.Text {
		return intake.Placed{}, fault.Invalid("model", "makes text; use POST /api/prompt")
	}
	httpapi.Deprecate(w.Header(), checked.Model)
	if err := httpapi.AdmitUser(w, r, h.Auth, c, checked.User); err != nil {
		return intake.Placed{}, err
	}
	return h.Desk.Place(r.Context(), checked)
}

// view renders a task that was just placed, with a word on the name that was asked for.
func (h *handler) view(r *http.Request, p intake.Placed) (httpapi.Task, error) {
	view, err := httpapi.TaskOf(r.Context(), p.Task, h.Signer)
	view.Notice = p.Model.Advice()
	return view, err
}

// answer writes a task with the status and headers that go with it.
func (h *handler) answer(w http.ResponseWriter, p intake.Placed, body any) error {
	header := w.Header()
	header.Set("Location", "/api/task/"+p.Task.ID)
	if p.Replayed {
		header.Set("Idempotent-Replayed", "true")
	}
	if p.Task.Status.Terminal() {
		return httpapi.Write(w, http.StatusOK, body)
	}
	header.Set("Retry-After", strconv.Itoa(int(retryAfter(p.Task.Kind).Seconds())))
	return httpapi.Write(w, http.StatusAccepted, body)
}
