package generateapi

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/task"
)

// videoBody is what the gateway understands of OpenAI's video route. Seconds is
// text there.
type videoBody struct {
	Prompt  string  `json:"prompt,omitempty"`
	Model   string  `json:"model,omitempty"`
	Seconds seconds `json:"seconds,omitempty"`
	Size    string  `json:"size,omitempty"`
	User    string  `json:"user,omitempty"`
	// Image comes in a form as the file input_reference, and is a data URL here.
	Image string `json:"-"`
}

// seconds is a whole number that may be written as text.
type seconds string

// UnmarshalJSON reads "8" and 8.
func (s *seconds) UnmarshalJSON(raw []byte) error {
	text := string(raw)
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	if text != "null" {
		*s = seconds(text)
	}
	return nil
}

func (b *videoBody) request() (generation.Request, error) {
	r := generation.Request{Kind: generation.Video, Model: b.Model, Prompt: b.Prompt, Size: unlessAuto(b.Size), Image: b.Image}
	if b.Seconds != "" {
		n, err := strconv.Atoi(string(b.Seconds))
		if err != nil || n < 1 {
			return r, fault.Invalid("seconds", "must be a whole number, 1 or more")
		}
		r.Duration = n
	}
	return r, nil
}

// video is a task in the form of OpenAI's videos.
type video struct {
	ID          string      `json:"id"`
	Object      string      `json:"object"`
	Model       string      `json:"model"`
	Status      string      `json:"status"`
	Progress    int         `json:"progress"`
	Prompt      string      `json:"prompt"`
	CreatedAt   int64       `json:"created_at"`
	CompletedAt *int64      `json:"completed_at"`
	ExpiresAt   *int64      `json:"expires_at"`
	Seconds     string      `json:"seconds"`
	Size        string      `json:"size"`
	Error       *videoError `json:"error"`
	// RemixedFromVideoID is always null.
	RemixedFromVideoID *string `json:"remixed_from_video_id"`
	// Notice is a sentence about the model's name, which OpenAI's form does not have.
	// Only the answer that begins a video has it.
	Notice string `json:"notice,omitempty"`
}

type videoError struct {
	Code    fault.Code `json:"code"`
	Message string     `json:"message"`
}

func videoOf(t task.Task) video {
	v := video{
		ID: t.ID, Object: "video", Model: t.Model, Status: videoStatus(t.Status), Progress: int(t.Progress * 100),
		Prompt: t.Request.Prompt, CreatedAt: t.CreatedAt.Unix(), Size: t.Request.Size,
	}
	if t.Request.Duration > 0 {
		v.Seconds = strconv.Itoa(t.Request.Duration)
	}
	if !t.FinishedAt.IsZero() {
		at := t.FinishedAt.Unix()
		v.CompletedAt = &at
	}
	if t.Status != task.Succeeded && t.Status.Terminal() {
		v.Error = &videoError{Code: fault.ProviderFailed, Message: "the task ended as " + string(t.Status)}
		if t.Error != nil {
			v.Error = &videoError{Code: t.Error.Code, Message: t.Error.Message}
		}
	}
	return v
}

func videoStatus(s task.Status) string {
	switch s {
	case task.Queued:
		return "queued"
	case task.Processing:
		return "in_progress"
	case task.Succeeded:
		return "completed"
	default:
		return "failed"
	}
}

// createVideo begins a video; OpenAI's clients send a form or JSON.
func (h *handler) createVideo(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	b, identity, err := readVideo(w, r)
	if err != nil {
		return err
	}
	request, err := b.request()
	if err != nil {
		return err
	}
	t, err := h.openAITicket(r, c, request, b.User, identity)
	if err != nil {
		return err
	}
	if b.Size == auto {
		t.Blank = []string{"size", "aspect_ratio"}
	}
	placed, err := h.place(w, r, c, t)
	if err != nil {
		return httpapi.ModelNotFound(err)
	}
	answer := videoOf(placed.Task)
	answer.Notice = placed.Model.Advice()
	return httpapi.Write(w, http.StatusOK, answer)
}

func readVideo(w http.ResponseWriter, r *http.Request) (b videoBody, identity any, err error) {
	if !isForm(r) {
		err = httpapi.DecodeLoose(w, r, httpapi.MaxBody, &b)
		return b, b, err
	}
	form, err := readForm(w, r)
	if err != nil {
		return b, nil, err
	}
	defer form.close()
	b = videoBody{
		Prompt: form.text("prompt"), Model: form.text("model"), Seconds: seconds(form.text("seconds")),
		Size: form.text("size"), User: form.text("user"), Image: form.image("input_reference"),
	}
	return b, form.fingerprint(b), form.fields.Err()
}

// ownVideo returns the caller's video task, or a NotFound error.
func (h *handler) ownVideo(r *http.Request, c httpapi.Caller) (task.Task, error) {
	t, err := httpapi.OwnTask(r.Context(), h.Tasks, r.PathValue("id"), c.Account)
	if err == nil && t.Kind != generation.Video {
		err = fault.New(fault.NotFound, "there is no such video")
	}
	return t, err
}

func (h *handler) readVideo(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	t, err := h.ownVideo(r, c)
	if err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusOK, videoOf(t))
}

// videoContent answers with the film itself.
func (h *handler) videoContent(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	t, err := h.ownVideo(r, c)
	if err != nil {
		return err
	}
	if v := r.URL.Query().Get("variant"); v != "" && v != "video" {
		return fault.Invalid("variant", "must be video")
	}
	if len(t.Outputs) == 0 {
		return fault.New(fault.Conflict, "the video has no content: its status is %s", videoStatus(t.Status))
	}
	output := t.Outputs[0]
	file, err := h.Files.OpenFile(r.Context(), output.Key)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	w.Header().Set("Content-Type", output.ContentType)
	w.Header().Set("Content-Length", strconv.FormatInt(output.Bytes, 10))
	w.WriteHeader(http.StatusOK)
	if _, err := io.Copy(w, file); err != nil {
		panic(http.ErrAbortHandler) // half a film must not pass for a whole one
	}
	return nil
}

// deletedVideo is the answer to a deletion.
type deletedVideo struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Deleted bool   `json:"deleted"`
}

// deleteVideo cancels a video that is being made. One that has ended goes by
// itself when its retention is over, and is a conflict until then.
func (h *handler) deleteVideo(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	t, err := h.ownVideo(r, c)
	if err != nil {
		return err
	}
	if _, err := h.Canceler.Cancel(r.Context(), t); err != nil {
		return err
	}
	return httpapi.Write(w, http.StatusOK, deletedVideo{ID: t.ID, Object: "video.deleted", Deleted: true})
}

// openAIModel is a model as OpenAI lists it.
type openAIModel struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
	// ShutdownDate is the day after which the model may be gone, null when none is announced.
	ShutdownDate *string `json:"shutdown_date"`
}

func openAIModelOf(name string, retires time.Time) openAIModel {
	m := openAIModel{ID: name, Object: "model", Created: modelsSince().Unix(), OwnedBy: "easel"}
	if !retires.IsZero() {
		day := retires.UTC().Format(time.DateOnly)
		m.ShutdownDate = &day
	}
	return m
}

// modelsSince is the date that every model is listed with: the catalog keeps none.
func modelsSince() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// openAIModels lists every name that a request may use, aliases too.
func (h *handler) openAIModels(w http.ResponseWriter, r *http.Request, _ httpapi.Caller) error {
	view, err := h.Views.View(r.Context())
	if err != nil {
		return err
	}
	list := []openAIModel{}
	for _, m := range view.Models.Models() {
		if m.Hidden {
			continue
		}
		list = append(list, openAIModelOf(m.Name, m.RetiresAt))
		for _, a := range m.Aliases {
			list = append(list, openAIModelOf(a.Name, m.RetiresAt))
		}
	}
	return httpapi.Write(w, http.StatusOK, map[string]any{"object": "list", "data": list})
}

func (h *handler) openAIModel(w http.ResponseWriter, r *http.Request, _ httpapi.Caller) error {
	view, err := h.Views.View(r.Context())
	if err != nil {
		return err
	}
	name := r.PathValue("model")
	m, err := view.Models.Resolve("", name)
	if err != nil {
		return httpapi.ModelNotFound(err)
	}
	return httpapi.Write(w, http.StatusOK, openAIModelOf(name, m.RetiresAt))
}
