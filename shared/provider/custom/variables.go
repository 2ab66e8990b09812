package custom

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/httpcall"
)

// shapeStep and shapeArea shape a picture of which only the ratio is given.
const (
	shapeStep = 32
	shapeArea = 1024 * 1024
)

// known are the placeholders there are, beside options.*.
func known() []string {
	return []string{
		"prompt", "negative_prompt", "model", "n", "size", "width", "height", "aspect_ratio", "quality", "format",
		"duration", "fps", "seed", "image", "image_base64", "image_content_type", "mask", "strength", "lora_path",
		"lora_scale", "messages", "system", "max_tokens", "temperature", "user", "task", "attempt", "callback_url",
		"job.id", "job.path",
	}
}

// variables are the values of a call's placeholders. What is not given is absent.
func variables(c provider.Call) (map[string]any, error) {
	req := c.Request
	vars := map[string]any{"n": req.Count()}
	for name, text := range map[string]string{
		"prompt": req.Prompt, "negative_prompt": req.NegativePrompt, "model": c.Model, "size": req.Size,
		"aspect_ratio": req.AspectRatio, "quality": req.Quality, "format": req.Format, "image": req.Image, "mask": req.Mask,
		"system": req.System, "user": httpcall.HashUser(c.User), "task": c.Task, "attempt": c.Attempt, "callback_url": c.CallbackURL,
	} {
		if text != "" {
			vars[name] = text
		}
	}
	for name, number := range map[string]int{"duration": req.Duration, "fps": req.FPS, "max_tokens": req.MaxTokens} {
		if number != 0 {
			vars[name] = number
		}
	}
	if req.Seed != nil {
		vars["seed"] = *req.Seed
	}
	if req.Strength != nil {
		vars["strength"] = *req.Strength
	}
	if req.Temperature != nil {
		vars["temperature"] = *req.Temperature
	}
	addLora(vars, req)
	addShape(vars, req)
	if req.Kind == generation.Text {
		vars["messages"] = httpcall.Messages(req)
	}
	if data, err := httpcall.ParseDataURL(req.Image); err == nil {
		vars["image_base64"], vars["image_content_type"] = base64.StdEncoding.EncodeToString(data.Bytes), data.ContentType
	}
	return vars, addOptions(vars, c)
}

func addLora(vars map[string]any, req generation.Request) {
	if len(req.Loras) == 0 {
		return
	}
	scale := req.Loras[0].Scale
	if scale == 0 {
		scale = 1
	}
	vars["lora_path"], vars["lora_scale"] = req.Loras[0].Path, scale
}

// addShape makes a size and a ratio out of one another.
func addShape(vars map[string]any, req generation.Request) {
	if width, height, ok := httpcall.ParsePair(req.Size, "x"); ok {
		vars["width"], vars["height"] = width, height
		divisor := gcd(width, height)
		vars["aspect_ratio"] = fmt.Sprintf("%d:%d", width/divisor, height/divisor)
		return
	}
	if a, b, ok := httpcall.ParsePair(req.AspectRatio, ":"); ok {
		width := math.Sqrt(shapeArea * float64(a) / float64(b))
		vars["width"], vars["height"] = step(width), step(width*float64(b)/float64(a))
		vars["size"] = fmt.Sprintf("%dx%d", vars["width"], vars["height"])
	}
}

func step(length float64) int { return max(1, int(math.Round(length/shapeStep))) * shapeStep }

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func addOptions(vars map[string]any, c provider.Call) error {
	options, err := httpcall.MergedOptions(c, name)
	if err != nil {
		return err
	}
	for option, raw := range options {
		var value any
		if json.Unmarshal(raw, &value) == nil {
			vars["options."+option] = value
		}
	}
	return nil
}

// fits refuses what the operation has no place for, and values that the API does
// not take, before anything is sent.
func (d definition) fits(c provider.Call, op *operation) error {
	req, used := c.Request, placeholdersOf(op)
	lacks := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return slices.Contains(used, name) })
	}
	switch {
	case req.Image != "" && lacks("image", "image_base64"):
		return httpcall.Unsupported("this provider takes no input image")
	case req.Image != "" && lacks("image") && !strings.HasPrefix(req.Image, "data:"):
		return httpcall.Unsupported("this provider takes input images only as data")
	case req.Mask != "" && lacks("mask"):
		return httpcall.Unsupported("this provider takes no mask")
	case len(req.Loras) > 1, len(req.Loras) == 1 && lacks("lora_path"):
		return httpcall.Unsupported("this provider does not take these loras")
	case req.Count() > 1 && lacks("n"):
		return httpcall.Unsupported("this provider makes one result at a time")
	case req.Duration > 0 && lacks("duration"):
		return httpcall.Unsupported("this provider does not let the length be chosen")
	case req.Size+req.AspectRatio != "" && lacks("size", "width", "aspect_ratio"):
		return httpcall.Unsupported("this provider does not let the size be chosen")
	}
	for _, field := range []struct {
		name  string
		given bool
	}{
		{"negative_prompt", req.NegativePrompt != ""},
		{"quality", req.Quality != ""},
		{"format", req.Format != ""},
		{"fps", req.FPS != 0},
		{"seed", req.Seed != nil},
		{"strength", req.Strength != nil},
	} {
		if field.given && lacks(field.name) {
			return httpcall.Unsupported("this provider takes no %s", field.name)
		}
	}
	vars, err := variables(c)
	if err != nil {
		return err
	}
	for name, values := range d.Allowed {
		value, given := vars[name]
		if !given || lacks(name) {
			continue
		}
		if !slices.ContainsFunc(values, func(allowed any) bool { return asText(allowed) == asText(value) }) {
			return httpcall.Unsupported("this provider does not take this %s", name)
		}
	}
	return nil
}

// TakesData reports whether a described API wants input images themselves, and
// not their addresses: as base64, or as a part of a form. It is false for what is
// no description.
func TakesData(data json.RawMessage) bool {
	d, err := parse(data)
	if err != nil {
		return false
	}
	op := d.Submit
	if d.SubmitImage != nil {
		op = d.SubmitImage
	}
	used := placeholdersOf(op)
	return slices.Contains(used, "image_base64") || op.Format == "form" && slices.Contains(used, "image")
}

// placeholdersOf lists what an operation uses.
func placeholdersOf(op *operation) []string {
	used := append(names(op.Path), names(op.Body)...)
	for _, template := range op.Query {
		used = append(used, names(template)...)
	}
	return used
}
