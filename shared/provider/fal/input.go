package fal

import (
	"slices"
	"strings"

	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

const maxFluxImages = 4

// inputOf returns the model to ask and its input. A model that the driver does
// not know gets the prompt, the seed, and what the config and the caller set for
// this protocol, unchecked.
func inputOf(c provider.Call) (model string, input map[string]any, err error) {
	model = endpoint(c)
	if strings.Count(model, "/") < 1 {
		return "", nil, httpcall.Unsupported("the model is not of the form owner/alias")
	}
	req := c.Request
	if req.Kind == generation.Text || req.Mask != "" {
		return "", nil, httpcall.Unsupported("this provider makes images and videos only, without masks")
	}
	switch {
	case strings.HasPrefix(model, "fal-ai/pika/"):
		return pika(c, model)
	case strings.HasPrefix(model, "fal-ai/flux/"), model == "fal-ai/flux-lora":
		input, err = flux(c, model)
	default:
		input, err = unknown(c)
	}
	return model, input, err
}

// unknown expresses what nearly every model calls the same; what cannot be
// expressed is refused rather than dropped.
func unknown(c provider.Call) (map[string]any, error) {
	req := c.Request
	if req.Count() > 1 || req.Image != "" || len(req.Loras) > 0 {
		return nil, httpcall.Unsupported("how this model takes images, loras and counts is not known")
	}
	input, err := httpcall.OwnOptions(c, name)
	if err != nil {
		return nil, err
	}
	if req.Prompt != "" {
		input["prompt"] = req.Prompt
	}
	addSeed(input, req)
	return input, nil
}

// pika is Pika's text-to-video and image-to-video; which one follows from the
// input image.
func pika(c provider.Call, model string) (string, map[string]any, error) {
	req := c.Request
	base, task := model[:strings.LastIndex(model, "/")], model[strings.LastIndex(model, "/")+1:]
	if req.Kind != generation.Video || len(req.Loras) > 0 {
		return "", nil, httpcall.Unsupported("the model makes videos only, without loras")
	}
	if task != "text-to-video" && task != "image-to-video" {
		input, err := unknown(c)
		return model, input, err
	}
	input := map[string]any{"prompt": req.Prompt}
	if err := httpcall.KnownOptions(c, name, map[string]string{"resolution": httpcall.String}, input); err != nil {
		return "", nil, err
	}
	if req.NegativePrompt != "" {
		input["negative_prompt"] = req.NegativePrompt
	}
	if req.Duration != 0 {
		if req.Duration != 5 && req.Duration != 10 {
			return "", nil, httpcall.Unsupported("the model makes clips of 5 or 10 seconds")
		}
		input["duration"] = req.Duration
	}
	addSeed(input, req)
	if req.Image != "" {
		input["image_url"] = req.Image
		return base + "/image-to-video", input, nil // its shape is the image's
	}
	if task == "image-to-video" && c.Endpoint != "" {
		return "", nil, httpcall.Unsupported("the model needs an input image")
	}
	if err := addPikaShape(input, req); err != nil {
		return "", nil, err
	}
	return base + "/text-to-video", input, nil
}

func addPikaShape(input map[string]any, req generation.Request) error {
	ratio := req.AspectRatio
	if req.Size != "" {
		var resolution string
		switch req.Size {
		case "1280x720":
			ratio, resolution = "16:9", "720p"
		case "720x1280":
			ratio, resolution = "9:16", "720p"
		case "1920x1080":
			ratio, resolution = "16:9", "1080p"
		case "1080x1920":
			ratio, resolution = "9:16", "1080p"
		default:
			return httpcall.Unsupported("the model does not make this size")
		}
		input["resolution"] = resolution
	}
	if ratio == "" {
		return nil
	}
	if !slices.Contains([]string{"16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3"}, ratio) {
		return httpcall.Unsupported("the model does not make this aspect ratio")
	}
	input["aspect_ratio"] = ratio
	return nil
}

// flux is FLUX.1 schnell, dev and dev with loras.
func flux(c provider.Call, model string) (map[string]any, error) {
	req := c.Request
	switch {
	case req.Kind != generation.Image || req.Image != "":
		return nil, httpcall.Unsupported("the model makes images from text only")
	case len(req.Loras) > 0 && model != "fal-ai/flux-lora":
		return nil, httpcall.Unsupported("the model takes no loras")
	case req.Count() > maxFluxImages:
		return nil, httpcall.Unsupported("the model makes at most %d images at once", maxFluxImages)
	case req.Format == "webp":
		return nil, httpcall.Unsupported("the model makes jpeg and png only")
	}
	input := map[string]any{"prompt": req.Prompt, "num_images": req.Count()}
	err := httpcall.KnownOptions(c, name, map[string]string{
		"num_inference_steps": httpcall.Number, "guidance_scale": httpcall.Number, "enable_safety_checker": httpcall.Boolean,
	}, input)
	if err != nil {
		return nil, err
	}
	if req.Format != "" {
		input["output_format"] = req.Format
	}
	if len(req.Loras) > 0 {
		input["loras"] = lorasOf(req)
	}
	addSeed(input, req)
	return input, addFluxSize(input, req)
}

type lora struct {
	Path  string  `json:"path"`
	Scale float64 `json:"scale"`
}

func lorasOf(req generation.Request) []lora {
	loras := make([]lora, len(req.Loras))
	for i, l := range req.Loras {
		loras[i] = lora{Path: l.Path, Scale: l.Scale}
		if l.Scale == 0 {
			loras[i].Scale = 1
		}
	}
	return loras
}

type imageSize struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

func addFluxSize(input map[string]any, req generation.Request) error {
	if req.Size != "" {
		width, height, ok := httpcall.ParsePair(req.Size, "x")
		if !ok {
			return httpcall.Invalid("size must be WIDTHxHEIGHT, such as 1024x1024")
		}
		if min(width, height) < 256 || max(width, height) > 1536 {
			return httpcall.Unsupported("the model makes sides of 256 to 1536")
		}
		input["image_size"] = imageSize{width, height}
		return nil
	}
	switch req.AspectRatio {
	case "":
	case "1:1":
		input["image_size"] = "square_hd"
	case "4:3":
		input["image_size"] = "landscape_4_3"
	case "3:4":
		input["image_size"] = "portrait_4_3"
	case "16:9":
		input["image_size"] = "landscape_16_9"
	case "9:16":
		input["image_size"] = "portrait_16_9"
	default:
		return httpcall.Unsupported("the model does not make this aspect ratio")
	}
	return nil
}

func addSeed(input map[string]any, req generation.Request) {
	if req.Seed != nil {
		input["seed"] = *req.Seed
	}
}
