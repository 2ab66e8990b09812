package compat_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"easel/cmd/easel/local"
)

// client is OpenAI's client as its users make it.
func client(g *local.Gateway, options ...option.RequestOption) openai.Client {
	return openai.NewClient(append([]option.RequestOption{
		option.WithBaseURL(g.URL + "/v1"), option.WithAPIKey(g.APIKey),
	}, options...)...)
}

func TestGoClientMakesImages(t *testing.T) {
	t.Parallel()
	g := start(t)
	c := client(g)
	t.Run("as base64", func(t *testing.T) {
		t.Parallel()
		images, err := c.Images.Generate(t.Context(), openai.ImageGenerateParams{
			Prompt: "a lighthouse at dusk", Model: "gpt-image-2", N: openai.Int(2), Size: "1024x1024", Quality: openai.ImageGenerateParamsQualityLow,
		})
		if err != nil || len(images.Data) != 2 {
			t.Fatalf("images = %+v, %v", images, err)
		}
		file, err := base64.StdEncoding.DecodeString(images.Data[0].B64JSON)
		if err != nil || http.DetectContentType(file) != "image/png" {
			t.Errorf("the file is %s, %v", http.DetectContentType(file), err)
		}
	})
	t.Run("as an address", func(t *testing.T) {
		t.Parallel()
		images, err := c.Images.Generate(t.Context(), openai.ImageGenerateParams{
			Prompt: "a lighthouse at dusk", Model: "dall-e-3", ResponseFormat: openai.ImageGenerateParamsResponseFormatURL,
		})
		if err != nil || len(images.Data) != 1 || images.Data[0].B64JSON != "" {
			t.Fatalf("images = %+v, %v", images, err)
		}
		if file := download(t, images.Data[0].URL); !strings.HasPrefix(http.DetectContentType(file), "image/") {
			t.Errorf("the address serves %s", http.DetectContentType(file))
		}
	})
	t.Run("from another image", func(t *testing.T) {
		t.Parallel()
		images, err := c.Images.Edit(t.Context(), openai.ImageEditParams{
			Image:  openai.ImageEditParamsImageUnion{OfFile: openai.File(bytes.NewReader(picture(t)), "in.png", "image/png")},
			Prompt: "add a boat", Model: "gpt-image-2",
		})
		if err != nil || len(images.Data) != 1 || images.Data[0].B64JSON == "" {
			t.Fatalf("images = %+v, %v", images, err)
		}
	})
}

func TestGoClientStreamsAChatAnswer(t *testing.T) {
	t.Parallel()
	c := client(start(t))
	stream := c.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{
		Model:         "gemini-flash",
		Messages:      []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("be brief"), openai.UserMessage("describe a lighthouse")},
		StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
	})
	var whole openai.ChatCompletionAccumulator
	pieces := 0
	for stream.Next() {
		chunk := stream.Current()
		if !whole.AddChunk(chunk) {
			t.Errorf("chunk %+v does not fit", chunk)
		}
		if len(chunk.Choices) > 0 && chunk.Choices[0].Delta.Content != "" {
			pieces++
		}
	}
	if err := stream.Err(); err != nil || len(whole.Choices) != 1 || whole.Choices[0].Message.Content == "" || whole.Choices[0].FinishReason != "stop" {
		t.Fatalf("whole = %+v, %v", whole.ChatCompletion, err)
	}
	if pieces < 2 || whole.Usage.TotalTokens == 0 {
		t.Errorf("got %d pieces and %d tokens; want a stream that ends with its usage", pieces, whole.Usage.TotalTokens)
	}
}

func TestGoClientListsModels(t *testing.T) {
	t.Parallel()
	c := client(start(t))
	models, err := c.Models.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"auto", "flux-dev", "dall-e-3", "gemini-1.5-flash", "pika-1.0"} {
		if !slices.ContainsFunc(models.Data, func(m openai.Model) bool { return m.ID == name }) {
			t.Errorf("the list lacks %s", name)
		}
	}
	if m, err := c.Models.Get(t.Context(), "flux-dev"); err != nil || m.ID != "flux-dev" {
		t.Errorf("model = %+v, %v", m, err)
	}
}

func TestGoClientMakesAndDownloadsAVideo(t *testing.T) {
	t.Parallel()
	c := client(start(t))
	made, err := c.Videos.New(t.Context(), openai.VideoNewParams{
		Prompt: "waves against a pier", Model: "gen4.5", Seconds: openai.VideoSeconds4, Size: openai.VideoSize1280x720,
	})
	if err != nil {
		t.Fatal(err)
	}
	video := await(t, c, made.ID)
	if video.Status != openai.VideoStatusCompleted || video.Progress != 100 || video.Seconds != "4" {
		t.Fatalf("video = %+v", video)
	}
	content, err := c.Videos.DownloadContent(t.Context(), video.ID, openai.VideoDownloadContentParams{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = content.Body.Close() }()
	file, err := io.ReadAll(content.Body)
	if err != nil || http.DetectContentType(file) != "video/mp4" || content.Header.Get("Content-Type") != "video/mp4" {
		t.Errorf("%d bytes of %s, called %s, %v", len(file), http.DetectContentType(file), content.Header.Get("Content-Type"), err)
	}
}

// await reads a video until it has ended.
func await(t *testing.T, c openai.Client, id string) *openai.Video {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-time.After(50 * time.Millisecond) {
		video, err := c.Videos.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if video.Status == openai.VideoStatusCompleted || video.Status == openai.VideoStatusFailed {
			return video
		}
	}
	t.Fatal("the video was not made within a minute")
	return nil
}

func TestGoClientUnderstandsRefusals(t *testing.T) {
	t.Parallel()
	g := start(t)
	ask := func(t *testing.T, p openai.ImageGenerateParams, options ...option.RequestOption) *openai.Error {
		t.Helper()
		c := client(g, options...)
		_, err := c.Images.Generate(t.Context(), p)
		refusal, ok := errors.AsType[*openai.Error](err)
		if !ok {
			t.Fatalf("error = %v, want a refusal", err)
		}
		return refusal
	}
	for _, tt := range []struct {
		name    string
		params  openai.ImageGenerateParams
		options []option.RequestOption
		want    [4]string // type, code, param, status
	}{
		{
			"a wrong key",
			openai.ImageGenerateParams{Prompt: "a"},
			[]option.RequestOption{option.WithAPIKey("sk-wrong")},
			[4]string{"invalid_request_error", "invalid_api_key", "", "401 Unauthorized"},
		},
		{
			"a size that does not exist",
			openai.ImageGenerateParams{Prompt: "a", Size: "7x7", Model: "gpt-image-2"},
			nil,
			[4]string{"invalid_request_error", "invalid_input", "size", "400 Bad Request"},
		},
		{
			"a model that does not exist",
			openai.ImageGenerateParams{Prompt: "a", Model: "nope"},
			nil,
			[4]string{"invalid_request_error", "model_not_found", "model", "404 Not Found"},
		},
		{
			"an account without credits",
			openai.ImageGenerateParams{Prompt: "a"},
			[]option.RequestOption{option.WithAPIKey(g.AdminKey), option.WithHeader("X-Easel-Account", "poor")},
			[4]string{"insufficient_quota", "insufficient_credits", "", "402 Payment Required"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := ask(t, tt.params, tt.options...)
			if got := [4]string{e.Type, e.Code, e.Param, e.Response.Status}; got != tt.want || e.Message == "" {
				t.Errorf("refused with %q %q, want %q", got, e.Message, tt.want)
			}
		})
	}
}

func download(t *testing.T, url string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	file, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("the address answers %s, %v", response.Status, err)
	}
	return file
}
