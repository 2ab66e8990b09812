package stability

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

const (
	basePath = "v2beta/stable-image/generate/"
	// defaultStrength is used for an input image without a strength, which the
	// vendor then insists on.
	defaultStrength = 0.65
	// microUSDPerHalfCredit: a credit is a cent.
	microUSDPerHalfCredit = 5_000
)

func (p *Provider) v2(ctx context.Context, c provider.Call) (provider.Answer, error) {
	service, path, err := serviceOf(c)
	if err != nil {
		return provider.Answer{}, err
	}
	form, err := v2Form(c, service)
	if err != nil {
		return provider.Answer{}, err
	}
	r := request(c, path)
	r.Body = form.Body()
	response, err := p.calls.Do(ctx, r)
	if err != nil {
		return provider.Answer{}, err
	}
	if !response.OK() {
		return provider.Answer{}, refusal(response)
	}
	file, err := v2File(response)
	if err != nil {
		return provider.Answer{}, err
	}
	return answered(response, []provider.File{file}, v2Cost(service, c.Model)), nil
}

// serviceOf returns which of the three services makes the model, and its path.
func serviceOf(c provider.Call) (service, path string, err error) {
	if c.Endpoint != "" {
		return c.Endpoint[strings.LastIndex(c.Endpoint, "/")+1:], c.Endpoint, nil
	}
	switch model := strings.TrimPrefix(c.Model, "stable-image-"); {
	case model == "core" || model == "ultra":
		service = model
	case strings.HasPrefix(model, "sd3"):
		service = "sd3"
	default:
		return "", "", httpcall.Unsupported("this provider does not make this model")
	}
	return service, basePath + service, nil
}

func v2Form(c provider.Call, service string) (*httpcall.Form, error) {
	req := c.Request
	if req.Count() > 1 {
		return nil, httpcall.Unsupported("this model makes one image at a time")
	}
	var options v2Options
	if err := httpcall.Options(c, name, &options); err != nil {
		return nil, err
	}
	form := new(httpcall.Form)
	form.Text("prompt", req.Prompt)
	form.Text("negative_prompt", req.NegativePrompt)
	form.Text("output_format", req.Format)
	if req.Seed != nil {
		form.Text("seed", strconv.FormatInt(*req.Seed, 10))
	}
	if service == "core" {
		form.Text("style_preset", options.StylePreset)
	}
	if service == "sd3" {
		form.Text("model", strings.TrimPrefix(c.Model, "stable-image-"))
		if options.CFGScale != nil {
			form.Text("cfg_scale", number(*options.CFGScale))
		}
	}
	if req.Image != "" {
		return form, addImage(form, service, req)
	}
	ratio, err := v2Ratio(req)
	if err != nil {
		return nil, err
	}
	form.Text("aspect_ratio", ratio)
	return form, nil
}

// addImage adds what image-to-image takes; the picture keeps the input's ratio.
func addImage(form *httpcall.Form, service string, req generation.Request) error {
	if service == "core" {
		return httpcall.Unsupported("this model takes no input image")
	}
	image, err := httpcall.ParseDataURL(req.Image)
	if err != nil {
		return err
	}
	strength := defaultStrength
	if req.Strength != nil {
		strength = *req.Strength
	}
	form.File("image", image)
	form.Text("strength", number(strength))
	if service == "sd3" {
		form.Text("mode", "image-to-image")
	}
	return nil
}

// v2File reads a success: JSON as asked for, or bytes, which is the vendor's default.
func v2File(response *httpcall.Response) (provider.File, error) {
	// A JSON answer says "application/json; type=image/png", which is no valid
	// parameter by the standard (it has a slash), so it is cut by hand.
	mediaType, inner, _ := strings.Cut(response.Header.Get("Content-Type"), "; type=")
	reason, file := response.Header.Get("Finish-Reason"), provider.File{Data: response.Body, ContentType: mediaType}
	if !strings.HasPrefix(mediaType, "image/") {
		var body v2Answer
		if err := response.JSON(&body); err != nil {
			return provider.File{}, err
		}
		data, err := base64.StdEncoding.DecodeString(body.Image)
		if err != nil {
			return provider.File{}, response.Bad("the image in the provider's answer is not base64", err)
		}
		reason, file = body.FinishReason, provider.File{Data: data, ContentType: inner}
	}
	if reason == finishFiltered {
		return provider.File{}, response.Rejected(httpcall.Verdict{Class: fault.ClassModerated, Detail: reason})
	}
	if len(file.Data) == 0 || (reason != "" && reason != finishSuccess) {
		return provider.File{}, response.Bad("the provider's answer holds no image", nil)
	}
	return file, nil
}

// v2Cost is the price per image in micro-USD, 0 for a model that is not known here.
func v2Cost(service, model string) int64 {
	halfCredits := int64(0)
	switch {
	case service == "ultra":
		halfCredits = 16
	case service == "core":
		halfCredits = 6
	case strings.HasSuffix(model, "sd3.5-large"):
		halfCredits = 13
	case strings.HasSuffix(model, "sd3.5-large-turbo"):
		halfCredits = 8
	case strings.HasSuffix(model, "sd3.5-medium"):
		halfCredits = 7
	case strings.HasSuffix(model, "sd3.5-flash"):
		halfCredits = 5
	}
	return halfCredits * microUSDPerHalfCredit
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
