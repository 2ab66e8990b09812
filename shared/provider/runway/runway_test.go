package runway_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/providertest"
	"easel/shared/provider/runway"
)

const (
	pixel = "data:image/png;base64,iVBORw0KGgo="
	id    = "17f20503-6c24-4c16-946b-35dbbce2af2f"
	gone  = `{"error":"Task not found. It may have been deleted or canceled."}`
)

func task(members string) string {
	return `{"id":"` + id + `","createdAt":"2026-11-22T10:00:00.000Z",` + members + `}`
}

func reply(status int, body string) []providertest.Reply {
	return []providertest.Reply{{Status: status, Body: body, Header: map[string]string{"X-Request-Id": "req_1"}}}
}

func TestProvider(t *testing.T) {
	t.Parallel()
	providertest.Run(t, providertest.Harness{
		New: func(c *http.Client) provider.Provider { return runway.New(c) },
		Call: provider.Call{
			Model: "gen4.5", Task: "task_1", Attempt: "att_1",
			Request: generation.Request{Kind: generation.Video, Prompt: "a lighthouse at dusk", Duration: 5},
		},
		Submits:     append(submits(), refusals()...),
		Starts:      true,
		ServerError: reply(500, `{"error":"Internal server error"}`)[0],
		Job:         provider.Job{ID: id},
		Polls:       polls(),
		UnknownWord: reply(200, task(`"status":"REFLECTING"`))[0],
		Cancels:     cancels(),
		Checks:      checks(),
		Requests:    requests(),
		Contracts:   []string{"task_get.json", "task_delete.json", "organization.json"},
	})
}

func checks() []providertest.Case {
	return []providertest.Case{
		{Name: "a balance", Replies: reply(200, `{"tier":{},"creditBalance":25000}`), Want: providertest.Want{Funded: true}},
		{Name: "no balance left", Replies: reply(200, `{"creditBalance":0}`), Want: providertest.Want{Class: fault.ClassOutOfCredit}},
		{Name: "another answer", Replies: reply(200, `{}`), Want: providertest.Want{Class: fault.ClassBadAnswer}},
		{Name: "a wrong key", Replies: reply(401, `{"error":"Incorrect or missing API key."}`), Want: providertest.Want{Class: fault.ClassAuth}},
	}
}

func submits() []providertest.Case {
	accepted := reply(200, `{"id":"`+id+`","estimatedCost":{"credits":60}}`)
	return append([]providertest.Case{
		{Name: "a job", Replies: accepted, Want: providertest.Want{State: provider.Pending, Job: id, RequestID: "req_1"}},
		{Name: "an option of the wrong type", Replies: accepted, Want: providertest.Want{Class: fault.ClassInvalidInput, Requests: providertest.None}, Change: func(c *provider.Call) {
			c.Request.Options = map[string]json.RawMessage{"audio": []byte(`"loud"`)}
		}},
	}, lacking(accepted)...)
}

func lacking(replies []providertest.Reply) []providertest.Case {
	image := func(c *provider.Call) { c.Model, c.Request.Kind = "gen4_image", generation.Image }
	table := map[string]func(*provider.Call){
		"a text":                          func(c *provider.Call) { c.Request.Kind = generation.Text },
		"a model that is not known":       func(c *provider.Call) { c.Model = "gen3a_turbo" },
		"an image of a video model":       func(c *provider.Call) { c.Request.Kind = generation.Image },
		"two images":                      func(c *provider.Call) { image(c); c.Request.N = 2 },
		"a lora":                          func(c *provider.Call) { c.Request.Loras = []generation.Lora{{Path: "a/b"}} },
		"a prompt that is too long":       func(c *provider.Call) { c.Request.Prompt = strings.Repeat("海", 1001) },
		"turbo without an image":          func(c *provider.Call) { c.Model = "gen4_turbo" },
		"image turbo without a reference": func(c *provider.Call) { image(c); c.Model = "gen4_image_turbo" },
		"a clip that is too long":         func(c *provider.Call) { c.Request.Duration = 11 },
		"a length between two of veo's":   func(c *provider.Call) { c.Model = "veo3.1" },
		"a ratio that it lacks":           func(c *provider.Call) { c.Request.AspectRatio = "1:1" },
		"a ratio that is none":            func(c *provider.Call) { c.Request.AspectRatio = "wide" },
		"a size that it lacks":            func(c *provider.Call) { c.Request.Size = "640x480" },
		"a seed out of range":             func(c *provider.Call) { seed := int64(-1); c.Request.Seed = &seed },
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
		want   providertest.Want
	}{
		{"an invalid field", 400, `{"error":"Validation of body failed","issues":[{"code":"invalid_value","path":["ratio"],"message":"Invalid"}],"docUrl":"https://docs.example"}`, providertest.Want{Class: fault.ClassInvalidInput}},
		{"a model that is gone", 400, `{"error":"Validation of body failed","issues":[{"code":"invalid_union","path":["model"],"message":"Invalid"}]}`, providertest.Want{Class: fault.ClassModelGone}},
		{"an empty balance", 400, `{"error":"You do not have enough credits to run this task."}`, providertest.Want{Class: fault.ClassOutOfCredit}},
		{"a prompt that moderation refused", 400, `{"error":"The prompt failed content moderation."}`, providertest.Want{Class: fault.ClassModerated}},
		{"a wrong key, quoted back", 401, `{"error":"The key {{key}} is not valid."}`, providertest.Want{Class: fault.ClassAuth}},
		{"the daily limit", 429, `{"error":"You have reached your daily limit"}`, providertest.Want{Class: fault.ClassRateLimited, RetryAfter: 15 * time.Minute}},
		{"no capacity", 503, `{"error":"Service unavailable"}`, providertest.Want{Class: fault.ClassUnavailable}},
	}
	cases := make([]providertest.Case, 0, len(table))
	for _, c := range table {
		c.want.RequestID = "req_1"
		cases = append(cases, providertest.Case{Name: c.name, Replies: reply(c.status, c.body), Want: c.want})
	}
	return cases
}

func polls() []providertest.Case {
	table := []struct {
		name, members string
		want          providertest.Want
	}{
		{"a video", `"status":"SUCCEEDED","output":["https://dnznrvs05pmza.example/a.mp4?_jwt=x"],"cost":{"credits":60}`, providertest.Want{
			State: provider.Succeeded, Files: 1, Progress: 1,
			Check: func(t *testing.T, a provider.Answer) {
				t.Helper()
				if want := (generation.Usage{Seconds: 5, CostMicroUSD: 600_000}); a.Usage != want {
					t.Errorf("usage = %+v, want %+v", a.Usage, want)
				}
			},
		}},
		{"a job in the queue", `"status":"PENDING"`, providertest.Want{State: provider.Pending}},
		{"a job that waits for a place", `"status":"THROTTLED"`, providertest.Want{State: provider.Pending}},
		{"a running job", `"status":"RUNNING","progress":0.4`, providertest.Want{State: provider.Running, Progress: 0.4}},
		{"a success without output", `"status":"SUCCEEDED","output":[]`, providertest.Want{State: provider.Failed, Class: fault.ClassJobFailed}},
		{"an input that was refused", `"status":"FAILED","failure":"Your prompt was flagged","failureCode":"SAFETY.INPUT.TEXT","cost":{"credits":60}`, providertest.Want{State: provider.Failed, Class: fault.ClassModerated}},
		{"an output that was refused", `"status":"FAILED","failureCode":"SAFETY.OUTPUT.VIDEO"`, providertest.Want{State: provider.Failed, Class: fault.ClassModerated}},
		{"a bad output", `"status":"FAILED","failureCode":"INTERNAL.BAD_OUTPUT.CODE01"`, providertest.Want{State: provider.Failed, Class: fault.ClassJobFailed}},
		{"a bad asset", `"status":"FAILED","failureCode":"ASSET.INVALID"`, providertest.Want{State: provider.Failed, Class: fault.ClassInvalidInput}},
		{"a failure without a code", `"status":"FAILED","failure":"Something went wrong"`, providertest.Want{State: provider.Failed, Class: fault.ClassJobFailed}},
		{"a canceled job", `"status":"CANCELLED"`, providertest.Want{State: provider.Failed, Class: fault.ClassCanceled}},
	}
	cases := make([]providertest.Case, 0, len(table)+2)
	for _, c := range table {
		c.want.Job = id
		cases = append(cases, providertest.Case{Name: c.name, Replies: reply(200, task(c.members)), Want: c.want})
	}
	return append(cases,
		providertest.Case{Name: "a deleted job", Replies: reply(404, gone), Want: providertest.Want{State: provider.Failed, Job: id, Class: fault.ClassCanceled}},
		providertest.Case{Name: "an answer without a status", Replies: reply(200, `{}`), Want: providertest.Want{Class: fault.ClassBadAnswer}},
	)
}

func cancels() []providertest.Case {
	running := reply(200, task(`"status":"RUNNING","progress":0.1`))[0]
	return []providertest.Case{
		{Name: "a running job is deleted", Replies: []providertest.Reply{running, {Status: 204}}, Want: providertest.Want{Requests: 2}},
		{Name: "a waiting job is deleted", Replies: []providertest.Reply{reply(200, task(`"status":"THROTTLED"`))[0], {Status: 204}}, Want: providertest.Want{Requests: 2}},
		{Name: "a job that is gone by then", Replies: []providertest.Reply{running, reply(404, gone)[0]}, Want: providertest.Want{Requests: 2}},
		{Name: "a finished job keeps its result", Replies: reply(200, task(`"status":"SUCCEEDED","output":["https://a.example/a.mp4"]`))},
		{Name: "a job of an unknown state is left alone", Replies: reply(200, task(`"status":"REFLECTING"`))},
		{Name: "a job that is gone", Replies: reply(404, gone)},
		{Name: "a deletion that is refused", Replies: []providertest.Reply{running, reply(401, `{"error":"no"}`)[0]}, Want: providertest.Want{Class: fault.ClassAuth, Requests: 2}},
	}
}

func requests() []providertest.RequestCase {
	return []providertest.RequestCase{
		{
			Name: "a video from text", Contract: "text_to_video.json",
			Change: func(c *provider.Call) {
				seed := int64(7)
				c.Request.Seed, c.Request.AspectRatio, c.Request.Duration, c.Request.NegativePrompt, c.Request.FPS = &seed, "9:16", 0, "fog", 24
				c.Request.Options = map[string]json.RawMessage{"public_figure_threshold": []byte(`"low"`), "audio": []byte(`true`)}
			},
			Want: map[string]any{"ratio": "720:1280", "duration": 5, "seed": 7, "contentModeration.publicFigureThreshold": "low"},
		},
		{
			Name: "a video from an image", Contract: "image_to_video.json",
			Change: func(c *provider.Call) {
				c.Model, c.Request.Image, c.Request.AspectRatio = "gen4_turbo", pixel, "4:3"
			},
			Want: map[string]any{"promptImage": pixel, "ratio": "1104:832"},
		},
		{
			Name: "veo", Contract: "veo.json",
			Change: func(c *provider.Call) {
				c.Model, c.Request.Size, c.Request.Duration, c.Request.NegativePrompt = "veo3.1_fast", "1920x1080", 6, "fog"
				c.Data = []byte(`{"options":{"audio":false}}`)
			},
			Want: map[string]any{"ratio": "1920:1080", "duration": 6, "negativePrompt": "fog", "audio": false},
		},
		{
			Name: "an image with a reference", Contract: "text_to_image.json",
			Change: func(c *provider.Call) {
				c.Model, c.Request.Kind, c.Request.Image = "gen4_image_turbo", generation.Image, "https://pictures.example/a.png"
			},
			Want: map[string]any{"ratio": "1024:1024", "referenceImages[].uri": "https://pictures.example/a.png", "duration": nil},
		},
	}
}
