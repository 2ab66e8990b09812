package openai

import (
	"encoding/json"

	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

// imageRequest is the body of /images/generations. The fields of an edit are the
// same, sent as a form.
type imageRequest struct {
	Model            string `json:"model"`
	Prompt           string `json:"prompt"`
	N                int    `json:"n,omitempty"`
	Size             string `json:"size,omitempty"`
	Quality          string `json:"quality,omitempty"`
	OutputFormat     string `json:"output_format,omitempty"`
	SafetyIdentifier string `json:"safety_identifier,omitempty"`
	imageOptions
}

// imageOptions are settings that callers and configs may pass through.
type imageOptions struct {
	Background        string `json:"background,omitempty"`
	Complexity        string `json:"complexity,omitempty"`
	Moderation        string `json:"moderation,omitempty"`
	OutputCompression *int   `json:"output_compression,omitempty"`
}

type imageAnswer struct {
	Data         []imageData `json:"data"`
	OutputFormat string      `json:"output_format"`
	Usage        imageUsage  `json:"usage"`
}

type imageData struct {
	B64JSON string `json:"b64_json"`
	URL     string `json:"url"`
}

type imageUsage struct {
	InputTokens  int64 `json:"input_tokens"`
	OutputTokens int64 `json:"output_tokens"`
	Details      struct {
		TextTokens  int64 `json:"text_tokens"`
		ImageTokens int64 `json:"image_tokens"`
	} `json:"input_tokens_details"`
}

// chatRequest is the body of /chat/completions.
type chatRequest struct {
	Model               string               `json:"model"`
	Messages            []generation.Message `json:"messages"`
	MaxCompletionTokens int                  `json:"max_completion_tokens,omitempty"`
	Temperature         *float64             `json:"temperature,omitempty"`
	Stream              bool                 `json:"stream,omitempty"`
	StreamOptions       *streamOptions       `json:"stream_options,omitempty"`
	SafetyIdentifier    string               `json:"safety_identifier,omitempty"`
	chatOptions
}

// chatOptions are settings that callers and configs may pass through.
type chatOptions struct {
	TopP            *float64 `json:"top_p,omitempty"`
	ReasoningEffort string   `json:"reasoning_effort,omitempty"`
	ServiceTier     string   `json:"service_tier,omitempty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

// chatAnswer is both a whole completion and a chunk of a streamed one.
type chatAnswer struct {
	Model   string       `json:"model"`
	Choices []chatChoice `json:"choices"`
	Usage   chatUsage    `json:"usage"`
	// Error is only found in streams.
	Error json.RawMessage `json:"error"`
}

type chatChoice struct {
	Message      chatMessage `json:"message"`
	Delta        chatMessage `json:"delta"`
	FinishReason string      `json:"finish_reason"`
}

type chatMessage struct {
	Content string `json:"content"`
	Refusal string `json:"refusal"`
}

type chatUsage struct {
	PromptTokens     int64 `json:"prompt_tokens"`
	CompletionTokens int64 `json:"completion_tokens"`
}

func (u chatUsage) usage() generation.Usage {
	return generation.Usage{InputTokens: u.PromptTokens, OutputTokens: u.CompletionTokens}
}

type modelList struct {
	Data []struct {
		ID           string `json:"id"`
		ShutdownDate string `json:"shutdown_date"`
	} `json:"data"`
}

// answered is what every success has in common.
func answered(response *httpcall.Response) provider.Answer {
	return provider.Answer{State: provider.Succeeded, RequestID: response.RequestID(), GatewayID: response.GatewayID()}
}
