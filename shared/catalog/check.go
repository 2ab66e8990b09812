package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"easel/shared/fault"
	"easel/shared/generation"
)

// What every model is limited to, however its own Limits are set.
const (
	// DefaultMaxPrompt is the longest prompt, in characters, of a model that does
	// not say.
	DefaultMaxPrompt = 32_000
	// MaxSeed is the largest seed that every provider takes.
	MaxSeed = 1<<32 - 1

	maxSide        = 16_384
	maxLoras       = 10
	maxLoraPath    = 500
	maxDuration    = 3600
	maxFPS         = 120
	maxMessages    = 200
	maxTokens      = 1_000_000
	maxOptions     = 64
	maxOptionBytes = 16 << 10
	maxURL         = 2048
	maxPreset      = 64
)

// Check returns one InvalidInput error that names every member of the request
// that the model does not accept, with its limit, or nil. The request's kind
// must be the model's. It looks at the request alone: whether an address may be
// fetched, and whether an image is one, is for others to find out.
func (m Model) Check(r generation.Request) error {
	c := &checker{model: m, request: r}
	c.members()
	c.prompt()
	c.count()
	c.size()
	c.images()
	c.loras()
	c.timing()
	c.text()
	c.options()
	return c.fields.Err()
}

// checker collects what is wrong with one request for one model.
type checker struct {
	model   Model
	request generation.Request
	fields  fault.Fields
}

// want records a problem unless ok; the message ends with whose limit it is.
func (c *checker) want(ok bool, field, format string, args ...any) {
	if !ok {
		c.fields.Add(field, "%s for model %s", fmt.Sprintf(format, args...), c.model.Name)
	}
}

// ofKind says which kinds each member of a request makes sense for.
var ofKind = map[string]string{ //nolint:gochecknoglobals // a constant table
	"negative_prompt": "image video", "n": "image", "size": "image video", "aspect_ratio": "image video",
	"quality": "image video", "format": "image", "duration": "video", "fps": "video", "seed": "image video",
	"image": "image video", "mask": "image", "strength": "image video", "loras": "image video",
	"messages": "text", "system": "text", "preset": "text", "max_tokens": "text", "temperature": "text",
}

// extra names the members that a model must list in Takes or Needs, where it
// lists any at all.
var extra = []string{ //nolint:gochecknoglobals // a constant table
	"negative_prompt", "seed", "image", "mask", "strength", "loras", "quality", "format", "fps",
}

func (c *checker) given() map[string]bool {
	r := c.request
	return map[string]bool{
		"negative_prompt": r.NegativePrompt != "", "n": r.N != 0, "size": r.Size != "", "aspect_ratio": r.AspectRatio != "",
		"quality": r.Quality != "", "format": r.Format != "", "duration": r.Duration != 0, "fps": r.FPS != 0,
		"seed": r.Seed != nil, "image": r.Image != "", "mask": r.Mask != "", "strength": r.Strength != nil,
		"loras": len(r.Loras) > 0, "messages": len(r.Messages) > 0, "system": r.System != "", "preset": r.Preset != "",
		"max_tokens": r.MaxTokens != 0, "temperature": r.Temperature != nil, "prompt": r.Prompt != "",
	}
}

// members checks which members are there at all.
func (c *checker) members() {
	given, limits := c.given(), c.model.Limits
	for _, name := range slices.Sorted(maps.Keys(given)) {
		kinds, restricted := ofKind[name]
		switch {
		case !given[name]:
		case restricted && !slices.Contains(strings.Fields(kinds), string(c.model.Kind)):
			c.want(false, name, "must not be given: it does not apply to %s,", c.model.Kind)
		case limits.Takes != nil && slices.Contains(extra, name) && !c.takes(name):
			c.want(false, name, "is not supported")
		}
	}
	for _, name := range limits.Needs {
		c.want(given[name], name, "is required")
	}
}

func (c *checker) takes(name string) bool {
	return slices.Contains(c.model.Limits.Takes, name) || slices.Contains(c.model.Limits.Needs, name)
}

func (c *checker) prompt() {
	r := c.request
	longest := c.model.Limits.MaxPrompt
	if longest == 0 {
		longest = DefaultMaxPrompt
	}
	optional := len(r.Messages) > 0 || r.Image != "" && slices.Contains(c.model.Limits.Needs, "image")
	c.want(optional || strings.TrimSpace(r.Prompt) != "", "prompt", "must not be empty")
	c.length("prompt", r.Prompt, longest)
	c.length("negative_prompt", r.NegativePrompt, longest)
	c.length("system", r.System, longest)
}

func (c *checker) length(field, value string, longest int) {
	n, note := utf8.RuneCountInString(value), ""
	if c.model.Limits.UTF16Prompt {
		for _, r := range value {
			if utf16.RuneLen(r) == 2 {
				n, note = n+1, ", an emoji counting as two"
			}
		}
	}
	c.want(n <= longest, field, "has %d characters%s; at most %d are allowed", n, note, longest)
}

func (c *checker) count() {
	most := max(c.model.Limits.MaxN, 1)
	c.want(c.request.N >= 0 && c.request.N <= most, "n", "must be 1 to %d", most)
}

func (c *checker) images() {
	r := c.request
	c.picture("image", r.Image)
	c.picture("mask", r.Mask)
	c.want(r.Mask == "" || r.Image != "", "mask", "must come with image")
	if r.Strength != nil {
		c.want(*r.Strength >= 0 && *r.Strength <= 1, "strength", "must be 0 to 1")
		c.want(r.Image != "", "strength", "must come with image")
	}
	c.want(r.Quality == "" || slices.Contains([]string{"low", "medium", "high"}, r.Quality), "quality", "must be low, medium or high")
	formats, seeds := c.model.Limits.Formats, c.model.Limits.MaxSeed
	if len(formats) == 0 {
		formats = []string{"png", "jpeg", "webp"}
	}
	if seeds == 0 {
		seeds = MaxSeed
	}
	c.want(r.Format == "" || slices.Contains(formats, r.Format), "format", "must be %s", oneOf(formats))
	c.want(r.Seed == nil || *r.Seed >= 0 && *r.Seed <= seeds, "seed", "must be 0 to %d", seeds)
}

// isPicture reports whether a data URL says that it is an image of a known type
// and holds base64. It is not a regular expression: images are large.
func isPicture(dataURL string) bool {
	head, encoded, ok := strings.Cut(dataURL, ",")
	switch head {
	case "data:image/png;base64", "data:image/jpeg;base64", "data:image/webp;base64", "data:image/gif;base64":
	default:
		return false
	}
	encoded = strings.TrimSuffix(strings.TrimSuffix(encoded, "="), "=")
	for i := range len(encoded) {
		b := encoded[i]
		if (b < 'A' || b > 'Z') && (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '+' && b != '/' {
			return false
		}
	}
	return ok && encoded != ""
}

// picture checks the form of an input image: a URL or a data URL.
func (c *checker) picture(field, value string) {
	switch {
	case value == "":
	case strings.HasPrefix(value, "data:"):
		c.want(isPicture(value), field, "must be a base64 data URL of a png, jpeg, webp or gif image")
	default:
		ok := (strings.HasPrefix(value, "https://") || strings.HasPrefix(value, "http://")) && len(value) <= maxURL
		c.want(ok, field, "must be an https URL of at most %d bytes, or a data URL,", maxURL)
	}
}

func (c *checker) loras() {
	most := maxLoras
	if c.model.Limits.MaxLoras > 0 {
		most = c.model.Limits.MaxLoras
	}
	c.want(len(c.request.Loras) <= most, "loras", "must have at most %d elements", most)
	for i, l := range c.request.Loras {
		at := fmt.Sprintf("loras[%d]", i)
		ok := l.Path != "" && len(l.Path) <= maxLoraPath && !strings.ContainsAny(l.Path, " \t\r\n")
		c.want(ok, at+".path", "must have 1 to %d bytes without spaces", maxLoraPath)
		c.want(l.Scale >= -1 && l.Scale <= 3, at+".scale", "must be -1 to 3")
	}
}

func (c *checker) timing() {
	r, l := c.request, c.model.Limits
	slow, fast := max(l.MinFPS, 1), maxFPS
	if l.MaxFPS > 0 {
		fast = l.MaxFPS
	}
	c.want(r.FPS == 0 || r.FPS >= slow && r.FPS <= fast, "fps", "must be %d to %d", slow, fast)
	if r.Duration == 0 {
		return
	}
	c.want(l.MaxFrames == 0 || r.FPS*r.Duration <= l.MaxFrames, "duration", "and fps must come to at most %d frames", l.MaxFrames)
	if len(l.Durations) > 0 {
		allowed := strings.Trim(strings.ReplaceAll(fmt.Sprint(l.Durations), " ", ", "), "[]")
		c.want(slices.Contains(l.Durations, r.Duration), "duration", "must be one of %s seconds", allowed)
		return
	}
	low, high := max(l.MinDuration, 1), maxDuration
	if l.MaxDuration > 0 {
		high = l.MaxDuration
	}
	c.want(r.Duration >= low && r.Duration <= high, "duration", "must be %d to %d seconds", low, high)
}

func (c *checker) text() {
	r := c.request
	c.want(len(r.Messages) == 0 || r.Prompt == "", "prompt", "must not be given together with messages")
	c.want(len(r.Messages) <= maxMessages, "messages", "must have at most %d elements", maxMessages)
	longest, total := c.model.Limits.MaxPrompt, 0
	if longest == 0 {
		longest = DefaultMaxPrompt
	}
	for i, m := range r.Messages {
		at := fmt.Sprintf("messages[%d]", i)
		c.want(slices.Contains([]string{"system", "user", "assistant"}, m.Role), at+".role", "must be system, user or assistant")
		c.want(strings.TrimSpace(m.Content) != "", at+".content", "must not be empty")
		total += utf8.RuneCountInString(m.Content)
	}
	c.want(total <= longest, "messages", "have %d characters in all; at most %d are allowed", total, longest)
	most := maxTokens
	if c.model.Limits.MaxTokens > 0 {
		most = c.model.Limits.MaxTokens
	}
	c.want(r.MaxTokens >= 0 && r.MaxTokens <= most, "max_tokens", "must be 1 to %d", most)
	c.want(r.Temperature == nil || *r.Temperature >= 0 && *r.Temperature <= 2, "temperature", "must be 0 to 2")
	c.want(len(r.Preset) <= maxPreset, "preset", "must have at most %d bytes", maxPreset)
}

var optionName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)

// options bounds what is handed on to drivers, which know the names.
func (c *checker) options() {
	c.want(len(c.request.Options) <= maxOptions, "options", "must have at most %d members", maxOptions)
	total := 0
	for name, value := range c.request.Options {
		if !optionName.MatchString(name) {
			c.want(false, "options", "must have names of 1 to 64 letters, digits, _ or -")
		}
		c.want(json.Valid(value), "options."+name, "must be JSON")
		total += len(name) + len(value)
	}
	c.want(total <= maxOptionBytes, "options", "must have at most %d bytes", maxOptionBytes)
}
