package custom_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/custom"
	"easel/shared/provider/custom/examples"
	"easel/shared/provider/providertest"
)

const pixel = "data:image/png;base64,iVBORw0KGgo="

// described reads a description of an API.
func described(t *testing.T, name string) json.RawMessage {
	t.Helper()
	data := read(t, name)
	if err := custom.Validate(data); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return data
}

// read finds a description among the examples, or in testdata.
func read(tb testing.TB, name string) json.RawMessage {
	tb.Helper()
	switch name {
	case "luma":
		return examples.Luma()
	case "kling":
		return examples.Kling()
	case "bfl":
		return examples.BFL()
	}
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func driver() func(*http.Client) provider.Provider {
	return func(c *http.Client) provider.Provider { return custom.New(c) }
}

func one(status int, body string) []providertest.Reply {
	return []providertest.Reply{{Status: status, Body: body}}
}

func call(t *testing.T, api, model string, kind generation.Kind) provider.Call {
	t.Helper()
	return provider.Call{
		Model: model, Data: described(t, api), Task: "task_1", Attempt: "att_1",
		Request: generation.Request{Kind: kind, Prompt: "a lighthouse at dusk"},
	}
}

func unsupported(name string, replies []providertest.Reply, change func(*provider.Call)) providertest.Case {
	return providertest.Case{
		Name: name, Change: change, Replies: replies,
		Want: providertest.Want{Class: fault.ClassUnsupported, Requests: providertest.None},
	}
}

func TestAnAPILikeLumas(t *testing.T) {
	t.Parallel()
	accepted := one(201, `{"id":"g1","status":"queued","model":"ray-3.2"}`)
	providertest.Run(t, providertest.Harness{
		New: driver(), Call: call(t, "luma", "ray-3.2", generation.Video), Starts: true,
		ServerError: one(500, `{"detail":"internal server error"}`)[0],
		Submits: []providertest.Case{
			{Name: "a job", Replies: accepted, Want: providertest.Want{State: provider.Pending, Job: "g1", PollAfter: 4 * time.Second}},
			{Name: "a wrong key, quoted back", Replies: one(401, `{"detail":"invalid api key {{key}}"}`), Want: providertest.Want{Class: fault.ClassAuth}},
			{Name: "an empty balance", Replies: one(402, `{"detail":"insufficient credits"}`), Want: providertest.Want{Class: fault.ClassOutOfCredit}},
			{Name: "a wrong field", Replies: one(422, `{"detail":"duration must be 5s"}`), Want: providertest.Want{Class: fault.ClassInvalidInput}},
			{Name: "a refused prompt", Replies: one(400, `{"detail":"rejected by Moderation"}`), Want: providertest.Want{Class: fault.ClassModerated}},
			{Name: "a rate limit", Replies: one(429, `{"detail":"rate limit exceeded"}`), Want: providertest.Want{Class: fault.ClassRateLimited}},
			unsupported("an input image", accepted, func(c *provider.Call) { c.Request.Image = pixel }),
			unsupported("a lora", accepted, func(c *provider.Call) { c.Request.Loras = []generation.Lora{{Path: "a"}} }),
			unsupported("a mask", accepted, func(c *provider.Call) { c.Request.Mask = pixel }),
			unsupported("frames per second", accepted, func(c *provider.Call) { c.Request.FPS = 24 }),
			unsupported("what is not to be seen", accepted, func(c *provider.Call) { c.Request.NegativePrompt = "fog" }),
			unsupported("a seed", accepted, func(c *provider.Call) { seed := int64(7); c.Request.Seed = &seed }),
			unsupported("two videos", accepted, func(c *provider.Call) { c.Request.N = 2 }),
			unsupported("a length that it lacks", accepted, func(c *provider.Call) { c.Request.Duration = 7 }),
			unsupported("a ratio that it lacks", accepted, func(c *provider.Call) { c.Request.Size = "1000x300" }),
			unsupported("a config without a description", accepted, func(c *provider.Call) { c.Data = nil }),
		},
		Job: provider.Job{ID: "g1", Handle: map[string]string{"path": "/v1/generations"}},
		Polls: []providertest.Case{
			{Name: "a video", Replies: one(200, `{"id":"g1","status":"completed","output":[{"url":"https://cdn.example/a.mp4"}]}`), Want: providertest.Want{State: provider.Succeeded, Job: "g1", Files: 1, Progress: 1}},
			{Name: "a waiting job", Replies: one(200, `{"status":"queued","output":[]}`), Want: providertest.Want{State: provider.Pending, Job: "g1", PollAfter: 4 * time.Second}},
			{Name: "a running job", Replies: one(200, `{"status":"Processing"}`), Want: providertest.Want{State: provider.Running, Job: "g1"}},
			{Name: "a refusal", Replies: one(200, `{"status":"failed","failure_code":"content_moderated","failure_reason":"no"}`), Want: providertest.Want{State: provider.Failed, Job: "g1", Class: fault.ClassModerated}},
			{Name: "a crash", Replies: one(200, `{"status":"failed","failure_code":"internal_error"}`), Want: providertest.Want{State: provider.Failed, Job: "g1", Class: fault.ClassJobFailed}},
			{Name: "a success without output", Replies: one(200, `{"status":"completed","output":[]}`), Want: providertest.Want{State: provider.Failed, Job: "g1", Class: fault.ClassJobFailed}},
			{Name: "an answer without a status", Replies: one(200, `{}`), Want: providertest.Want{Class: fault.ClassBadAnswer}},
		},
		UnknownWord: one(200, `{"status":"dreaming"}`)[0],
		Notices: []providertest.NoticeCase{
			{Name: "no webhooks are described", Message: provider.Message{Data: described(t, "luma"), Body: []byte(`{}`)}, Class: fault.ClassInvalidInput},
			{Name: "nothing is described", Message: provider.Message{Body: []byte(`{}`)}, Class: fault.ClassUnsupported},
		},
		Contracts: []string{"contracts/luma_get.json"},
		Requests: []providertest.RequestCase{{
			Name: "a video", Contract: "contracts/luma.json",
			Change: func(c *provider.Call) {
				c.Request.Duration, c.Request.Size = 9, "1280x720"
				c.Request.Options = map[string]json.RawMessage{"custom": []byte(`{"loop":true}`)}
			},
			Want: map[string]any{"duration": "9s", "aspect_ratio": "16:9", "resolution": "720p", "loop": true},
		}, {
			Name: "what is not given is left out", Contract: "contracts/luma.json",
			Want: map[string]any{"duration": nil, "aspect_ratio": nil, "loop": nil},
		}},
	})
}

func TestAnAPILikeKlings(t *testing.T) {
	t.Parallel()
	accepted := one(200, `{"code":0,"message":"SUCCEED","request_id":"r1","data":{"task_id":"k1","task_status":"submitted"}}`)
	coded := func(code string) []providertest.Reply {
		return one(200, `{"code":`+code+`,"message":"about {{key}}","request_id":"r1","data":null}`)
	}
	task := func(members string) []providertest.Reply {
		return one(200, `{"code":0,"message":"SUCCEED","data":{"task_id":"k1",`+members+`}}`)
	}
	data := described(t, "kling")
	providertest.Run(t, providertest.Harness{
		New: driver(), Call: call(t, "kling", "kling-v3", generation.Video), Starts: true,
		ServerError: one(500, `{"code":5000,"message":"server internal error"}`)[0],
		Submits: []providertest.Case{
			{Name: "a job", Replies: accepted, Want: providertest.Want{State: provider.Pending, Job: "k1", RequestID: "r1"}},
			{Name: "a wrong key inside a 200", Replies: coded("1002"), Want: providertest.Want{Class: fault.ClassAuth}},
			{Name: "an empty balance inside a 200", Replies: coded("1102"), Want: providertest.Want{Class: fault.ClassOutOfCredit}},
			{Name: "a refusal inside a 200", Replies: coded("1301"), Want: providertest.Want{Class: fault.ClassModerated}},
			{Name: "a rate limit inside a 200", Replies: coded("1303"), Want: providertest.Want{Class: fault.ClassRateLimited}},
			{Name: "a code that no rule names", Replies: coded("9999"), Want: providertest.Want{Class: fault.ClassUnavailable}},
			{Name: "a 200 without a job", Replies: one(200, `{"code":0,"data":{}}`), Want: providertest.Want{Class: fault.ClassBadAnswer, Unknown: true}},
			unsupported("an image by URL", accepted, func(c *provider.Call) { c.Request.Image = "https://a.example/a.png" }),
			unsupported("a ratio of a video from an image", accepted, func(c *provider.Call) { c.Request.Image, c.Request.AspectRatio = pixel, "16:9" }),
		},
		Job: provider.Job{ID: "k1", Handle: map[string]string{"path": "/v1/videos/image2video"}},
		Polls: []providertest.Case{
			{Name: "a video", Replies: task(`"task_status":"succeed","task_result":{"videos":[{"id":"v","url":"https://cdn.example/a.mp4","duration":"5"}]}`), Want: providertest.Want{State: provider.Succeeded, Job: "k1", Files: 1, Progress: 1}},
			{Name: "a running job", Replies: task(`"task_status":"processing"`), Want: providertest.Want{State: provider.Running, Job: "k1"}},
			{Name: "a refusal", Replies: task(`"task_status":"failed","task_status_msg":"Failure to pass the content policy"`), Want: providertest.Want{State: provider.Failed, Job: "k1", Class: fault.ClassModerated}},
			{Name: "a crash", Replies: task(`"task_status":"failed","task_status_msg":"oops"`), Want: providertest.Want{State: provider.Failed, Job: "k1", Class: fault.ClassJobFailed}},
			{Name: "a job that is gone", Replies: coded("1203"), Want: providertest.Want{Class: fault.ClassNotFound}},
		},
		UnknownWord: task(`"task_status":"pondering"`)[0],
		Notices: []providertest.NoticeCase{
			{Name: "an unsigned webhook", Message: provider.Message{Data: data, Body: []byte(`{"task_id":"k1","task_status":"succeed"}`)}, Want: provider.Notice{ID: "k1.succeed", Job: "k1", Final: true}},
			{Name: "an unsigned webhook about progress", Message: provider.Message{Data: data, Body: []byte(`{"task_id":"k1","task_status":"processing"}`)}, Want: provider.Notice{ID: "k1.processing", Job: "k1"}},
			{Name: "a webhook about nothing", Message: provider.Message{Data: data, Body: []byte(`{}`)}, Class: fault.ClassInvalidInput},
			{Name: "a webhook that is not JSON", Message: provider.Message{Data: data, Body: []byte(`<`)}, Class: fault.ClassInvalidInput},
		},
		Contracts: []string{"contracts/kling_get.json"},
		Requests: []providertest.RequestCase{{
			Name: "from text", Contract: "contracts/kling.json",
			Change: func(c *provider.Call) {
				c.Request.Duration, c.Request.NegativePrompt, c.CallbackURL = 10, "fog", "https://easel.example/hook"
				c.Data = append(json.RawMessage(nil), c.Data...)
			},
			Want: map[string]any{"duration": "10", "negative_prompt": "fog", "mode": "std", "sound": nil, "external_task_id": "att_1", "callback_url": "https://easel.example/hook"},
		}, {
			Name: "from an image", Contract: "contracts/kling_image.json",
			Change: func(c *provider.Call) { c.Request.Image = pixel },
			Want:   map[string]any{"image": "iVBORw0KGgo=", "duration": "5"},
		}},
	})
}

func TestAnAPILikeBFLs(t *testing.T) {
	t.Parallel()
	accepted := one(200, `{"id":12345678901234567890,"polling_url":"{{base}}/v1/get_result?id=b1"}`)
	providertest.Run(t, providertest.Harness{
		New: driver(), Call: call(t, "bfl", "flux-2-pro", generation.Image), Starts: true,
		ServerError: one(500, `{"detail":"Internal Server Error"}`)[0],
		Submits: []providertest.Case{
			{Name: "a job whose id is a long number", Replies: accepted, Want: providertest.Want{State: provider.Pending, Job: "12345678901234567890"}},
			{Name: "a wrong key", Replies: one(403, `{"detail":"Not authenticated"}`), Want: providertest.Want{Class: fault.ClassAuth}},
			{Name: "an empty balance", Replies: one(402, `{"detail":"Insufficient credits"}`), Want: providertest.Want{Class: fault.ClassOutOfCredit}},
			{Name: "a wrong field", Replies: one(422, `{"detail":[{"loc":["body","width"],"msg":"too small","type":"int"}]}`), Want: providertest.Want{Class: fault.ClassInvalidInput}},
			unsupported("webp", accepted, func(c *provider.Call) { c.Request.Format = "webp" }),
			unsupported("a model that is a path", accepted, func(c *provider.Call) { c.Model = ".." }),
		},
		Job: provider.Job{ID: "b1", Handle: map[string]string{"poll_url": "{{base}}/v1/get_result?id=b1"}},
		Polls: []providertest.Case{
			{Name: "an image", Replies: one(200, `{"id":"b1","status":"Ready","result":{"sample":"https://cdn.example/a.jpeg"}}`), Want: providertest.Want{State: provider.Succeeded, Job: "b1", Files: 1, Progress: 1}},
			{Name: "a waiting job", Replies: one(200, `{"status":"Pending","progress":0.25}`), Want: providertest.Want{State: provider.Pending, Job: "b1", Progress: 0.25}},
			{Name: "a refusal", Replies: one(200, `{"status":"Request Moderated"}`), Want: providertest.Want{State: provider.Failed, Job: "b1", Class: fault.ClassModerated}},
			{Name: "a job that is gone", Replies: one(200, `{"status":"Task not found"}`), Want: providertest.Want{Class: fault.ClassNotFound}},
			{Name: "a crash", Replies: one(200, `{"status":"Error"}`), Want: providertest.Want{State: provider.Failed, Job: "b1", Class: fault.ClassJobFailed}},
		},
		UnknownWord: one(200, `{"status":"Painting"}`)[0],
		Contracts:   []string{"contracts/bfl_get.json"},
		Requests: []providertest.RequestCase{{
			Name: "an image", Contract: "contracts/bfl.json",
			Change: func(c *provider.Call) {
				seed := int64(7)
				c.Request.AspectRatio, c.Request.Seed, c.Request.Format = "16:9", &seed, "png"
			},
			Want: map[string]any{"width": 1376, "height": 768, "seed": 7, "output_format": "png"},
		}},
	})
}
