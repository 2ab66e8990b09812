package replicate

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

const (
	// maxDataURL is the largest file that the vendor takes inside a request.
	maxDataURL = 256 << 10
	// How far a size may be from a ratio to count as it.
	sizeTolerance = 0.03
	// The sides of a free size are multiples of sideStep, at least minSide.
	sideStep = 32
	minSide  = 256
	// Around these numbers of pixels a model with "megapixels" makes pictures.
	minQuarter, maxQuarter = 150_000, 400_000
	maxWhole               = 1_700_000
)

// inputOf builds the model's input.
func inputOf(c provider.Call) (map[string]any, error) {
	f, req := familyOf(c), c.Request
	switch {
	case req.Kind == generation.Text:
		return nil, httpcall.Unsupported("this provider makes images and videos only")
	case f.known && f.video != (req.Kind == generation.Video):
		return nil, httpcall.Unsupported("the model does not make this kind")
	case req.Mask != "":
		return nil, httpcall.Unsupported("the model takes no mask")
	}
	if !f.known {
		input, err := httpcall.OwnOptions(c, name)
		if err != nil {
			return nil, err
		}
		return input, addUnknown(input, req)
	}
	input := make(map[string]any)
	if err := httpcall.KnownOptions(c, name, f.options, input); err != nil {
		return nil, err
	}
	if err := addImage(input, f, req); err != nil {
		return nil, err
	}
	input["seed"] = seedOf(c)
	if f.video {
		return input, addClip(input, req)
	}
	input["prompt"] = req.Prompt
	if req.Format != "" {
		input["output_format"] = strings.Replace(req.Format, "jpeg", "jpg", 1)
	}
	if err := addCount(input, f, req); err != nil {
		return nil, err
	}
	if err := addLoras(input, f, req); err != nil {
		return nil, err
	}
	return input, addSize(input, f, req)
}

// addUnknown adds what nearly every model calls the same. What cannot be
// expressed is refused rather than dropped.
func addUnknown(input map[string]any, req generation.Request) error {
	if req.Count() > 1 || req.Image != "" || len(req.Loras) > 0 {
		return httpcall.Unsupported("how this model takes images, loras and counts is not known")
	}
	if req.Prompt != "" {
		input["prompt"] = req.Prompt
	}
	if req.Seed != nil {
		input["seed"] = *req.Seed
	}
	return nil
}

func addImage(input map[string]any, f family, req generation.Request) error {
	if req.Image == "" {
		if f.video {
			return httpcall.Unsupported("the model needs an input image")
		}
		return nil
	}
	if f.image == "" {
		return httpcall.Unsupported("the model takes no input image")
	}
	if !strings.HasPrefix(req.Image, "https://") && !strings.HasPrefix(req.Image, "http://") {
		data, err := httpcall.ParseDataURL(req.Image)
		if err != nil {
			return err
		}
		if len(data.Bytes) > maxDataURL {
			return httpcall.Unsupported("this provider takes images as data of at most %d KiB", maxDataURL>>10)
		}
	}
	input[f.image] = req.Image
	if f.list {
		input[f.image] = []string{req.Image}
	}
	if f.strength && req.Strength != nil {
		input["prompt_strength"] = *req.Strength
	}
	return nil
}

func addCount(input map[string]any, f family, req generation.Request) error {
	most := max(f.count, 1)
	if req.Count() > most {
		return httpcall.Unsupported("the model makes at most %d images at once", most)
	}
	if f.count > 0 {
		input["num_outputs"] = req.Count()
	}
	return nil
}

func addLoras(input map[string]any, f family, req generation.Request) error {
	if len(req.Loras) > f.loras {
		return httpcall.Unsupported("the model takes at most %d loras", f.loras)
	}
	for i, lora := range req.Loras {
		scale := lora.Scale
		if scale == 0 {
			scale = 1
		}
		if i == 0 {
			input["lora_weights"], input["lora_scale"] = lora.Path, scale
		} else {
			input["extra_lora"], input["extra_lora_scale"] = lora.Path, scale
		}
	}
	return nil
}

// addSize expresses a size or a ratio in the family's way.
func addSize(input map[string]any, f family, req generation.Request) error {
	if req.Size == "" {
		if req.AspectRatio == "" {
			return nil
		}
		if !slices.Contains(f.ratios, req.AspectRatio) {
			return httpcall.Unsupported("the model does not make this aspect ratio")
		}
		input["aspect_ratio"] = req.AspectRatio
		return nil
	}
	width, height, ok := httpcall.ParsePair(req.Size, "x")
	if !ok {
		return httpcall.Invalid("size must be WIDTHxHEIGHT, such as 1024x1024")
	}
	if f.custom > 0 {
		if width%sideStep != 0 || height%sideStep != 0 || min(width, height) < minSide || max(width, height) > f.custom {
			return httpcall.Unsupported("the model makes sides of %d to %d that are multiples of %d", minSide, f.custom, sideStep)
		}
		input["aspect_ratio"], input["width"], input["height"] = "custom", width, height
		return nil
	}
	return addNearest(input, f, width, height)
}

func addNearest(input map[string]any, f family, width, height int) error {
	pixels := width * height
	if f.megapixels {
		switch {
		case pixels >= minQuarter && pixels <= maxQuarter:
			input["megapixels"] = "0.25"
		case pixels > maxQuarter && pixels <= maxWhole:
			input["megapixels"] = "1"
		default:
			return httpcall.Unsupported("the model makes pictures of a quarter of a megapixel or one")
		}
	}
	for _, ratio := range f.ratios {
		a, b, _ := httpcall.ParsePair(ratio, ":")
		if math.Abs(float64(width*b)/float64(height*a)-1) <= sizeTolerance {
			input["aspect_ratio"] = ratio
			return nil
		}
	}
	return httpcall.Unsupported("the model does not make this size")
}

// The two lengths, in frames, that Stable Video Diffusion makes.
const (
	shortClip, longClip = 14, 25
	minFPS, maxFPS      = 5, 30
)

// addClip expresses a length as frames and a frame rate.
func addClip(input map[string]any, req generation.Request) error {
	fps, frames := req.FPS, longClip
	switch {
	case fps == 0 && req.Duration == 0:
		return nil
	case fps == 0:
		fps = min(longClip/req.Duration, maxFPS)
	case req.Duration > 0:
		frames = fps * req.Duration
	}
	if fps < minFPS || fps > maxFPS || frames > longClip {
		return httpcall.Unsupported("the model makes at most %d frames at %d to %d a second", longClip, minFPS, maxFPS)
	}
	input["frames_per_second"] = fps
	if _, ok := input["video_length"]; ok {
		return nil
	}
	input["video_length"] = "25_frames_with_svd_xt"
	if frames <= shortClip {
		input["video_length"] = "14_frames_with_svd"
	}
	return nil
}

// seedOf is the caller's seed, or one that only this attempt has: random as far
// as the picture goes, and a mark by which Find knows the job again.
func seedOf(c provider.Call) int64 {
	if c.Request.Seed != nil {
		return *c.Request.Seed
	}
	sum := sha256.Sum256([]byte(c.Attempt))
	return int64(binary.BigEndian.Uint32(sum[:4]) >> 1)
}
