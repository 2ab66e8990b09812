package gemini

import (
	"encoding/base64"
	"math"
	"slices"

	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

const (
	// usualThreshold is sent for every category: the vendor's own default differs
	// from model to model.
	usualThreshold = "BLOCK_MEDIUM_AND_ABOVE"
	sizeTolerance  = 0.03
	// A picture of the usual size has about a megapixel.
	minPixels, maxPixels = 400_000, 2_100_000
	maxSeed              = math.MaxInt32
)

func categories() []string {
	return []string{
		"HARM_CATEGORY_HARASSMENT", "HARM_CATEGORY_HATE_SPEECH",
		"HARM_CATEGORY_SEXUALLY_EXPLICIT", "HARM_CATEGORY_DANGEROUS_CONTENT",
	}
}

func ratios() []string {
	return []string{"1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"}
}

func bodyOf(c provider.Call) (generateRequest, error) {
	var o options
	if err := httpcall.Options(c, name, &o); err != nil {
		return generateRequest{}, err
	}
	body := generateRequest{}
	threshold := usualThreshold
	if o.SafetyThreshold != "" {
		threshold = o.SafetyThreshold
	}
	for _, category := range categories() {
		body.SafetySettings = append(body.SafetySettings, safetySetting{Category: category, Threshold: threshold})
	}
	switch c.Request.Kind {
	case generation.Text:
		addText(&body, c.Request, o)
		return body, nil
	case generation.Image:
		return body, addImage(&body, c.Request, o)
	case generation.Video:
	}
	return generateRequest{}, httpcall.Unsupported("this provider does not make this kind")
}

func addText(body *generateRequest, req generation.Request, o options) {
	var system []part
	for _, message := range httpcall.Messages(req) {
		said := []part{{Text: message.Content}}
		switch message.Role {
		case "system":
			system = append(system, said...)
		case "assistant":
			body.Contents = append(body.Contents, content{Role: "model", Parts: said})
		default:
			body.Contents = append(body.Contents, content{Role: "user", Parts: said})
		}
	}
	if len(system) > 0 {
		body.SystemInstruction = &content{Parts: system}
	}
	config := generationConfig{Temperature: req.Temperature, TopP: o.TopP, MaxOutputTokens: req.MaxTokens}
	if o.ThinkingLevel != "" {
		config.ThinkingConfig = &thinkingConfig{ThinkingLevel: o.ThinkingLevel}
	}
	body.GenerationConfig = &config
}

func addImage(body *generateRequest, req generation.Request, o options) error {
	switch {
	case req.Count() > 1:
		return httpcall.Unsupported("this provider makes one image at a time")
	case req.Mask != "" || len(req.Loras) > 0:
		return httpcall.Unsupported("this provider takes neither masks nor loras")
	case req.Format != "" && req.Format != "png":
		return httpcall.Unsupported("this provider makes png only")
	case req.Seed != nil && (*req.Seed < 0 || *req.Seed > maxSeed):
		return httpcall.Unsupported("this provider takes seeds of 0 to %d", maxSeed)
	}
	parts := []part{{Text: req.Prompt}}
	if req.Image != "" {
		image, err := httpcall.ParseDataURL(req.Image)
		if err != nil {
			return err
		}
		parts = append(parts, part{InlineData: &blob{
			MIMEType: image.ContentType, Data: base64.StdEncoding.EncodeToString(image.Bytes),
		}})
	}
	body.Contents = []content{{Role: "user", Parts: parts}}
	ratio, err := ratioOf(req)
	if err != nil {
		return err
	}
	// Both modalities: models refuse to answer with an image alone.
	config := generationConfig{ResponseModalities: []string{"TEXT", "IMAGE"}, Seed: req.Seed}
	if ratio != "" || o.ImageSize != "" {
		config.ImageConfig = &imageConfig{AspectRatio: ratio, ImageSize: o.ImageSize}
	}
	body.GenerationConfig = &config
	return nil
}

// ratioOf returns the ratio to send, "" for the model's own choice.
func ratioOf(req generation.Request) (string, error) {
	if req.Size == "" {
		if req.AspectRatio == "" || slices.Contains(ratios(), req.AspectRatio) {
			return req.AspectRatio, nil
		}
		return "", httpcall.Unsupported("this provider does not make this aspect ratio")
	}
	width, height, ok := httpcall.ParsePair(req.Size, "x")
	if !ok {
		return "", httpcall.Invalid("size must be WIDTHxHEIGHT, such as 1024x1024")
	}
	if width*height < minPixels || width*height > maxPixels {
		return "", httpcall.Unsupported("this provider makes pictures of about a megapixel")
	}
	for _, ratio := range ratios() {
		a, b, _ := httpcall.ParsePair(ratio, ":")
		if math.Abs(float64(width*b)/float64(height*a)-1) <= sizeTolerance {
			return ratio, nil
		}
	}
	return "", httpcall.Unsupported("this provider does not make this size")
}
