package generateapi_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"easel/shared/intake/intaketest"
)

// client is OpenAI's own client, pointed at the gateway.
func client(t *testing.T, b *bundle) openai.Client {
	t.Helper()
	server := httptest.NewServer(b.handler)
	t.Cleanup(server.Close)
	return openai.NewClient(option.WithBaseURL(server.URL+"/v1"), option.WithAPIKey(b.Key), option.WithHTTPClient(server.Client()))
}

func TestOpenAIsClientMakesImages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := client(t, b)
	images, err := c.Images.Generate(t.Context(), openai.ImageGenerateParams{
		Prompt: "a lighthouse", Model: "gpt-image-1", N: openai.Int(2), Size: openai.ImageGenerateParamsSize1024x1024,
		Quality: openai.ImageGenerateParamsQualityHigh, Background: openai.ImageGenerateParamsBackgroundAuto,
	})
	if err != nil || len(images.Data) != 2 || images.Data[0].B64JSON == "" {
		t.Fatalf("images = %+v, %v", images, err)
	}
	edited, err := c.Images.Edit(t.Context(), openai.ImageEditParams{
		Image:  openai.ImageEditParamsImageUnion{OfFile: openai.File(bytes.NewReader(picture(t)), "in.png", "image/png")},
		Prompt: "add a boat", Model: "painter",
	})
	if err != nil || len(edited.Data) != 1 || edited.Data[0].URL == "" {
		t.Fatalf("edited = %+v, %v", edited, err)
	}
}

// OpenAI ends its own video service, and with it deprecates these methods; the
// gateway goes on speaking the protocol.
func TestOpenAIsClientMakesAVideo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := client(t, b)
	video, err := c.Videos.New(t.Context(), openai.VideoNewParams{Prompt: "waves", Model: "mover", Seconds: openai.VideoSeconds4})
	if err != nil || video.Status != openai.VideoStatusQueued || video.Seconds != "4" {
		t.Fatalf("video = %+v, %v", video, err)
	}
	b.Work(t)
	video, err = c.Videos.Get(t.Context(), video.ID)
	if err != nil || video.Status != openai.VideoStatusCompleted {
		t.Fatalf("video = %+v, %v", video, err)
	}
	content, err := c.Videos.DownloadContent(t.Context(), video.ID, openai.VideoDownloadContentParams{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = content.Body.Close() }()
	if data, err := io.ReadAll(content.Body); err != nil || string(data) != "picture" {
		t.Errorf("content = %q, %v", data, err)
	}
	if _, err := c.Videos.Delete(t.Context(), video.ID); status(err) != http.StatusConflict {
		t.Errorf("delete = %v, want a conflict", err)
	}
}

func TestOpenAIsClientListsModels(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := client(t, b)
	models, err := c.Models.List(t.Context())
	if err != nil || len(models.Data) == 0 || models.Data[0].Object != "model" {
		t.Fatalf("models = %+v, %v", models, err)
	}
	if _, err := c.Models.Get(t.Context(), "nope"); status(err) != http.StatusNotFound {
		t.Errorf("get = %v, want not found", err)
	}
}

func TestOpenAIsClientUnderstandsErrorsAndDoesNotRepeatThem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := client(t, b)
	b.Config.Models[0].Price.Credits = intaketest.Credits + 1
	_, err := c.Images.Generate(t.Context(), openai.ImageGenerateParams{Prompt: "a"})
	e, ok := errors.AsType[*openai.Error](err)
	if !ok || e.StatusCode != http.StatusPaymentRequired || e.Code != "insufficient_credits" || e.Type != "insufficient_quota" {
		t.Errorf("error = %+v", err)
	}
	b.WantUntouched(t)
}

func status(err error) int {
	if e, ok := errors.AsType[*openai.Error](err); ok {
		return e.StatusCode
	}
	return 0
}
