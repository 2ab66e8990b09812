package runway

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

const (
	maxDataURI     = 5 << 20
	maxSeed        = 4294967295
	ratioTolerance = 0.03
)

// create returns the path and body of the create that the request needs.
func create(c provider.Call) (path string, body createRequest, err error) {
	req := c.Request
	m, known := modelOf(c.Model, req.Image != "")
	switch {
	case req.Kind == generation.Text:
		return "", body, httpcall.Unsupported("this provider makes videos and images only")
	case !known || m.image != (req.Kind == generation.Image):
		return "", body, httpcall.Unsupported("how to ask this provider's model for this is not known")
	case req.Count() > 1:
		return "", body, httpcall.Unsupported("this provider makes one result at a time")
	case req.Mask != "" || len(req.Loras) > 0:
		return "", body, httpcall.Unsupported("this provider takes neither masks nor loras")
	case len(utf16.Encode([]rune(req.Prompt))) > m.promptLength:
		return "", body, httpcall.Unsupported("the model takes prompts of at most %d characters", m.promptLength)
	}
	body = createRequest{Model: c.Model, PromptText: req.Prompt}
	if path, err = addImage(&body, m, req); err != nil {
		return "", body, err
	}
	if err = addShape(&body, m, req); err != nil {
		return "", body, err
	}
	if c.Endpoint != "" {
		path = c.Endpoint
	}
	return path, body, addSettings(&body, m, c)
}

func addImage(body *createRequest, m model, req generation.Request) (path string, err error) {
	if m.needsImage && req.Image == "" {
		return "", httpcall.Unsupported("the model needs an input image")
	}
	if req.Image != "" && !strings.HasPrefix(req.Image, "https://") {
		if _, err := httpcall.ParseDataURL(req.Image); err != nil {
			return "", err
		}
		if len(req.Image) > maxDataURI {
			return "", httpcall.Unsupported("this provider takes images as data of at most %d MiB", maxDataURI>>20)
		}
	}
	switch {
	case m.image && req.Image != "":
		body.ReferenceImages = []reference{{URI: req.Image}}
		return "v1/text_to_image", nil
	case m.image:
		return "v1/text_to_image", nil
	case req.Image != "":
		body.PromptImage = req.Image
		return "v1/image_to_video", nil
	default:
		return "v1/text_to_video", nil
	}
}

// addShape adds the ratio, which names pixels, and the length.
func addShape(body *createRequest, m model, req generation.Request) error {
	ratio, ok := m.ratio(req)
	if !ok {
		return httpcall.Unsupported("the model does not make this size or aspect ratio")
	}
	body.Ratio = ratio
	if m.image {
		return nil
	}
	body.Duration = req.Duration
	if body.Duration == 0 {
		body.Duration = m.usualSeconds
	}
	if !slices.Contains(m.seconds, body.Duration) {
		return httpcall.Unsupported("the model makes clips of %s seconds", list(m.seconds))
	}
	return nil
}

func addSettings(body *createRequest, m model, c provider.Call) error {
	var o options
	if err := httpcall.Options(c, name, &o); err != nil {
		return err
	}
	if m.seeds && c.Request.Seed != nil {
		if *c.Request.Seed < 0 || *c.Request.Seed > maxSeed {
			return httpcall.Unsupported("this provider takes seeds of 0 to %d", maxSeed)
		}
		body.Seed = c.Request.Seed
	}
	if m.moderates && o.PublicFigureThreshold != "" {
		body.ContentModeration = &moderation{PublicFigureThreshold: o.PublicFigureThreshold}
	}
	if m.negative {
		body.NegativePrompt = c.Request.NegativePrompt
	}
	if m.audio {
		body.Audio = o.Audio
	}
	return nil
}

// ratio picks the model's ratio for a request: the size itself, else the first
// one of about the right shape, else the model's usual one.
func (m model) ratio(req generation.Request) (string, bool) {
	if req.Size != "" {
		ratio := strings.Replace(req.Size, "x", ":", 1)
		return ratio, slices.Contains(m.ratios, ratio)
	}
	if req.AspectRatio == "" {
		return m.ratios[0], true
	}
	a, b, ok := httpcall.ParsePair(req.AspectRatio, ":")
	if !ok {
		return "", false
	}
	for _, ratio := range m.ratios {
		width, height, _ := httpcall.ParsePair(ratio, ":")
		if math.Abs(float64(width*b)/float64(height*a)-1) <= ratioTolerance {
			return ratio, true
		}
	}
	return "", false
}

func list(numbers []int) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ", ")
}
