package simulator

import (
	"net/http"
	"strings"
)

// replicateModel is one model that the simulated Replicate runs.
type replicateModel struct {
	name     string
	official bool // reachable without a version
	single   bool // the output is one address, not an array
	effort   effort
	rules    []rule
	works    func(in inputs) []work
}

// Parts of the models' input schemas.

func replicateRatios() func(any) *problem {
	return oneOf("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21")
}

func replicateCommon() []rule {
	return []rule{
		must("prompt", text(0, 100000)), may("seed", whole(0, 1<<53)),
		may("output_format", oneOf("webp", "jpg", "png")), may("output_quality", whole(0, 100)),
	}
}

// replicateOpenFlux are the inputs of the open FLUX models, which answer with
// an array.
func replicateOpenFlux(steps float64) []rule {
	return append(
		replicateCommon(), may("aspect_ratio", replicateRatios()), may("num_outputs", whole(1, 4)),
		may("num_inference_steps", whole(1, steps)), may("disable_safety_checker", boolean), may("go_fast", boolean),
		may("megapixels", oneOf("1", "0.25")), may("guidance", real(0, 10)), may("prompt_strength", real(0, 1)),
		may("image", text(1, 10<<20)),
	)
}

func replicateLoRA(steps float64) []rule {
	return append(
		replicateOpenFlux(steps), may("lora_weights", text(1, 2048)), may("lora_scale", real(-1, 3)),
		may("extra_lora", text(1, 2048)), may("extra_lora_scale", real(-1, 3)),
	)
}

// replicatePro are the inputs of the closed FLUX models, which answer with one
// address.
func replicatePro() []rule {
	return append(
		replicateCommon(), may("aspect_ratio", either(replicateRatios(), oneOf("custom", "match_input_image"))),
		may("width", whole(256, 2048)), may("height", whole(256, 2048)), may("safety_tolerance", whole(1, 6)),
		may("prompt_upsampling", boolean), may("image_prompt", text(1, 10<<20)), may("raw", boolean),
		may("steps", whole(1, 50)), may("guidance", real(2, 5)), may("interval", real(1, 4)),
		may("input_images", list(0, 10, text(1, 10<<20))), may("resolution", text(1, 20)),
	)
}

func replicateVideoRules() []rule {
	return []rule{
		must("input_image", text(1, 10<<20)), may("video_length", oneOf("14_frames_with_svd", "25_frames_with_svd_xt")),
		may("sizing_strategy", oneOf("maintain_aspect_ratio", "crop_to_16_9", "use_image_dimensions")),
		may("frames_per_second", whole(5, 30)), may("motion_bucket_id", whole(1, 255)), may("cond_aug", real(0, 1)),
		may("decoding_t", whole(1, 25)), may("seed", whole(0, 1<<53)),
	}
}

// replicateModels returns the named model, "owner/name".
func replicateModels(name string) (replicateModel, bool) {
	m := replicateModel{name: name, official: true, effort: effortImage, works: replicatePictures}
	switch name {
	case "black-forest-labs/flux-schnell":
		m.rules = replicateOpenFlux(4)
	case "black-forest-labs/flux-schnell-lora":
		m.rules = replicateLoRA(4)
	case "black-forest-labs/flux-dev":
		m.rules = replicateOpenFlux(50)
	case "black-forest-labs/flux-dev-lora":
		m.rules = replicateLoRA(50)
	case "black-forest-labs/flux-pro", "black-forest-labs/flux-1.1-pro", "black-forest-labs/flux-1.1-pro-ultra",
		"black-forest-labs/flux-2-pro", "black-forest-labs/flux-2-flex", "black-forest-labs/flux-2-max":
		m.rules, m.single = replicatePro(), true
	case "christophy/stable-video-diffusion", "stability-ai/stable-video-diffusion":
		m.rules, m.single, m.official = replicateVideoRules(), true, false
		m.effort, m.works = effortVideo, replicateClip
	case "stability-ai/sdxl":
		m.rules, m.official = replicateOpenFlux(500), false
	default:
		return replicateModel{}, false
	}
	return m, true
}

// replicateByHash is the model of a bare version. The vendor knows which model
// each belongs to; here the first digits of the documented versions decide, and
// any other version is SDXL's.
func replicateByHash(hash string) replicateModel {
	name := "stability-ai/sdxl"
	switch {
	case strings.HasPrefix(hash, "92a0c9a9"):
		name = "christophy/stable-video-diffusion"
	case strings.HasPrefix(hash, "3f0457e4"):
		name = "stability-ai/stable-video-diffusion"
	}
	m, _ := replicateModels(name)
	return m
}

func replicatePictures(in inputs) []work {
	area := 1 << 20
	if in.str("megapixels", "1") == "0.25" {
		area = 1 << 18
	}
	width, height := ratioSize(in.str("aspect_ratio", "1:1"), area, 32)
	if in.str("aspect_ratio", "") == "custom" {
		width, height = int(in.integer("width", 1024)), int(in.integer("height", 1024))
	}
	format := in.str("output_format", "webp")
	if format == "jpg" {
		format = "jpeg"
	}
	prompt := in.str("prompt", "")
	count := in.integer("num_outputs", 1)
	works := make([]work, 0, count)
	for i := range count {
		works = append(works, work{
			Prompt: prompt, Seed: in.integer("seed", seedOf(prompt)) + i, Width: width, Height: height,
			Format: format, Quality: int(in.integer("output_quality", 80)),
		})
	}
	return works
}

func replicateClip(in inputs) []work {
	frames := 14.0
	if in.str("video_length", "") == "25_frames_with_svd_xt" {
		frames = 25
	}
	image := in.str("input_image", "")
	return []work{{
		Prompt: "an animated picture", Seed: in.integer("seed", seedOf(image)), Width: 1024, Height: 576,
		Format: "mp4", Seconds: frames / in.float("frames_per_second", 6),
	}}
}

func replicateModelGet(c *call) {
	name := c.r.PathValue("owner") + "/" + c.r.PathValue("name")
	m, known := replicateModels(name)
	if !known {
		replicateNotFound(c)
		return
	}
	c.json(http.StatusOK, object{
		"url": "https://replicate.com/" + name, "owner": c.r.PathValue("owner"), "name": c.r.PathValue("name"),
		"description": "A simulated model.", "visibility": "public", "is_official": m.official, "run_count": 1,
		"github_url": nil, "paper_url": nil, "license_url": nil, "cover_image_url": nil, "default_example": nil, "latest_version": nil,
	})
}
