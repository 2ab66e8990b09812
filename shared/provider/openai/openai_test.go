package openai_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/openai"
	"easel/shared/provider/providertest"
)

const (
	image = `{"created":1795000000,"data":[{"b64_json":"iVBORw0KGgo="}],"output_format":"png","quality":"low","size":"1024x1024",` +
		`"usage":{"input_tokens":60,"output_tokens":200,"total_tokens":260,"input_tokens_details":{"text_tokens":10,"image_tokens":50}}}`
	twoImages = `{"data":[{"b64_json":"iVBORw0KGgo="},{"url":"https://files.example/b.png"}]}`
	chat      = `{"id":"chatcmpl-1","model":"gpt-6-luna-2026-08-01","choices":[{"index":0,"message":{"role":"assistant","content":"A lamp.","refusal":null},"finish_reason":"length"}],` +
		`"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`
	stream = "data: {\"model\":\"gpt-6-luna\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"A \"}}]}\n\n" +
		"data: {\"model\":\"gpt-6-luna\",\"choices\":[{\"delta\":{\"content\":\"lamp.\"},\"finish_reason\":null}]}\n\n" +
		"data: {\"model\":\"gpt-6-luna\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n" +
		"data: {\"model\":\"gpt-6-luna\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n" +
		"data: [DONE]\n\n"
	pixel = "data:image/png;base64,iVBORw0KGgo="
)

func TestProvider(t *testing.T) {
	t.Parallel()
	providertest.Run(t, providertest.Harness{
		New: func(c *http.Client) provider.Provider { return openai.New(c) },
		Call: provider.Call{
			Model: "gpt-image-2", Task: "task_1", Attempt: "att_1", User: "user-1",
			Request: generation.Request{Kind: generation.Image, Prompt: "a lighthouse at dusk"},
		},
		Submits:     append(submits(), refusals()...),
		ServerError: reply(500, "", `{"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}`),
		Streams:     streams(),
		Lists:       lists(),
		Requests:    requests(),
		Contracts:   []string{"models.json", "chat_stream.json"},
	})
}

func reply(status int, header, body string) providertest.Reply {
	r := providertest.Reply{Status: status, Body: body, Header: map[string]string{"X-Request-Id": "req_1"}}
	if header != "" {
		r.Header["Retry-After"] = header
	}
	return r
}

func asText(c *provider.Call) {
	c.Model = "gpt-6-luna"
	c.Request.Kind = generation.Text
}

func submits() []providertest.Case {
	one := func(r providertest.Reply) []providertest.Reply { return []providertest.Reply{r} }
	return []providertest.Case{
		{Name: "an image", Replies: one(reply(200, "", image)), Want: providertest.Want{
			State: provider.Succeeded, Files: 1, RequestID: "req_1",
			Check: func(t *testing.T, a provider.Answer) {
				t.Helper()
				want := generation.Usage{Images: 1, InputTokens: 60, OutputTokens: 200, CostMicroUSD: 10*5 + 50*8 + 200*30}
				if a.Usage != want || a.Files[0].ContentType != "image/png" {
					t.Errorf("usage %+v, type %q", a.Usage, a.Files[0].ContentType)
				}
			},
		}},
		{Name: "images as data and as a URL", Replies: one(reply(200, "", twoImages)), Want: providertest.Want{State: provider.Succeeded, Files: 2}},
		{
			Name: "an edit", Change: func(c *provider.Call) { c.Request.Image = pixel },
			Replies: one(reply(200, "", image)), Want: providertest.Want{State: provider.Succeeded, Files: 1},
		},
		{Name: "a text", Change: asText, Replies: one(reply(200, "", chat)), Want: providertest.Want{
			State: provider.Succeeded, Text: "A lamp.", Model: "gpt-6-luna-2026-08-01",
			Check: func(t *testing.T, a provider.Answer) {
				t.Helper()
				if a.FinishReason != "length" || a.Usage.InputTokens != 7 || a.Usage.OutputTokens != 3 {
					t.Errorf("answer = %+v", a)
				}
			},
		}},
		{Name: "a text that its filter stopped", Change: asText, Replies: one(reply(200, "",
			`{"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]}`)), Want: providertest.Want{Class: fault.ClassModerated}},
		{Name: "a text that the model refused", Change: asText, Replies: one(reply(200, "",
			`{"choices":[{"message":{"content":null,"refusal":"I can't help with that."},"finish_reason":"stop"}]}`)), Want: providertest.Want{Class: fault.ClassModerated}},
		{Name: "an answer without images", Replies: one(reply(200, "", `{"data":[]}`)), Want: providertest.Want{Class: fault.ClassBadAnswer, Unknown: true}},
		{Name: "an image that is not base64", Replies: one(reply(200, "", `{"data":[{"b64_json":"%%%"}]}`)), Want: providertest.Want{Class: fault.ClassBadAnswer, Unknown: true}},
		{
			Name: "a video is not made here", Change: func(c *provider.Call) { c.Request.Kind = generation.Video },
			Replies: one(reply(200, "", image)), Want: providertest.Want{Class: fault.ClassUnsupported, Requests: providertest.None},
		},
		{
			Name: "an input image by URL is not fetched", Change: func(c *provider.Call) { c.Request.Image = "https://pictures.example/a.png" },
			Replies: one(reply(200, "", image)), Want: providertest.Want{Class: fault.ClassUnsupported, Requests: providertest.None},
		},
		{
			Name: "loras are not dropped in silence", Change: func(c *provider.Call) { c.Request.Loras = []generation.Lora{{Path: "a/b"}} },
			Replies: one(reply(200, "", image)), Want: providertest.Want{Class: fault.ClassUnsupported, Requests: providertest.None},
		},
		{
			Name: "a size under the model's smallest", Change: func(c *provider.Call) { c.Request.Size = "512x512" },
			Replies: one(reply(200, "", image)), Want: providertest.Want{Class: fault.ClassUnsupported, Requests: providertest.None},
		},
		{
			Name: "a size that is none", Change: func(c *provider.Call) { c.Request.Size = "big" },
			Replies: one(reply(200, "", image)), Want: providertest.Want{Class: fault.ClassInvalidInput, Requests: providertest.None},
		},
		{
			Name:    "an option of the wrong type",
			Change:  func(c *provider.Call) { c.Request.Options = map[string]json.RawMessage{"background": []byte(`7`)} },
			Replies: one(reply(200, "", image)), Want: providertest.Want{Class: fault.ClassInvalidInput, Requests: providertest.None},
		},
	}
}

func refusals() []providertest.Case {
	table := []struct {
		name, retryAfter, body string
		status                 int
		class                  fault.Class
	}{
		{"a prompt that moderation blocked", "", `{"error":{"message":"Your request was rejected by the safety system. safety_violations=[violence].","type":"image_generation_user_error","param":null,"code":"moderation_blocked"}}`, 400, fault.ClassModerated},
		{"a parameter out of range", "", `{"error":{"message":"Invalid value","type":"invalid_request_error","param":"n","code":"invalid_value"}}`, 400, fault.ClassInvalidInput},
		{"a parameter that the model lacks", "", `{"error":{"message":"Unknown parameter: 'complexity'.","type":"invalid_request_error","param":"complexity","code":"unknown_parameter"}}`, 400, fault.ClassUnsupported},
		{"a retired model, as a 400", "", `{"error":{"message":"The model does not exist","type":"invalid_request_error","param":"model","code":"model_not_found"}}`, 400, fault.ClassModelGone},
		{"a retired model, as a 404", "", `{"error":{"message":"The model does not exist","type":"invalid_request_error","param":"model","code":"model_not_found"}}`, 404, fault.ClassModelGone},
		{"a wrong key, quoted back", "", `{"error":{"message":"Incorrect API key provided: {{key}}.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`, 401, fault.ClassAuth},
		{"an organisation that is not verified", "", `{"error":{"message":"Your organization must be verified","type":"invalid_request_error","param":null,"code":null}}`, 403, fault.ClassAuth},
		{"the rate limit", "20", `{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}`, 429, fault.ClassRateLimited},
		{"an empty balance, which is also a 429", "", `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`, 429, fault.ClassOutOfCredit},
		{"an overloaded server", "", `{"error":{"message":"The engine is overloaded","type":"server_error","param":null,"code":null}}`, 503, fault.ClassUnavailable},
		{"an imitation's error in an array", "", `[{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT"}}]`, 400, fault.ClassInvalidInput},
	}
	cases := make([]providertest.Case, 0, len(table))
	for _, c := range table {
		want := providertest.Want{Class: c.class, RequestID: "req_1"}
		if c.retryAfter != "" {
			want.RetryAfter = 20 * time.Second
		}
		cases = append(cases, providertest.Case{
			Name: c.name, Replies: []providertest.Reply{reply(c.status, c.retryAfter, c.body)}, Want: want,
		})
	}
	return cases
}

func streams() []providertest.Case {
	events := func(body string) []providertest.Reply {
		return []providertest.Reply{{Header: map[string]string{"Content-Type": "text/event-stream"}, Body: body}}
	}
	return []providertest.Case{
		{Name: "a text in pieces", Change: asText, Replies: events(stream), Want: providertest.Want{
			State: provider.Succeeded, Text: "A lamp.", Model: "gpt-6-luna",
			Check: func(t *testing.T, a provider.Answer) {
				t.Helper()
				if a.FinishReason != "stop" || a.Usage.InputTokens != 7 || a.Usage.OutputTokens != 3 {
					t.Errorf("answer = %+v", a)
				}
			},
		}},
		{Name: "a refusal as the first event", Change: asText, Replies: events("data: {\"choices\":[{\"delta\":{\"refusal\":\"No.\"}}]}\n\n"), Want: providertest.Want{Class: fault.ClassModerated}},
		{
			Name: "a refusal after a piece", Change: asText,
			Replies: events("data: {\"choices\":[{\"delta\":{\"content\":\"A \"}}]}\n\ndata: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n"),
			Want:    providertest.Want{Class: fault.ClassModerated, Unknown: true},
		},
		{Name: "an error as the first event", Change: asText, Replies: events("data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\"}}\n\n"), Want: providertest.Want{Class: fault.ClassUnavailable}},
		{Name: "a stream that just stops", Change: asText, Replies: events("data: {\"choices\":[{\"delta\":{\"content\":\"A \"}}]}\n\n"), Want: providertest.Want{Class: fault.ClassBadAnswer, Unknown: true}},
		{Name: "an event that is not JSON", Change: asText, Replies: events("data: hello\n\n"), Want: providertest.Want{Class: fault.ClassBadAnswer, Unknown: true}},
		{Name: "images are not streamed", Replies: events(stream), Want: providertest.Want{Class: fault.ClassUnsupported, Requests: providertest.None}},
	}
}

func lists() []providertest.Case {
	return []providertest.Case{
		{
			Name:    "the models of a key",
			Replies: []providertest.Reply{reply(200, "", `{"object":"list","data":[{"id":"gpt-image-2","shutdown_date":null},{"id":"gpt-4o","shutdown_date":"2027-01-14"}]}`)},
			Want:    providertest.Want{Names: []string{"gpt-image-2", "gpt-4o"}},
		},
		{Name: "a wrong key", Replies: []providertest.Reply{reply(401, "", `{"error":{"message":"no","code":"invalid_api_key"}}`)}, Want: providertest.Want{Class: fault.ClassAuth}},
		{Name: "a broken list is not unknown", Replies: []providertest.Reply{reply(200, "", `[`)}, Want: providertest.Want{Class: fault.ClassBadAnswer}},
	}
}

func requests() []providertest.RequestCase {
	return []providertest.RequestCase{
		{
			Name: "a plain image", Contract: "generations.json",
			Want: map[string]any{"model": "gpt-image-2", "prompt": "a lighthouse at dusk", "n": 1, "size": nil, "quality": nil},
		},
		{
			Name: "an image with everything", Contract: "generations.json",
			Change: func(c *provider.Call) {
				seed := int64(4)
				c.Request.N, c.Request.AspectRatio, c.Request.Quality, c.Request.Format = 3, "16:9", "high", "webp"
				c.Request.NegativePrompt, c.Request.Seed = "fog", &seed
				c.Data = []byte(`{"options":{"background":"opaque","output_compression":80}}`)
				c.Request.Options = map[string]json.RawMessage{
					"openai": []byte(`{"background":"transparent","moderation":"low"}`), "guidance": []byte(`3.5`), "stability": []byte(`{"style_preset":"anime"}`),
				}
			},
			Want: map[string]any{
				"n": 3, "size": "1536x864", "quality": "high", "output_format": "webp", "background": "transparent",
				"moderation": "low", "output_compression": 80,
			},
		},
		{
			Name: "the first generation's sizes", Contract: "generations.json",
			Change: func(c *provider.Call) { c.Model, c.Request.AspectRatio = "gpt-image-1.5", "2:3" },
			Want:   map[string]any{"size": "1024x1536"},
		},
		{
			Name: "an imitation gets only what all know", Contract: "generations.json",
			Change: func(c *provider.Call) {
				c.Model, c.Request.Size, c.Request.Quality, c.Request.Format = "my-model", "512x512", "high", "png"
			},
			Want: map[string]any{"size": "512x512", "quality": nil, "output_format": nil, "safety_identifier": nil},
		},
		{
			Name: "an edit", Contract: "edits.json",
			Change: func(c *provider.Call) {
				c.Request.Image, c.Request.Mask, c.Request.Size, c.Request.N = pixel, pixel, "1024x1024", 2
				c.Request.Options = map[string]json.RawMessage{"moderation": []byte(`"low"`), "output_compression": []byte(`50`)}
			},
			Want: map[string]any{"n": "2", "size": "1024x1024", "output_compression": "50"},
		},
		{
			Name: "a conversation", Contract: "chat.json", Reply: reply(200, "", chat),
			Change: func(c *provider.Call) {
				asText(c)
				warm := 0.7
				c.Request.System, c.Request.MaxTokens, c.Request.Temperature = "Be brief.", 50, &warm
				c.Request.Messages = []generation.Message{{Role: "user", Content: "Hi"}, {Role: "assistant", Content: "Hello"}}
				c.Request.Options = map[string]json.RawMessage{"reasoning_effort": []byte(`"low"`)}
			},
			Want: map[string]any{
				"max_completion_tokens": 50, "temperature": 0.7, "reasoning_effort": "low",
				"messages[].role": "system", "messages[].content": "Be brief.",
			},
		},
	}
}
