package fal_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/fal"
	"easel/shared/provider/providertest"
)

const (
	pixel     = "data:image/png;base64,iVBORw0KGgo="
	id        = "764cabcf-b745-4b3e-ae38-1200304cf45b"
	completed = `{"status":"COMPLETED","request_id":"` + id + `","logs":[],"metrics":{"inference_time":3.1}}`
	video     = `{"video":{"url":"https://v3.fal.media/files/a.mp4","content_type":"video/mp4","file_size":5}}`
)

func reply(status int, body string) providertest.Reply {
	return providertest.Reply{Status: status, Body: body, Header: map[string]string{"X-Fal-Request-Id": id}}
}

func one(status int, body string) []providertest.Reply {
	return []providertest.Reply{reply(status, body)}
}

func TestProvider(t *testing.T) {
	t.Parallel()
	providertest.Run(t, providertest.Harness{
		New: func(c *http.Client) provider.Provider { return fal.New(c) },
		Call: provider.Call{
			Model: "fal-ai/pika/v2.2/text-to-video", Task: "task_1", Attempt: "att_1",
			Request: generation.Request{Kind: generation.Video, Prompt: "a lighthouse at dusk", Duration: 5},
		},
		Submits:     append(submits(), refusals()...),
		Starts:      true,
		ServerError: reply(500, `{"detail":"Internal Server Error"}`),
		Job:         provider.Job{ID: id, Handle: map[string]string{"status": "{{base}}/x/status", "result": "https://elsewhere.example/x"}},
		Polls:       polls(),
		UnknownWord: reply(202, `{"status":"WARMING_UP"}`),
		Cancels: []providertest.Case{
			{Name: "a running job", Replies: one(202, `{"status":"CANCELLATION_REQUESTED"}`)},
			{Name: "a job that has ended", Replies: one(400, `{"status":"ALREADY_COMPLETED"}`)},
			{Name: "a job that is gone", Replies: one(404, `{"status":"NOT_FOUND"}`)},
			{Name: "a wrong key", Replies: one(401, `{"detail":"no"}`), Want: providertest.Want{Class: fault.ClassAuth}},
		},
		Notices:   notices(),
		Requests:  requests(),
		Contracts: []string{"status.json", "status_path.json", "result.json", "cancel.json", "unknown.json"},
	})
}

func submits() []providertest.Case {
	queued := one(200, `{"request_id":"`+id+`","gateway_request_id":"`+id+`","response_url":"{{base}}/fal-ai/pika/requests/`+id+
		`","status_url":"{{base}}/fal-ai/pika/requests/`+id+`/status","cancel_url":"{{base}}/fal-ai/pika/requests/`+id+`/cancel","queue_position":0}`)
	return append([]providertest.Case{
		{Name: "a job", Replies: queued, Want: providertest.Want{
			State: provider.Pending, Job: id, RequestID: id,
			Check: func(t *testing.T, a provider.Answer) {
				t.Helper()
				if len(a.Job.Handle) != 3 {
					t.Errorf("handle = %v", a.Job.Handle)
				}
			},
		}},
		{Name: "a model that no one knows", Replies: queued, Want: providertest.Want{State: provider.Pending, Job: id}, Change: func(c *provider.Call) { c.Model = "someone/something" }},
		{Name: "an option of the wrong type", Replies: queued, Want: providertest.Want{Class: fault.ClassInvalidInput, Requests: providertest.None}, Change: func(c *provider.Call) {
			c.Request.Options = map[string]json.RawMessage{"resolution": []byte(`1080`)}
		}},
	}, lacking(queued)...)
}

func lacking(replies []providertest.Reply) []providertest.Case {
	flux := func(c *provider.Call) { c.Model, c.Request.Kind = "fal-ai/flux/dev", generation.Image }
	table := map[string]func(*provider.Call){
		"a text":                            func(c *provider.Call) { c.Request.Kind = generation.Text },
		"a mask":                            func(c *provider.Call) { c.Request.Mask = pixel },
		"a model without an owner":          func(c *provider.Call) { c.Model = "pika" },
		"an image of a video model":         func(c *provider.Call) { c.Request.Kind = generation.Image },
		"a clip of seven seconds":           func(c *provider.Call) { c.Request.Duration = 7 },
		"a ratio that it lacks":             func(c *provider.Call) { c.Request.AspectRatio = "21:9" },
		"a size that it lacks":              func(c *provider.Call) { c.Request.Size = "1000x1000" },
		"flux: five images":                 func(c *provider.Call) { flux(c); c.Request.N = 5 },
		"flux: an input image":              func(c *provider.Call) { flux(c); c.Request.Image = pixel },
		"flux: a lora without a model":      func(c *provider.Call) { flux(c); c.Request.Loras = []generation.Lora{{Path: "a"}} },
		"flux: webp":                        func(c *provider.Call) { flux(c); c.Request.Format = "webp" },
		"flux: a ratio that it lacks":       func(c *provider.Call) { flux(c); c.Request.AspectRatio = "21:9" },
		"flux: a size that is too large":    func(c *provider.Call) { flux(c); c.Request.Size = "4096x4096" },
		"an image for a model nobody knows": func(c *provider.Call) { c.Model, c.Request.Image = "someone/something", pixel },
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
		{"an invalid field", 422, `{"detail":[{"loc":["body","duration"],"msg":"Input should be 5 or 10","type":"literal_error","input":7}]}`, fault.ClassInvalidInput},
		{"a prompt that a checker refused", 422, `{"detail":[{"loc":["body","prompt"],"msg":"flagged","type":"content_policy_violation"}]}`, fault.ClassModerated},
		{"a wrong key, quoted back", 401, `{"detail":"Cannot access application with {{key}}"}`, fault.ClassAuth},
		{"a key without the right", 403, `{"detail":"Forbidden"}`, fault.ClassAuth},
		{"an empty balance", 403, `{"detail":"User is locked. Reason: Exhausted balance."}`, fault.ClassOutOfCredit},
		{"a model that is gone", 404, `{"detail":"Application 'pika' not found"}`, fault.ClassModelGone},
		{"a rate limit", 429, `{"detail":"Too many requests"}`, fault.ClassRateLimited},
		{"an overloaded service", 503, `{"detail":"Service is temporarily unavailable"}`, fault.ClassUnavailable},
	}
	cases := make([]providertest.Case, 0, len(table))
	for _, c := range table {
		cases = append(cases, providertest.Case{
			Name: c.name, Replies: one(c.status, c.body), Want: providertest.Want{Class: c.class, RequestID: id},
		})
	}
	return cases
}

func polls() []providertest.Case {
	stored := []struct {
		name   string
		status int
		body   string
		want   providertest.Want
	}{
		{"a video", 200, video, providertest.Want{State: provider.Succeeded, Files: 1, Progress: 1, Check: func(t *testing.T, a provider.Answer) {
			t.Helper()
			if a.Files[0].ContentType != "video/mp4" || a.Usage.Seconds != 5 {
				t.Errorf("file %+v, usage %+v", a.Files[0], a.Usage)
			}
		}}},
		{"one of two images blacked out", 200, `{"images":[{"url":"https://a.example/1.png"},{"url":"` + pixel + `"}],"has_nsfw_concepts":[true,false]}`, providertest.Want{State: provider.Succeeded, Files: 1, Progress: 1}},
		{"all images blacked out", 200, `{"images":[{"url":"https://a.example/1.png"}],"has_nsfw_concepts":[true]}`, providertest.Want{State: provider.Failed, Class: fault.ClassModerated}},
		{"a result without files", 200, `{"seed":1}`, providertest.Want{State: provider.Failed, Class: fault.ClassJobFailed}},
		{"a refusal", 422, `{"detail":[{"loc":["body","prompt"],"msg":"flagged","type":"content_policy_violation"}]}`, providertest.Want{State: provider.Failed, Class: fault.ClassModerated}},
		{"an input that could not be used", 422, `{"detail":[{"loc":["body","image_url"],"msg":"Could not load image","type":"image_load_error"}]}`, providertest.Want{State: provider.Failed, Class: fault.ClassInvalidInput}},
		{"no result", 422, `{"detail":[{"loc":["body"],"msg":"nothing","type":"no_media_generated"}]}`, providertest.Want{State: provider.Failed, Class: fault.ClassJobFailed}},
		{"a crash", 500, `{"detail":"Internal Server Error"}`, providertest.Want{State: provider.Failed, Class: fault.ClassJobFailed}},
		{"a canceled job", 400, `{"detail":"Request was cancelled"}`, providertest.Want{State: provider.Failed, Class: fault.ClassCanceled}},
		{"an outage while the result is fetched", 502, `<html>`, providertest.Want{Class: fault.ClassUnavailable}},
		{"a rate limit while the result is fetched", 429, `{"detail":"slow down"}`, providertest.Want{Class: fault.ClassRateLimited}},
		{"a result that is not JSON", 200, `<html>`, providertest.Want{Class: fault.ClassBadAnswer}},
	}
	cases := make([]providertest.Case, 0, len(stored)+4)
	for _, c := range stored {
		c.want.Requests = 2
		if c.want.State != "" {
			c.want.Job = id
		}
		cases = append(cases, providertest.Case{Name: c.name, Replies: []providertest.Reply{reply(200, completed), reply(c.status, c.body)}, Want: c.want})
	}
	timeout := reply(504, `{"detail":"Request timed out"}`)
	timeout.Header = map[string]string{"X-Fal-Request-Timeout-Type": "user"}
	return append(cases,
		providertest.Case{Name: "a job that waited too long", Replies: []providertest.Reply{reply(200, completed), timeout}, Want: providertest.Want{State: provider.Failed, Job: id, Class: fault.ClassCanceled, Requests: 2}},
		providertest.Case{Name: "a job in the queue", Replies: one(202, `{"status":"IN_QUEUE","queue_position":3}`), Want: providertest.Want{State: provider.Pending, Job: id}},
		providertest.Case{Name: "a running job", Replies: one(202, `{"status":"IN_PROGRESS"}`), Want: providertest.Want{State: provider.Running, Job: id}},
		providertest.Case{Name: "an answer without a status", Replies: one(200, `{}`), Want: providertest.Want{Class: fault.ClassBadAnswer}},
	)
}

func requests() []providertest.RequestCase {
	return []providertest.RequestCase{
		{
			Name: "pika from text", Contract: "pika.json",
			Change: func(c *provider.Call) {
				seed := int64(7)
				c.Request.Seed, c.Request.NegativePrompt, c.Request.Size, c.Request.FPS = &seed, "fog", "1080x1920", 24
				c.CallbackURL, c.ExpiresAt = "https://easel.example/hook?task=t&attempt=a", time.Now().Add(time.Minute)
			},
			Want: map[string]any{"aspect_ratio": "9:16", "resolution": "1080p", "duration": 5, "seed": 7},
		},
		{
			Name: "through a proxy", Contract: "pika_proxied.json",
			Change: func(c *provider.Call) {
				c.Headers = map[string]string{"X-Fal-Target-Url": "https://queue.fal.run"}
			},
		},
		{
			Name: "pika from an image", Contract: "pika_image.json",
			Change: func(c *provider.Call) {
				c.Request.Image, c.Request.AspectRatio = pixel, "16:9"
				c.Request.Options = map[string]json.RawMessage{"resolution": []byte(`"720p"`), "style": []byte(`"x"`)}
			},
			Want: map[string]any{"image_url": pixel, "resolution": "720p", "aspect_ratio": nil},
		},
		{
			Name: "flux with a lora", Contract: "flux.json",
			Change: func(c *provider.Call) {
				c.Model, c.Request.Kind, c.Request.N, c.Request.Size, c.Request.Format = "fal-ai/flux-lora", generation.Image, 2, "768x1024", "jpeg"
				c.Request.Loras = []generation.Lora{{Path: "https://loras.example/a.safetensors"}}
				c.Data = []byte(`{"options":{"guidance_scale":3.5,"enable_safety_checker":true}}`)
			},
			Want: map[string]any{"num_images": 2, "image_size.width": 768, "loras[].scale": 1, "guidance_scale": 3.5, "output_format": "jpeg"},
		},
	}
}
