package catalog_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/generation"
)

// TestWhatVendorsDocumentIsCheckedBeforeMoneyMoves tries one request beyond each
// limit that a vendor documents: the error names the field, the limit and the model.
func TestWhatVendorsDocumentIsCheckedBeforeMoneyMoves(t *testing.T) {
	t.Parallel()
	models, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	all, err := catalog.New(models)
	if err != nil {
		t.Fatal(err)
	}
	const picture = "https://example.com/a.png"
	long := func(n int) string { return strings.Repeat("a", n) }
	loras := func(n int) []generation.Lora {
		return make([]generation.Lora, n)
	}
	for _, tt := range []struct {
		model        string
		request      generation.Request
		field, limit string
	}{
		{"gpt-image-2", generation.Request{Prompt: long(32001)}, "prompt", "32000"},
		{"gpt-image-2", generation.Request{Prompt: "a", N: 11}, "n", "1 to 10"},
		{"gpt-image-2", generation.Request{Prompt: "a", Size: "1000x1000"}, "size", "multiples of 16"},
		{"gpt-image-2.6-flare", generation.Request{Prompt: "a", Size: "3856x2160"}, "size", "256 to 3840"},
		{"gpt-image-2.5-flare", generation.Request{Prompt: "a", Size: "800x800"}, "size", "at least 655360"},
		{"gpt-image-2.5-sunburst", generation.Request{Prompt: "a", Size: "3840x3840"}, "size", "at most 8294400"},
		{"gpt-image-2.6-sunburst", generation.Request{Prompt: "a", Size: "3840x1264"}, "size", "3:1"},
		{"gpt-image-2", generation.Request{Prompt: "a", AspectRatio: "4:1"}, "aspect_ratio", "3:1"},
		{"dall-e-3", generation.Request{Prompt: "a", NegativePrompt: "b"}, "negative_prompt", "not supported"},
		{"stable-image-core", generation.Request{Prompt: long(10001)}, "prompt", "10000"},
		{"stable-image-core", generation.Request{Prompt: "a", AspectRatio: "4:3"}, "aspect_ratio", "16:9"},
		{"stable-image-core", generation.Request{Prompt: "a", Image: picture}, "image", "not supported"},
		{"stable-image-ultra", generation.Request{Prompt: "a", NegativePrompt: long(10001)}, "negative_prompt", "10000"},
		{"stable-image-ultra", generation.Request{Prompt: "a", Seed: new(int64(4294967295))}, "seed", "4294967294"},
		{"sd3.5-large", generation.Request{Prompt: "a", Size: "1200x900"}, "size", "ratio"},
		{"sd3.5-large", generation.Request{Prompt: "a", Image: picture, AspectRatio: "16:9"}, "aspect_ratio", "with image"},
		{"sd3.5-large", generation.Request{Prompt: "a", Image: picture, Strength: new(1.1)}, "strength", "0 to 1"},
		{"sd3.5-medium", generation.Request{Prompt: "a", Format: "webp"}, "format", "png or jpeg"},
		{"sdxl", generation.Request{Prompt: long(2001)}, "prompt", "2000"},
		{"SDXL", generation.Request{Prompt: "a", Size: "1024x768"}, "size", "1344x768"},
		{"flux-schnell", generation.Request{Prompt: "a", N: 5}, "n", "1 to 4"},
		{"flux-dev", generation.Request{Prompt: "a", Size: "1400x1400"}, "size", "1700000"},
		{"flux-dev", generation.Request{Prompt: "a", AspectRatio: "7:5"}, "aspect_ratio", "9:21"},
		{"flux-general", generation.Request{Prompt: "a", Loras: loras(3)}, "loras", "at most 2"},
		{"flux-pro", generation.Request{Prompt: "a", Size: "1000x1000"}, "size", "multiples of 32"},
		{"flux-1.1-pro", generation.Request{Prompt: "a", Size: "1472x1024"}, "size", "256 to 1440"},
		{"flux-1.1-pro", generation.Request{Prompt: "a", N: 2}, "n", "1 to 1"},
		{"flux-2-pro", generation.Request{Prompt: "a", Size: "2080x1024"}, "size", "256 to 2048"},
		{"svd", generation.Request{Prompt: "a"}, "image", "required"},
		{"svd", generation.Request{Image: picture, FPS: 4}, "fps", "5 to 30"},
		{"svd", generation.Request{Image: picture, FPS: 10, Duration: 3}, "duration", "25 frames"},
		{"gen4.5", generation.Request{Prompt: long(1001)}, "prompt", "1000"},
		{"gen4.5", generation.Request{Prompt: strings.Repeat("🦊", 501)}, "prompt", "1002"},
		{"gen4.5", generation.Request{Prompt: "a", Duration: 11}, "duration", "2 to 10"},
		{"gen4.5", generation.Request{Prompt: "a", AspectRatio: "1:1"}, "aspect_ratio", "without image"},
		{"gen4.5", generation.Request{Prompt: "a", Image: picture, AspectRatio: "2:3"}, "aspect_ratio", "21:9"},
		{"gen2", generation.Request{Prompt: "a", Size: "1920x1080"}, "size", "1280x720"},
		{"gen4-turbo", generation.Request{Prompt: "a"}, "image", "required"},
		{"gen4-image", generation.Request{Prompt: "a", Size: "800x600"}, "size", "1024x1024"},
		{"veo-3.1", generation.Request{Prompt: "a", Duration: 5}, "duration", "4, 6, 8"},
		{"veo-3.1", generation.Request{Prompt: "a", AspectRatio: "1:1"}, "aspect_ratio", "16:9 or 9:16"},
		{"pika-1.0", generation.Request{Prompt: "a", Duration: 7}, "duration", "5, 10"},
		{"pika-2.2", generation.Request{Prompt: "a", AspectRatio: "21:9"}, "aspect_ratio", "4:5"},
		{"ray-3.2", generation.Request{Prompt: "a", Duration: 7}, "duration", "5, 9, 10"},
		{"kling-v3", generation.Request{Prompt: "a", Duration: 16}, "duration", "3 to 15"},
		{"bfl-flux", generation.Request{Prompt: "a", Size: "2080x1024"}, "size", "256 to 2048"},
		{"gemini-image", generation.Request{Prompt: "a", AspectRatio: "9:21"}, "aspect_ratio", "21:9"},
		{"gemini-image", generation.Request{Prompt: "a", N: 2}, "n", "1 to 1"},
		{"gemini-1.5-flash", generation.Request{Prompt: "a", Temperature: new(2.5)}, "temperature", "0 to 2"},
		{"gemini-1.5-pro", generation.Request{Prompt: "a", MaxTokens: 32769}, "max_tokens", "32768"},
	} {
		m, err := all.Resolve("", tt.model)
		if err != nil {
			t.Fatal(err)
		}
		e, ok := errors.AsType[*fault.Error](m.Check(tt.request))
		if !ok || e.Code != fault.InvalidInput {
			t.Errorf("%s accepts a wrong %s", tt.model, tt.field)
			continue
		}
		if !slices.ContainsFunc(e.Fields, func(f fault.Field) bool {
			return f.Name == tt.field && strings.Contains(f.Message, tt.limit) && strings.HasSuffix(f.Message, "model "+m.Name)
		}) {
			t.Errorf("%s: %v, want %s with %q and the model %s", tt.model, e.Fields, tt.field, tt.limit, m.Name)
		}
	}
}
