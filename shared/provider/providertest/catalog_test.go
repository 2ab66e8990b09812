package providertest_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"easel/shared/catalog"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/custom"
	"easel/shared/provider/fal"
	"easel/shared/provider/gemini"
	"easel/shared/provider/openai"
	"easel/shared/provider/replicate"
	"easel/shared/provider/runway"
	"easel/shared/provider/stability"
	"easel/shared/secret"
)

// wire is a transport that only notes that something would have been sent.
type wire struct{ sent int }

func (w *wire) RoundTrip(*http.Request) (*http.Response, error) {
	w.sent++
	return nil, errors.New("nothing is sent here")
}

// variation is one way to change a request.
type variation func(r *generation.Request)

// variations are values of single members, within and beyond what vendors take.
func variations(m catalog.Model) (all []variation) {
	add := func(v variation) { all = append(all, v) }
	sizes := append(strings.Fields(`64x64 256x256 512x512 768x768 1000x1000 1024x1024 1440x1440 2048x2048 3840x2160 3840x1280 3840x640 256x1440
		640x480 800x600 1280x720 720x1280 1920x1080 1080x1920 1344x768 1536x640 1104x832 832x1104 960x960 1584x672 512x1000 1024x1536 816x816
		2560x1440 1248x832 1024x320 1680x720 2112x912 1152x768 1536x864 2816x2816`), m.Limits.Sizes...)
	for _, size := range sizes {
		add(func(r *generation.Request) { r.Size = size })
	}
	for _, ratio := range append(strings.Fields("1:1 16:9 9:16 4:3 3:4 3:2 2:3 4:5 5:4 21:9 9:21 7:5 2:1 1:2 3:1 1:3 4:1 10:1 1:10"), m.Limits.AspectRatios...) {
		add(func(r *generation.Request) { r.AspectRatio = ratio })
	}
	for seconds := range 18 {
		add(func(r *generation.Request) { r.Duration = seconds })
		for _, fps := range []int{1, 4, 5, 6, 12, 24, 25, 30, 31, 60} {
			add(func(r *generation.Request) { r.Duration, r.FPS = seconds, fps })
		}
	}
	for n := range 11 {
		add(func(r *generation.Request) { r.N = n })
	}
	for _, format := range []string{"png", "jpeg", "webp"} {
		add(func(r *generation.Request) { r.Format = format })
	}
	for _, quality := range []string{"low", "medium", "high"} {
		add(func(r *generation.Request) { r.Quality = quality })
	}
	for n := range 11 {
		add(func(r *generation.Request) {
			for range n {
				r.Loras = append(r.Loras, generation.Lora{Path: "owner/name", Scale: 1})
			}
		})
	}
	for _, prompt := range []string{"", "a", "画", "🦊"} {
		for _, n := range []int{1, 500, 501, 999, 1000, 1001, 2000, 2001, 10000, 10001, 32000, 32001} {
			add(func(r *generation.Request) { r.Prompt = strings.Repeat(prompt, n) })
		}
	}
	add(func(r *generation.Request) { r.NegativePrompt = "fog" })
	add(func(r *generation.Request) { r.Seed = new(int64(catalog.MaxSeed)) })
	add(func(r *generation.Request) { r.Strength = new(0.5) })
	add(func(r *generation.Request) { r.Mask = pixel })
	add(func(r *generation.Request) { r.MaxTokens = 32768 })
	return all
}

// TestWhatTheCatalogAcceptsCanBeSent holds the limits that callers are told
// before money moves against those of the drivers: what a model accepts, the driver
// of its first upstream must know how to ask for.
func TestWhatTheCatalogAcceptsCanBeSent(t *testing.T) {
	t.Parallel()
	models, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range models {
		if m.Auto {
			continue // its limits are those of whichever config serves it
		}
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			driver, call := driverOf(t, m)
			accepted := 0
			for _, image := range []string{"", pixel} {
				for _, vary := range variations(m) {
					r := generation.Request{Kind: m.Kind, Model: m.Name, Prompt: "a lighthouse", Image: image}
					vary(&r)
					if m.Check(r) != nil {
						continue
					}
					accepted++
					w := &wire{}
					call.Request = r
					if _, why := driver(&http.Client{Transport: w}).Submit(t.Context(), call); w.sent == 0 {
						r.Prompt = r.Prompt[:min(len(r.Prompt), 8)]
						t.Errorf("no driver sends %+v: %v", r, why)
					}
				}
			}
			if accepted < 10 {
				t.Errorf("only %d requests are accepted", accepted)
			}
		})
	}
}

// driverOf returns the driver of a model's first upstream, or of the description
// of an API by which local mode serves it, and a call without a request.
func driverOf(t *testing.T, m catalog.Model) (func(*http.Client) provider.Provider, provider.Call) {
	t.Helper()
	call := provider.Call{BaseURL: "https://vendor.example", Key: secret.New("k"), Attempt: "att_1"}
	if m.Configured {
		api, ok := map[string]string{"ray-3.2": "luma", "kling-v3": "kling", "bfl-flux": "bfl"}[m.Name]
		if !ok {
			t.Fatal("there is no description of the API that serves it")
		}
		call.Model = m.Name
		return func(c *http.Client) provider.Provider { return custom.New(c) }, described(t, api, call)
	}
	call.Model = m.Upstreams[0].Model
	switch m.Upstreams[0].Provider {
	case "openai":
		return func(c *http.Client) provider.Provider { return openai.New(c) }, call
	case "stability":
		return func(c *http.Client) provider.Provider { return stability.New(c) }, call
	case "replicate":
		return func(c *http.Client) provider.Provider { return replicate.New(c) }, call
	case "runway":
		return func(c *http.Client) provider.Provider { return runway.New(c) }, call
	case "fal":
		return func(c *http.Client) provider.Provider { return fal.New(c) }, call
	case "gemini":
		return func(c *http.Client) provider.Provider { return gemini.New(c) }, call
	default:
		t.Fatalf("there is no driver for %s", m.Upstreams[0].Provider)
		return nil, call
	}
}
