package openai

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

func (p *Provider) text(ctx context.Context, c provider.Call) (provider.Answer, error) {
	r, err := chatCall(c, false)
	if err != nil {
		return provider.Answer{}, err
	}
	response, err := p.calls.Do(ctx, r)
	if err != nil {
		return provider.Answer{}, err
	}
	if !response.OK() {
		return provider.Answer{}, refusal(response)
	}
	var body chatAnswer
	if err := response.JSON(&body); err != nil {
		return provider.Answer{}, err
	}
	if len(body.Choices) == 0 {
		return provider.Answer{}, response.Bad("the provider's answer holds no text", nil)
	}
	choice := body.Choices[0]
	if choice.FinishReason == "content_filter" || choice.Message.Refusal != "" {
		return provider.Answer{}, response.Rejected(httpcall.Verdict{Class: fault.ClassModerated, Detail: choice.Message.Refusal})
	}
	answer := answered(response)
	answer.Text, answer.Model = choice.Message.Content, body.Model
	answer.FinishReason, answer.Usage = finish(choice.FinishReason), body.Usage.usage()
	return answer, nil
}

// Stream answers a text piece by piece.
func (p *Provider) Stream(ctx context.Context, c provider.Call, emit func(string) error) (provider.Answer, error) {
	if c.Request.Kind != generation.Text {
		return provider.Answer{}, httpcall.Unsupported("only text can be streamed")
	}
	r, err := chatCall(c, true)
	if err != nil {
		return provider.Answer{}, err
	}
	s := chatStream{emit: emit}
	response, err := p.calls.Stream(ctx, r, s.event)
	if err != nil {
		return provider.Answer{}, s.started(err)
	}
	if !response.OK() {
		return provider.Answer{}, refusal(response)
	}
	if s.refused != nil {
		return provider.Answer{}, s.started(response.Rejected(*s.refused))
	}
	if s.finish == "" {
		return provider.Answer{}, response.Bad("the provider's stream ended early", nil)
	}
	answer := answered(response)
	answer.Text, answer.Model = s.text.String(), s.model
	answer.FinishReason, answer.Usage = finish(s.finish), s.usage.usage()
	return answer, nil
}

// chatStream gathers the chunks of one answer.
type chatStream struct {
	emit    func(string) error
	text    strings.Builder
	model   string
	finish  string
	usage   chatUsage
	refused *httpcall.Verdict
}

func (s *chatStream) event(data []byte) error {
	if string(data) == "[DONE]" {
		return httpcall.ErrStop
	}
	var chunk chatAnswer
	if err := json.Unmarshal(data, &chunk); err != nil {
		return &fault.Failure{Class: fault.ClassBadAnswer, Unknown: true, Message: "a piece of the provider's stream cannot be read", Cause: err}
	}
	if len(chunk.Error) > 0 && string(chunk.Error) != "null" {
		var e wireError
		_ = json.Unmarshal(chunk.Error, &e)
		class := e.class(http.StatusInternalServerError)
		if class == "" {
			class = fault.ClassUnavailable
		}
		s.refused = &httpcall.Verdict{Class: class, Detail: e.Message}
		return httpcall.ErrStop
	}
	if chunk.Model != "" {
		s.model = chunk.Model
	}
	if chunk.Usage.PromptTokens > 0 {
		s.usage = chunk.Usage
	}
	if len(chunk.Choices) == 0 {
		return nil // the last chunk, which holds the usage
	}
	return s.choice(chunk.Choices[0])
}

func (s *chatStream) choice(choice chatChoice) error {
	if choice.FinishReason != "" {
		s.finish = choice.FinishReason
	}
	if choice.FinishReason == "content_filter" || choice.Delta.Refusal != "" {
		s.refused = &httpcall.Verdict{Class: fault.ClassModerated, Detail: choice.Delta.Refusal}
		return httpcall.ErrStop
	}
	if choice.Delta.Content == "" {
		return nil
	}
	s.text.WriteString(choice.Delta.Content)
	return s.emit(choice.Delta.Content)
}

// started marks a failure that came after the first piece: the caller has seen
// some of the answer, so nobody else may be asked.
func (s *chatStream) started(err error) error { return httpcall.AfterPieces(err, s.text.Len() > 0) }

func chatCall(c provider.Call, stream bool) (httpcall.Request, error) {
	body := chatRequest{
		Model: c.Model, Messages: httpcall.Messages(c.Request), MaxCompletionTokens: c.Request.MaxTokens,
		Temperature: c.Request.Temperature, Stream: stream, SafetyIdentifier: httpcall.HashUser(c.User),
	}
	if stream {
		body.StreamOptions = &streamOptions{IncludeUsage: true}
	}
	if err := httpcall.Options(c, name, &body.chatOptions); err != nil {
		return httpcall.Request{}, err
	}
	r := request(c, http.MethodPost, endpoint(c, "chat/completions"))
	if stream {
		r.Header["Accept"] = "text/event-stream"
	}
	r.Submits = true
	var err error
	r.Body, err = httpcall.JSON(body)
	return r, err
}

// finish reduces the vendor's reasons to ours.
func finish(reason string) string {
	if reason == "length" {
		return "length"
	}
	return "stop"
}
