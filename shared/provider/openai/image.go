package openai

import (
	"context"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

// What a token of the gpt-image-2 models costs, in micro-USD.
const (
	textInMicroUSD   = 5
	imageInMicroUSD  = 8
	imageOutMicroUSD = 30
)

const maxImages = 10

func (p *Provider) image(ctx context.Context, c provider.Call) (provider.Answer, error) {
	r, err := imageCall(c)
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
	var body imageAnswer
	if err := response.JSON(&body); err != nil {
		return provider.Answer{}, err
	}
	answer := answered(response)
	for _, image := range body.Data {
		file := provider.File{URL: image.URL}
		if image.B64JSON != "" {
			if file.Data, err = base64.StdEncoding.DecodeString(image.B64JSON); err != nil {
				return provider.Answer{}, response.Bad("an image in the provider's answer is not base64", err)
			}
			file.ContentType = contentType(body.OutputFormat)
		}
		if len(file.Data) > 0 || file.URL != "" {
			answer.Files = append(answer.Files, file)
		}
	}
	if len(answer.Files) == 0 {
		return provider.Answer{}, response.Bad("the provider's answer holds no image", nil)
	}
	answer.Usage = generation.Usage{
		Images: len(answer.Files), InputTokens: body.Usage.InputTokens, OutputTokens: body.Usage.OutputTokens,
		CostMicroUSD: imageCost(c.Model, body.Usage),
	}
	return answer, nil
}

// imageCall builds the request: JSON for a new image, a form for an edit.
func imageCall(c provider.Call) (httpcall.Request, error) {
	body, err := imageBody(c)
	if err != nil {
		return httpcall.Request{}, err
	}
	r := request(c, http.MethodPost, endpoint(c, "images/generations"))
	r.Submits = true
	if c.Request.Image == "" {
		if c.Request.Mask != "" {
			return httpcall.Request{}, httpcall.Invalid("mask needs an image")
		}
		r.Body, err = httpcall.JSON(body)
		return r, err
	}
	r.URL = httpcall.Join(c.BaseURL, strings.Replace(endpoint(c, "images/edits"), "images/generations", "images/edits", 1))
	r.Body, err = editForm(c.Request, body)
	return r, err
}

func imageBody(c provider.Call) (imageRequest, error) {
	req := c.Request
	if len(req.Loras) > 0 {
		return imageRequest{}, httpcall.Unsupported("this provider takes no loras")
	}
	if req.Count() > maxImages {
		return imageRequest{}, httpcall.Unsupported("this provider makes at most %d images at once", maxImages)
	}
	size, err := sizeOf(c.Model, req)
	if err != nil {
		return imageRequest{}, err
	}
	body := imageRequest{Model: c.Model, Prompt: req.Prompt, N: req.Count(), Size: size}
	if !isGPTImage(c.Model) {
		return body, nil // an imitation: only what all of them know
	}
	body.Quality, body.OutputFormat, body.SafetyIdentifier = req.Quality, req.Format, httpcall.HashUser(c.User)
	return body, httpcall.Options(c, name, &body.imageOptions)
}

func editForm(req generation.Request, body imageRequest) (*httpcall.Body, error) {
	image, err := httpcall.ParseDataURL(req.Image)
	if err != nil {
		return nil, err
	}
	var form httpcall.Form
	form.Text("model", body.Model)
	form.Text("prompt", body.Prompt)
	form.File("image", image)
	if req.Mask != "" {
		mask, err := httpcall.ParseDataURL(req.Mask)
		if err != nil {
			return nil, err
		}
		form.File("mask", mask)
	}
	form.Text("n", strconv.Itoa(body.N))
	form.Text("size", body.Size)
	form.Text("quality", body.Quality)
	form.Text("output_format", body.OutputFormat)
	form.Text("safety_identifier", body.SafetyIdentifier)
	// Edits have no moderation setting.
	form.Text("background", body.Background)
	form.Text("complexity", body.Complexity)
	if body.OutputCompression != nil {
		form.Text("output_compression", strconv.Itoa(*body.OutputCompression))
	}
	return form.Body(), nil
}

// endpoint is the path of a call: the config's own, or the usual one.
func endpoint(c provider.Call, usual string) string {
	if c.Endpoint != "" {
		return c.Endpoint
	}
	return usual
}

func isGPTImage(model string) bool {
	return strings.HasPrefix(model, "gpt-image-") || strings.HasPrefix(model, "chatgpt-image-")
}

func contentType(format string) string {
	if format == "" {
		format = "png"
	}
	if format == "svg" {
		format = "svg+xml"
	}
	return "image/" + format
}

// imageCost is what the tokens cost, 0 for a model whose price is not known here.
func imageCost(model string, u imageUsage) int64 {
	if !strings.HasPrefix(model, "gpt-image-2") {
		return 0
	}
	text, image := u.Details.TextTokens, u.Details.ImageTokens
	if text+image == 0 {
		text = u.InputTokens
	}
	return text*textInMicroUSD + image*imageInMicroUSD + u.OutputTokens*imageOutMicroUSD
}
