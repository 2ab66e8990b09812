package promptapi_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"easel/shared/fault"
)

// client is OpenAI's own client, pointed at the gateway.
func client(t *testing.T, b *bundle) openai.Client {
	t.Helper()
	server := httptest.NewServer(b.handler)
	t.Cleanup(server.Close)
	return openai.NewClient(option.WithBaseURL(server.URL+"/v1"), option.WithAPIKey(b.Key), option.WithHTTPClient(server.Client()))
}

func question() openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    "writer",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("be brief"), openai.UserMessage("hello")},
	}
}

func TestOpenAIsClientChats(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := client(t, b)
	answer, err := c.Chat.Completions.New(t.Context(), question())
	if err != nil || answer.Choices[0].Message.Content != "some words" || answer.Usage.TotalTokens != 5 {
		t.Errorf("answer = %+v, %v", answer, err)
	}
}

func TestOpenAIsClientStreams(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Desk.Streamer = &streamer{Runner: b.Runner}
	c := client(t, b)
	q := question()
	q.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	stream := c.Chat.Completions.NewStreaming(t.Context(), q)
	var whole openai.ChatCompletionAccumulator
	for stream.Next() {
		if !whole.AddChunk(stream.Current()) {
			t.Errorf("chunk %+v does not fit", stream.Current())
		}
	}
	if err := stream.Err(); err != nil || whole.Choices[0].Message.Content != "some words" || whole.Usage.TotalTokens != 5 ||
		whole.Choices[0].FinishReason != "stop" {
		t.Errorf("whole = %+v, %v", whole.ChatCompletion, err)
	}
}

func TestOpenAIsClientSeesAStreamBreak(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Desk.Streamer = &streamer{Runner: b.Runner, fail: fault.New(fault.ProviderFailed, "broken off")}
	c := client(t, b)
	stream := c.Chat.Completions.NewStreaming(t.Context(), question())
	for stream.Next() {
		_ = stream.Current()
	}
	if stream.Err() == nil {
		t.Error("the client takes half a text for a whole one")
	}
}

func TestOpenAIsClientUnderstandsErrors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := client(t, b)
	q := question()
	q.Model = "nope"
	_, err := c.Chat.Completions.New(t.Context(), q)
	e, ok := errors.AsType[*openai.Error](err)
	if !ok || e.StatusCode != http.StatusNotFound || e.Code != "model_not_found" || e.Param != "model" {
		t.Errorf("error = %+v", err)
	}
}
