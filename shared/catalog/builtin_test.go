package catalog_test

import (
	"encoding/json"
	"testing"

	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/generation"
)

func builtin(t *testing.T) catalog.Catalog {
	t.Helper()
	models, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.New(models)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSeedModels holds the prices that the seed price list promises.
func TestSeedModels(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	for _, tt := range []struct {
		kind    generation.Kind
		name    string
		model   string
		credits int64
		retired bool
	}{
		{generation.Image, "flux-pro", "flux-pro", 20, false},
		{generation.Image, "flux-dev", "flux-dev", 10, false},
		{generation.Image, "flux-schnell", "flux-schnell", 5, false},
		{generation.Image, "flux-general", "flux-general", 10, false},
		{generation.Image, "flux-freeSchnell", "flux-freeSchnell", 0, false},
		{generation.Image, "dall-e-3", "gpt-image-2", 20, true},
		{generation.Image, "SDXL", "sdxl", 5, false},
		{generation.Image, "", "auto", 10, false},
		{generation.Video, "gen2", "gen4.5", 120, true},
		{generation.Video, "pika-1.0", "pika-2.2", 100, true},
		{generation.Video, "SVD", "svd", 40, false},
		{generation.Text, "gemini-1.5-flash", "gemini-3.8-flash", 1, true},
		{generation.Text, "gemini-1.5-pro", "gemini-3.1-pro-preview", 4, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := c.Resolve(tt.kind, tt.name)
			if err != nil {
				t.Fatal(err)
			}
			if m.Name != tt.model || m.Retired != tt.retired {
				t.Errorf("resolved to %s, retired %v; want %s, %v", m.Name, m.Retired, tt.model, tt.retired)
			}
			q, err := m.Quote(generation.Request{Kind: tt.kind})
			if err != nil || q.Credits != tt.credits {
				t.Errorf("quote = %d, %v; want %d", q.Credits, err, tt.credits)
			}
		})
	}
}

func TestUnknownPriceRefuses(t *testing.T) {
	t.Parallel()
	m := catalog.Model{Name: "new", Kind: generation.Image, Auto: true}
	if _, err := m.Quote(generation.Request{}); fault.CodeOf(err) != fault.Unavailable {
		t.Fatalf("quote of an unknown price: %v, want unavailable", err)
	}
}

func TestQuoteScalesByWhatCostsMoney(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	for _, tt := range []struct {
		request generation.Request
		credits int64
	}{
		{generation.Request{Kind: generation.Image, Model: "flux-dev", N: 3}, 30},
		{generation.Request{Kind: generation.Image, Model: "gpt-image-2", Quality: "high"}, 80},
		{generation.Request{Kind: generation.Image, Model: "gpt-image-2", Quality: "low", N: 2}, 20},
		{generation.Request{Kind: generation.Image, Model: "gpt-image-2", Size: "1536x1024"}, 20},
		{generation.Request{Kind: generation.Image, Model: "dall-e-3", Size: "1792x1024"}, 20}, // the widest that the retired model made
		{generation.Request{Kind: generation.Image, Model: "gpt-image-2", Size: "3840x2160", Quality: "high", N: 2}, 800},
		{generation.Request{Kind: generation.Image, Model: "flux-2-pro", Size: "2048x2048"}, 80},
		{generation.Request{Kind: generation.Image, Model: "flux-2-pro", Options: options("resolution", `"4 MP"`)}, 80},
		{generation.Request{Kind: generation.Image, Model: "gemini-3-pro-image", Options: options("gemini", `{"image_size":"4K"}`)}, 54},
		{generation.Request{Kind: generation.Video, Model: "gen4.5", Duration: 10}, 240},
		{generation.Request{Kind: generation.Video, Model: "pika-2.2", Size: "1920x1080"}, 150},
		{generation.Request{Kind: generation.Video, Model: "pika-2.2", Options: options("fal", `{"resolution":"1080p"}`)}, 150},
		{generation.Request{Kind: generation.Video, Model: "ray-3.2", Duration: 5, Options: options("custom", `{"resolution":"1080p"}`)}, 240},
		{generation.Request{Kind: generation.Video, Model: "ray-3.2", Duration: 5, Options: options("resolution", `"540p"`)}, 30},
		{generation.Request{Kind: generation.Video, Model: "kling-v3", Duration: 5, Options: options("custom", `{"mode":"pro","sound":"on"}`)}, 225},
		{generation.Request{Kind: generation.Text, Model: "gemini-3.1-pro-preview", MaxTokens: 2500}, 12},
	} {
		m, err := c.Resolve(tt.request.Kind, tt.request.Model)
		if err != nil {
			t.Fatal(err)
		}
		q, err := m.Quote(tt.request)
		if err != nil || q.Credits != tt.credits {
			t.Errorf("%s: quote = %d, %v; want %d", tt.request.Model, q.Credits, err, tt.credits)
		}
		if q.Quantity*q.UnitCredits != q.Credits {
			t.Errorf("%s: %d x %d is not %d", tt.request.Model, q.Quantity, q.UnitCredits, q.Credits)
		}
	}
}

// options is one member of a request's options.
func options(name, value string) map[string]json.RawMessage {
	return map[string]json.RawMessage{name: json.RawMessage(value)}
}

func TestTheDearestSpellingOfAMemberCounts(t *testing.T) {
	t.Parallel()
	m := catalog.Model{Name: "m", Kind: generation.Image, Auto: true, Price: catalog.Price{
		Known: true, Credits: 10, Unit: catalog.PerImage, Percent: map[string]map[string]int64{"quality": {"low": 50, "high": 400}},
	}}
	r := generation.Request{Quality: "low", Options: options("openai", `{"quality":"high"}`)}
	if q, err := m.Quote(r); err != nil || q.Credits != 40 {
		t.Errorf("quote = %+v, %v", q, err)
	}
	r.Options = options("openai", `["quality"]`)
	if q, err := m.Quote(r); err != nil || q.Credits != 5 {
		t.Errorf("quote = %+v, %v", q, err)
	}
	m.Price.Megapixels = 0.001
	if m.Validate() == nil {
		t.Error("a thousandth of a megapixel is a unit")
	}
}

func TestResolveUnknownNamesTheChoices(t *testing.T) {
	t.Parallel()
	_, err := builtin(t).Resolve(generation.Image, "nope")
	if fault.CodeOf(err) != fault.InvalidInput {
		t.Fatalf("error = %v", err)
	}
}

func TestChargeOfAPartialDelivery(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		price            int64
		asked, delivered int
		want             int64
	}{{40, 4, 4, 40}, {40, 4, 3, 30}, {10, 3, 1, 3}, {10, 1, 0, 0}, {10, 1, 5, 10}, {10, 0, 0, 10}} {
		if got := catalog.Charge(tt.price, tt.asked, tt.delivered); got != tt.want {
			t.Errorf("Charge(%d, %d, %d) = %d, want %d", tt.price, tt.asked, tt.delivered, got, tt.want)
		}
	}
}

// TestRetiredNamesHaveADay lets every answer to a retired name carry a
// Deprecation header.
func TestRetiredNamesHaveADay(t *testing.T) {
	t.Parallel()
	for _, m := range builtin(t).Models() {
		for _, a := range m.Aliases {
			if a.Retired == a.DeprecatedAt.IsZero() {
				t.Errorf("%s: retired is %v, the day %v", a.Name, a.Retired, a.DeprecatedAt)
			}
		}
	}
}
