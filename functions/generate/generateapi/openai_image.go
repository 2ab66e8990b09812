package generateapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/httpapi"
	"easel/shared/intake"
	"easel/shared/task"
)

// imageBody is what the gateway understands of OpenAI's image routes. Members
// that are not here are ignored.
type imageBody struct {
	Prompt         string `json:"prompt,omitempty"`
	Model          string `json:"model,omitempty"`
	N              *int   `json:"n,omitempty"`
	Size           string `json:"size,omitempty"`
	Quality        string `json:"quality,omitempty"`
	ResponseFormat string `json:"response_format,omitempty"`
	OutputFormat   string `json:"output_format,omitempty"`
	Background     string `json:"background,omitempty"`
	Style          string `json:"style,omitempty"`
	User           string `json:"user,omitempty"`
	Stream         bool   `json:"stream,omitempty"`
	// Image and Mask come in a form, as data URLs here.
	Image string `json:"-"`
	Mask  string `json:"-"`
}

const (
	formatURL    = "url"
	formatBase64 = "b64_json"
	// base64Family answers with the image itself unless it is asked for a URL.
	base64Family = "gpt-image"
)

// format is how the images are answered: as asked for, else as OpenAI's models do.
func (b *imageBody) format() string {
	switch {
	case b.ResponseFormat != "":
		return b.ResponseFormat
	case strings.HasPrefix(b.Model, base64Family):
		return formatBase64
	default:
		return formatURL
	}
}

// request translates OpenAI's words into the gateway's.
func (b *imageBody) request() (generation.Request, error) {
	var f fault.Fields
	f.Check(!b.Stream, "stream", "must be false: partial images are not supported")
	f.Check(b.format() == formatURL || b.format() == formatBase64, "response_format", "must be url or b64_json")
	r := generation.Request{
		Kind: generation.Image, Model: b.Model, Prompt: b.Prompt, N: positive(&f, "n", b.N), Size: unlessAuto(b.Size),
		Quality: unlessAuto(b.Quality), Format: b.OutputFormat, Image: b.Image, Mask: b.Mask,
	}
	switch r.Quality {
	case "standard":
		r.Quality = ""
	case "hd":
		r.Quality = "high"
	}
	for name, value := range map[string]string{"background": unlessAuto(b.Background), "style": b.Style} {
		if value == "" {
			continue
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return r, err
		}
		if r.Options == nil {
			r.Options = map[string]json.RawMessage{}
		}
		r.Options[name] = encoded
	}
	return r, f.Err()
}

// blank names the members for which OpenAI's word for the default was given.
func (b *imageBody) blank() []string {
	var names []string
	if b.Size == auto {
		names = append(names, "size", "aspect_ratio")
	}
	if b.Quality == auto || b.Quality == "standard" {
		names = append(names, "quality")
	}
	return names
}

// auto is OpenAI's word for the default.
const auto = "auto"

// unlessAuto is value, or nothing where it is OpenAI's word for the default.
func unlessAuto(value string) string {
	if value == auto {
		return ""
	}
	return value
}

func (h *handler) openAIGenerate(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	var b imageBody
	if err := httpapi.DecodeLoose(w, r, httpapi.MaxBody, &b); err != nil {
		return err
	}
	return h.openAIImages(w, r, c, b, b)
}

// openAIEdit takes the image to edit as a form, as OpenAI's clients send it.
func (h *handler) openAIEdit(w http.ResponseWriter, r *http.Request, c httpapi.Caller) error {
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	defer form.close()
	b := imageBody{
		Prompt: form.text("prompt"), Model: form.text("model"), N: form.number("n"), Size: form.text("size"),
		Quality: form.text("quality"), ResponseFormat: form.text("response_format"), OutputFormat: form.text("output_format"),
		Background: form.text("background"), User: form.text("user"), Stream: form.text("stream") == "true",
		Image: form.image("image"), Mask: form.image("mask"),
	}
	form.fields.Check(b.Image != "", "image", "must be a file with the image to edit")
	if err := form.fields.Err(); err != nil {
		return err
	}
	return h.openAIImages(w, r, c, b, form.fingerprint(b))
}

// openAIImages places the request and answers with its images. identity is what
// an idempotency key stands for.
func (h *handler) openAIImages(w http.ResponseWriter, r *http.Request, c httpapi.Caller, b imageBody, identity any) error {
	request, err := b.request()
	if err != nil {
		return err
	}
	t, err := h.openAITicket(r, c, request, b.User, identity)
	if err != nil {
		return err
	}
	t.Wait, t.Blank = h.MaxWait, b.blank()
	placed, err := h.place(w, r, c, t)
	if err != nil {
		return httpapi.ModelNotFound(err)
	}
	if err := ended(placed.Task); err != nil {
		return err
	}
	answer, err := h.images(r.Context(), placed.Task, b.format())
	if err != nil {
		return err
	}
	answer.Notice = placed.Model.Advice()
	return httpapi.Write(w, http.StatusOK, answer)
}

func (h *handler) openAITicket(r *http.Request, c httpapi.Caller, request generation.Request, user string, identity any) (intake.Ticket, error) {
	t := ticketOf(r, c, request)
	if user != "" {
		t.User = user
	}
	var err error
	if t.IdempotencyKey, err = httpapi.IdempotencyKey(r); err != nil {
		return t, err
	}
	t.Hash, err = httpapi.Fingerprint(r, identity)
	return t, err
}

// ended is the error of a task that has no result, nil for one that succeeded.
func ended(t task.Task) error {
	switch {
	case t.Status == task.Succeeded:
		return nil
	case t.Status.Terminal():
		return taskFailure(t)
	default:
		return fault.New(fault.DeadlineExceeded, "the generation goes on; read it at /api/task/%s", t.ID)
	}
}

// openAIImage is one image: either its address or itself.
type openAIImage struct {
	URL     string `json:"url,omitempty"`
	B64JSON string `json:"b64_json,omitempty"`
}

type openAIImages struct {
	Created int64         `json:"created"`
	Data    []openAIImage `json:"data"`
	// Notice is a sentence about the model's name, which OpenAI's form does not have.
	Notice string `json:"notice,omitempty"`
}

func (h *handler) images(ctx context.Context, t task.Task, format string) (openAIImages, error) {
	answer := openAIImages{Created: t.CreatedAt.Unix(), Data: make([]openAIImage, len(t.Outputs))}
	for i, output := range t.Outputs {
		var err error
		if format == formatURL {
			answer.Data[i].URL, err = h.Signer.Sign(ctx, output.Key, httpapi.OutputTTL)
		} else {
			answer.Data[i].B64JSON, err = h.base64(ctx, output.Key)
		}
		if err != nil {
			return answer, fmt.Errorf("answer with an image: %w", err)
		}
	}
	return answer, nil
}

func (h *handler) base64(ctx context.Context, key string) (string, error) {
	file, err := h.Files.OpenFile(ctx, key)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(file)
	return base64.StdEncoding.EncodeToString(data), err
}
