package stability_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/providertest"
	"easel/shared/provider/stability"
)

const pixel = "data:image/png;base64,iVBORw0KGgo="

func TestProvider(t *testing.T) {
	t.Parallel()
	seed := int64(7)
	providertest.Run(t, providertest.Harness{
		New: func(c *http.Client) provider.Provider { return stability.New(c) },
		Call: provider.Call{
			Model: "stable-image-core", Task: "task_1", Attempt: "att_1", User: "user-1",
			Request: generation.Request{Kind: generation.Image, Prompt: "a lighthouse at dusk", Seed: &seed},
		},
		Submits:     append(submits(), refusals()...),
		ServerError: reply(500, `{"id":"e1","name":"internal_error","errors":["An unexpected error"]}`),
		Checks:      checks(),
		Requests:    requests(),
		Contracts:   []string{"balance.json"},
	})
}

func checks() []providertest.Case {
	one := func(status int, body string) []providertest.Reply { return []providertest.Reply{reply(status, body)} }
	return []providertest.Case{
		{Name: "a balance", Replies: one(200, `{"credits":0.5}`), Want: providertest.Want{Funded: true}},
		{Name: "no balance left", Replies: one(200, `{"credits":0}`), Want: providertest.Want{Class: fault.ClassOutOfCredit}},
		{Name: "another answer", Replies: one(200, `{"balance":9}`), Want: providertest.Want{Class: fault.ClassBadAnswer}},
		{Name: "a wrong key", Replies: one(401, `{"id":"e","name":"unauthorized","message":"no"}`), Want: providertest.Want{Class: fault.ClassAuth}},
		{Name: "an overload", Replies: one(503, `{"id":"e","name":"service_unavailable","message":"no"}`), Want: providertest.Want{Class: fault.ClassUnavailable}},
	}
}

func reply(status int, body string) providertest.Reply {
	return providertest.Reply{
		Status: status, Body: body,
		Header: map[string]string{"X-Request-Id": "req_1", "Content-Type": "application/json; type=image/png"},
	}
}

func v1(c *provider.Call) { c.Model = "stable-diffusion-xl-1024-v1-0" }

func submits() []providertest.Case {
	one := func(body string) []providertest.Reply { return []providertest.Reply{reply(200, body)} }
	picture := one(`{"image":"iVBORw0KGgo=","seed":7,"finish_reason":"SUCCESS"}`)
	cases := []providertest.Case{
		{Name: "an image", Replies: picture, Want: providertest.Want{
			State: provider.Succeeded, Files: 1, RequestID: "req_1",
			Check: func(t *testing.T, a provider.Answer) {
				t.Helper()
				if a.Files[0].ContentType != "image/png" || a.Usage.CostMicroUSD != 30_000 || a.Usage.Images != 1 {
					t.Errorf("type %q, usage %+v", a.Files[0].ContentType, a.Usage)
				}
			},
		}},
		{
			Name: "an image as bytes",
			Replies: []providertest.Reply{{Body: "RIFFxxxxWEBP", Header: map[string]string{
				"Content-Type": "image/webp", "Finish-Reason": "SUCCESS", "Seed": "7",
			}}},
			Want: providertest.Want{State: provider.Succeeded, Files: 1},
		},
		{
			Name: "a blurred image as bytes",
			Replies: []providertest.Reply{{Body: "RIFFxxxxWEBP", Header: map[string]string{
				"Content-Type": "image/webp", "Finish-Reason": "CONTENT_FILTERED",
			}}},
			Want: providertest.Want{Class: fault.ClassModerated},
		},
		{Name: "a blurred image", Replies: one(`{"image":"iVBORw0KGgo=","finish_reason":"CONTENT_FILTERED"}`), Want: providertest.Want{Class: fault.ClassModerated}},
		{Name: "an image that is not base64", Replies: one(`{"image":"%","finish_reason":"SUCCESS"}`), Want: providertest.Want{Class: fault.ClassBadAnswer, Unknown: true}},
		{Name: "v1: some of three images", Change: v1, Replies: one(
			`{"artifacts":[{"base64":"aGk=","seed":1,"finishReason":"SUCCESS"},{"base64":"aGk=","seed":2,"finishReason":"CONTENT_FILTERED"},{"base64":"","finishReason":"ERROR"}]}`,
		), Want: providertest.Want{State: provider.Succeeded, Files: 1}},
		{Name: "v1: all filtered", Change: v1, Replies: one(`{"artifacts":[{"base64":"aGk=","finishReason":"CONTENT_FILTERED"}]}`), Want: providertest.Want{Class: fault.ClassModerated}},
		{Name: "v1: all failed", Change: v1, Replies: one(`{"artifacts":[{"base64":"","finishReason":"ERROR"}]}`), Want: providertest.Want{Class: fault.ClassUnavailable}},
		{Name: "v1: no artifacts", Change: v1, Replies: one(`{"artifacts":[]}`), Want: providertest.Want{Class: fault.ClassBadAnswer, Unknown: true}},
	}
	return append(cases, lacking(picture)...)
}

// lacking are requests that this provider cannot serve, and that it refuses
// before it sends anything.
func lacking(replies []providertest.Reply) []providertest.Case {
	table := map[string]func(*provider.Call){
		"two images at once":                 func(c *provider.Call) { c.Request.N = 2 },
		"a ratio that v2beta lacks":          func(c *provider.Call) { c.Request.AspectRatio = "4:3" },
		"a size of a ratio that it lacks":    func(c *provider.Call) { c.Request.Size = "1024x768" },
		"a size far from a megapixel":        func(c *provider.Call) { c.Request.Size = "4096x4096" },
		"a mask":                             func(c *provider.Call) { c.Request.Image, c.Request.Mask = pixel, pixel },
		"an input image for core":            func(c *provider.Call) { c.Request.Image = pixel },
		"an input image by URL":              func(c *provider.Call) { c.Model, c.Request.Image = "ultra", "https://a.example/b.png" },
		"a model of somebody else":           func(c *provider.Call) { c.Model = "flux-dev" },
		"a lora":                             func(c *provider.Call) { c.Request.Loras = []generation.Lora{{Path: "a/b"}} },
		"a video":                            func(c *provider.Call) { c.Request.Kind = generation.Video },
		"a seed out of range":                func(c *provider.Call) { seed := int64(1) << 40; c.Request.Seed = &seed },
		"v1: a format that it does not have": func(c *provider.Call) { v1(c); c.Request.Format = "webp" },
		"v1: a size that it does not have":   func(c *provider.Call) { v1(c); c.Request.Size = "1000x1000" },
		"v1: eleven images":                  func(c *provider.Call) { v1(c); c.Request.N = 11 },
	}
	cases := make([]providertest.Case, 0, len(table))
	for name, change := range table {
		cases = append(cases, providertest.Case{
			Name: name, Change: change, Replies: replies,
			Want: providertest.Want{Class: fault.ClassUnsupported, Requests: providertest.None},
		})
	}
	return cases
}

func refusals() []providertest.Case {
	table := []struct {
		name   string
		status int
		body   string
		class  fault.Class
	}{
		{"a prompt that moderation refused", 403, `{"id":"e","name":"content_moderation","errors":["Your request was flagged by our content moderation system"]}`, fault.ClassModerated},
		{"a public figure", 422, `{"id":"e","name":"public_figure","errors":["a public figure"]}`, fault.ClassModerated},
		{"a prompt that is not English", 422, `{"id":"e","name":"invalid_language","errors":["English is the only supported language"]}`, fault.ClassUnsupported},
		{"a bad request", 400, `{"id":"e","name":"bad_request","errors":["strength: is required"]}`, fault.ClassInvalidInput},
		{"a body that is too large", 413, `{"id":"e","name":"payload_too_large","errors":["too large"]}`, fault.ClassInvalidInput},
		{"a wrong key, quoted back", 401, `{"id":"e","name":"unauthorized","errors":["missing or invalid key {{key}}"]}`, fault.ClassAuth},
		{"an empty balance", 402, `{"id":"e","name":"payment_required","errors":["no credits"]}`, fault.ClassOutOfCredit},
		{"v1: an empty balance", 403, `{"id":"e","name":"permission_denied","message":"Your organization does not have enough balance"}`, fault.ClassOutOfCredit},
		{"v1: a missing permission", 403, `{"id":"e","name":"permission_denied","message":"not allowed"}`, fault.ClassAuth},
		{"v1: filtered words", 400, `{"id":"e","name":"invalid_prompts","message":"One or more prompts contains filtered words."}`, fault.ClassModerated},
		{"v1: an engine that is gone", 404, `{"id":"e","name":"not_found","message":"The specified engine was not found"}`, fault.ClassModelGone},
		{"v1: a wrong size", 400, `{"id":"e","name":"invalid_height_or_width","message":"must be a multiple of 64"}`, fault.ClassInvalidInput},
	}
	cases := make([]providertest.Case, 0, len(table)+1)
	for _, c := range table {
		cases = append(cases, providertest.Case{
			Name: c.name, Replies: []providertest.Reply{reply(c.status, c.body)},
			Want: providertest.Want{Class: c.class, RequestID: "req_1"},
		})
	}
	return append(cases, providertest.Case{
		Name:    "the rate limit locks out for a minute",
		Replies: []providertest.Reply{reply(429, `{"id":"e","name":"rate_limit_exceeded","errors":["too many requests"]}`)},
		Want:    providertest.Want{Class: fault.ClassRateLimited, RetryAfter: time.Minute},
	})
}

func requests() []providertest.RequestCase {
	return []providertest.RequestCase{
		{
			Name: "core", Contract: "v2.json",
			Change: func(c *provider.Call) {
				c.Request.NegativePrompt, c.Request.Format, c.Request.Size = "fog", "webp", "1536x1024"
				c.Request.Options = map[string]json.RawMessage{"style_preset": []byte(`"anime"`), "cfg_scale": []byte(`7`)}
			},
			Want: map[string]any{"seed": "7", "aspect_ratio": "3:2", "style_preset": "anime", "negative_prompt": "fog", "output_format": "webp"},
		},
		{
			Name: "sd3", Contract: "sd3.json",
			Change: func(c *provider.Call) {
				c.Model, c.Request.AspectRatio = "sd3.5-large-turbo", "16:9"
				c.Request.Options = map[string]json.RawMessage{"style_preset": []byte(`"anime"`), "cfg_scale": []byte(`4.5`)}
			},
			Want: map[string]any{"model": "sd3.5-large-turbo", "aspect_ratio": "16:9", "cfg_scale": "4.5", "mode": nil},
		},
		{
			Name: "sd3 from an image", Contract: "sd3.json",
			Change: func(c *provider.Call) {
				c.Model, c.Request.Image, c.Request.AspectRatio = "sd3.5-medium", pixel, "16:9"
			},
			Want: map[string]any{"mode": "image-to-image", "strength": "0.65", "aspect_ratio": nil},
		},
		{
			Name: "v1", Contract: "v1.json", Reply: reply(200, `{"artifacts":[{"base64":"aGk=","finishReason":"SUCCESS"}]}`),
			Change: func(c *provider.Call) {
				v1(c)
				c.Request.NegativePrompt, c.Request.AspectRatio, c.Request.N = "fog", "16:9", 3
				c.Data = []byte(`{"options":{"steps":30}}`)
			},
			Want: map[string]any{"width": 1344, "height": 768, "samples": 3, "seed": 7, "steps": 30, "text_prompts[].weight": 1},
		},
	}
}
