package gemini

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

// gathered is an answer as it comes together, from one chunk or several.
type gathered struct {
	emit    func(string) error
	emitted bool

	text    strings.Builder
	files   []provider.File
	finish  string
	blocked string
	last    chunk
	usage   usageMetadata
	any     bool
	failed  *httpcall.Verdict
}

// event takes a chunk of a stream.
func (g *gathered) event(data []byte) error {
	var c chunk
	if err := json.Unmarshal(data, &c); err != nil {
		return &fault.Failure{Class: fault.ClassBadAnswer, Unknown: true, Message: "a piece of the provider's stream cannot be read", Cause: err}
	}
	if len(c.Error) > 0 && string(c.Error) != "null" {
		var e wireError
		_ = json.Unmarshal(c.Error, &e)
		g.failed = &httpcall.Verdict{Class: e.class(e.Code), Detail: e.Message, RetryAfter: e.retryAfter()}
		if g.failed.Class == "" {
			g.failed.Class = fault.ClassUnavailable
		}
		return httpcall.ErrStop
	}
	return g.add(c)
}

// add takes a chunk. Its error is that of emit, or of an image's encoding.
func (g *gathered) add(c chunk) error {
	g.last = c
	if c.UsageMetadata != (usageMetadata{}) {
		g.usage = c.UsageMetadata
	}
	if c.PromptFeedback.BlockReason != "" {
		g.blocked = c.PromptFeedback.BlockReason
	}
	if len(c.Candidates) == 0 {
		return nil
	}
	g.any = true
	first := c.Candidates[0]
	if first.FinishReason != "" {
		g.finish = first.FinishReason
	}
	for _, p := range first.Content.Parts {
		if err := g.part(p); err != nil {
			return err
		}
	}
	return nil
}

func (g *gathered) part(p part) error {
	switch {
	case p.Thought:
		return nil
	case p.InlineData != nil:
		data, err := base64.StdEncoding.DecodeString(p.InlineData.Data)
		if err != nil {
			return err
		}
		g.files = append(g.files, provider.File{Data: data, ContentType: p.InlineData.MIMEType})
		return nil
	case p.Text == "":
		return nil
	}
	g.text.WriteString(p.Text)
	if g.emit == nil {
		return nil
	}
	g.emitted = true
	return g.emit(p.Text)
}

// answer judges what was gathered. A refusal comes with status 200: as a reason
// why the prompt was blocked, or why the model stopped.
func (g *gathered) answer(c provider.Call, response *httpcall.Response) (provider.Answer, error) {
	image := c.Request.Kind == generation.Image
	switch {
	case g.failed != nil:
		return provider.Answer{}, response.Rejected(*g.failed)
	case g.blocked != "":
		return provider.Answer{}, response.Rejected(httpcall.Verdict{Class: fault.ClassModerated, Detail: "blocked: " + g.blocked})
	case moderates(g.finish):
		return provider.Answer{}, response.Rejected(httpcall.Verdict{Class: fault.ClassModerated, Detail: "finished: " + g.finish})
	case !g.any, g.finish == "" && len(g.files) == 0:
		return provider.Answer{}, response.Bad("the provider's answer ended early", nil)
	case image && len(g.files) == 0:
		return provider.Answer{}, response.Rejected(httpcall.Verdict{
			Class: fault.ClassJobFailed, Message: "the model answered without an image", Detail: "finished: " + g.finish,
		})
	case !image && g.finish != "STOP" && g.finish != "MAX_TOKENS":
		return provider.Answer{}, response.Rejected(httpcall.Verdict{Class: fault.ClassJobFailed, Detail: "finished: " + g.finish})
	}
	answer := provider.Answer{
		State: provider.Succeeded, RequestID: response.RequestID(), GatewayID: response.GatewayID(), Model: g.last.ModelVersion,
		Usage: generation.Usage{
			InputTokens:  g.usage.PromptTokenCount,
			OutputTokens: g.usage.CandidatesTokenCount + g.usage.ThoughtsTokenCount,
		},
	}
	if answer.RequestID == "" {
		answer.RequestID = g.last.ResponseID
	}
	if image {
		answer.Files, answer.Usage.Images = g.files, len(g.files)
		return answer, nil
	}
	answer.Text, answer.FinishReason = g.text.String(), "stop"
	if g.finish == "MAX_TOKENS" {
		answer.FinishReason = "length"
	}
	return answer, nil
}

// moderates reports whether a reason to stop is a refusal of the content. The
// others are technical. New ones appear, and say by a word what they are.
func moderates(reason string) bool {
	switch reason {
	case "BLOCKLIST", "SPII", "RECITATION", "IMAGE_RECITATION", "MODEL_ARMOR", "JAILBREAK":
		return true
	default:
		return strings.Contains(reason, "SAFETY") || strings.Contains(reason, "PROHIBITED")
	}
}
