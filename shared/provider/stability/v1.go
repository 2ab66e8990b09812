package stability

import (
	"context"
	"encoding/base64"
	"net/url"

	"easel/shared/fault"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

const maxSamples = 10

func (p *Provider) v1(ctx context.Context, c provider.Call) (provider.Answer, error) {
	body, err := v1Body(c)
	if err != nil {
		return provider.Answer{}, err
	}
	path := c.Endpoint
	if path == "" {
		path = "v1/generation/" + url.PathEscape(c.Model) + "/text-to-image"
	}
	r := request(c, path)
	if r.Body, err = httpcall.JSON(body); err != nil {
		return provider.Answer{}, err
	}
	response, err := p.calls.Do(ctx, r)
	if err != nil {
		return provider.Answer{}, err
	}
	if !response.OK() {
		return provider.Answer{}, refusal(response)
	}
	files, err := v1Files(response)
	if err != nil {
		return provider.Answer{}, err
	}
	return answered(response, files, 0), nil
}

func v1Body(c provider.Call) (v1Request, error) {
	req := c.Request
	switch {
	case req.Count() > maxSamples:
		return v1Request{}, httpcall.Unsupported("this provider makes at most %d images at once", maxSamples)
	case req.Image != "":
		return v1Request{}, httpcall.Unsupported("this model takes no input image")
	case req.Format != "" && req.Format != "png":
		return v1Request{}, httpcall.Unsupported("this model makes png only")
	}
	size, err := v1Size(req)
	if err != nil {
		return v1Request{}, err
	}
	body := v1Request{
		TextPrompts: []v1Prompt{{Text: req.Prompt, Weight: 1}},
		Width:       size.width, Height: size.height, Samples: req.Count(), Seed: req.Seed,
	}
	if req.NegativePrompt != "" {
		body.TextPrompts = append(body.TextPrompts, v1Prompt{Text: req.NegativePrompt, Weight: -1})
	}
	return body, httpcall.Options(c, name, &body.v1Options)
}

// v1Files reads a success. A filtered picture is left out; when none is left the
// whole answer is a refusal.
func v1Files(response *httpcall.Response) ([]provider.File, error) {
	var body v1Answer
	if err := response.JSON(&body); err != nil {
		return nil, err
	}
	files := make([]provider.File, 0, len(body.Artifacts))
	filtered := false
	for _, artifact := range body.Artifacts {
		if artifact.FinishReason == finishFiltered {
			filtered = true
			continue
		}
		if artifact.FinishReason != finishSuccess {
			continue
		}
		data, err := base64.StdEncoding.DecodeString(artifact.Base64)
		if err != nil || len(data) == 0 {
			return nil, response.Bad("an image in the provider's answer is not base64", err)
		}
		files = append(files, provider.File{Data: data, ContentType: "image/png"})
	}
	switch {
	case len(files) > 0:
		return files, nil
	case filtered:
		return nil, response.Rejected(httpcall.Verdict{Class: fault.ClassModerated, Detail: finishFiltered})
	case len(body.Artifacts) > 0:
		// Every artifact says ERROR: the vendor tried, failed, and bills nothing.
		return nil, response.Rejected(httpcall.Verdict{Class: fault.ClassUnavailable, Detail: body.Artifacts[0].FinishReason})
	default:
		return nil, response.Bad("the provider's answer holds no image", nil)
	}
}
