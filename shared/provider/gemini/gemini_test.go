package gemini_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/gemini"
	"easel/shared/provider/providertest"
)

const (
	pixel = "data:image/png;base64,iVBORw0KGgo="
	tail  = `"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3,"thoughtsTokenCount":20,"totalTokenCount":30},"modelVersion":"gemini-3.6-flash-001","responseId":"resp_1"}`
	text  = `{"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true},{"text":"A "},{"text":"lamp."}]},"finishReason":"STOP","index":0}],` + tail
	image = `{"candidates":[{"content":{"role":"model","parts":[{"text":"Here."},{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}]},"finishReason":"STOP"}],` + tail
)

func one(status int, body string) []providertest.Reply {
	return []providertest.Reply{{Status: status, Body: body}}
}

// finished is a text that stopped for a reason.
func finished(reason, parts string) []providertest.Reply {
	return one(200, `{"candidates":[{"content":{"parts":[`+parts+`]},"finishReason":"`+reason+`"}],`+tail)
}

func asImage(c *provider.Call) {
	c.Model, c.Request.Kind = "gemini-nano-banana-2.1", generation.Image
}

func asVideo(c *provider.Call) {
	c.Model, c.Request.Kind = "veo-3.1-generate-preview", generation.Video
}

const operation = "models/veo-3.1-generate-preview/operations/op1"

func polls() []providertest.Case {
	done := func(members string) []providertest.Reply {
		return one(200, `{"name":"`+operation+`","done":true,`+members+`}`)
	}
	failed := providertest.Want{State: provider.Failed, Job: operation, Class: fault.ClassJobFailed}
	moderated := failed
	moderated.Class = fault.ClassModerated
	keyed := func(want string) func(*testing.T, provider.Answer) {
		return func(t *testing.T, a provider.Answer) {
			t.Helper()
			if got := a.Files[0].Header["X-Goog-Api-Key"]; (got != "") != (want != "") {
				t.Errorf("the fetch carries %q", got)
			}
		}
	}
	return []providertest.Case{
		{Name: "a video at the vendor's host", Replies: done(`"response":{"generateVideoResponse":{"generatedSamples":[{"video":{"uri":"{{base}}/v1beta/files/a:download?alt=media"}}]}}`), Want: providertest.Want{
			State: provider.Succeeded, Job: operation, Files: 1, Progress: 1, Check: keyed("the key"),
		}},
		{Name: "a video elsewhere, which never gets the key", Replies: done(`"response":{"generateVideoResponse":{"generatedSamples":[{"video":{"uri":"https://elsewhere.example/a.mp4"}}]}}`), Want: providertest.Want{
			State: provider.Succeeded, Job: operation, Files: 1, Progress: 1, Check: keyed(""),
		}},
		{Name: "a running job", Replies: one(200, `{"name":"`+operation+`"}`), Want: providertest.Want{State: provider.Running, Job: operation}},
		{Name: "a video that was filtered", Replies: done(`"response":{"generateVideoResponse":{"raiMediaFilteredCount":1,"raiMediaFilteredReasons":["blocked"]}}`), Want: moderated},
		{Name: "a prompt that was refused", Replies: done(`"error":{"code":3,"message":"blocked by Safety filters"}`), Want: moderated},
		{Name: "a crash", Replies: done(`"error":{"code":13,"message":"An internal error has occurred."}`), Want: failed},
		{Name: "a job that is gone", Replies: one(404, `{"error":{"code":404,"message":"no","status":"NOT_FOUND"}}`), Want: providertest.Want{Class: fault.ClassNotFound}},
	}
}

func TestAnOperationsNameCannotLeaveTheAPI(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "/x", "../x", "models/../x", "a?b", "a#b", "https://evil.example/x", "a//b"} {
		_, err := gemini.New(nil).Poll(t.Context(), provider.Call{BaseURL: "http://127.0.0.1:1"}, provider.Job{ID: id})
		if fault.FailureOf(err).Class != fault.ClassNotFound {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestProvider(t *testing.T) {
	t.Parallel()
	providertest.Run(t, providertest.Harness{
		New: func(c *http.Client) provider.Provider { return gemini.New(c) },
		Call: provider.Call{
			Model: "gemini-3.6-flash", Task: "task_1", Attempt: "att_1",
			Request: generation.Request{Kind: generation.Text, Prompt: "name a thing that glows"},
		},
		Submits:     append(submits(), refusals()...),
		ServerError: one(500, `{"error":{"code":500,"message":"An internal error has occurred","status":"INTERNAL"}}`)[0],
		Job:         provider.Job{ID: operation},
		Polls:       polls(),
		Streams:     streams(),
		Lists:       lists(),
		Requests:    requests(),
		Contracts:   []string{"stream.json", "operation.json", "models.json"},
	})
}

func submits() []providertest.Case {
	moderated, failed := providertest.Want{Class: fault.ClassModerated}, providertest.Want{Class: fault.ClassJobFailed}
	reasons := []string{"SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "RECITATION", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"}
	stopped := make([]providertest.Case, 0, len(reasons))
	for _, reason := range reasons {
		stopped = append(stopped, providertest.Case{Name: "stopped for " + reason, Replies: finished(reason, `{"text":"A"}`), Want: moderated})
	}
	return append(append([]providertest.Case{
		{Name: "a text", Replies: one(200, text), Want: providertest.Want{
			State: provider.Succeeded, Text: "A lamp.", Model: "gemini-3.6-flash-001", RequestID: "resp_1",
			Check: func(t *testing.T, a provider.Answer) {
				t.Helper()
				if want := (generation.Usage{InputTokens: 7, OutputTokens: 23}); a.Usage != want || a.FinishReason != "stop" {
					t.Errorf("usage %+v, finish %q", a.Usage, a.FinishReason)
				}
			},
		}},
		{Name: "a video", Change: asVideo, Replies: one(200, `{"name":"`+operation+`"}`), Want: providertest.Want{State: provider.Pending, Job: operation}},
		{Name: "a video without a job", Change: asVideo, Replies: one(200, `{"name":"../x"}`), Want: providertest.Want{Class: fault.ClassBadAnswer, Unknown: true}},
		{Name: "a crash after which a video may be made", Change: asVideo, Replies: one(500, `{"error":{"code":500,"message":"oops","status":"INTERNAL"}}`), Want: providertest.Want{Class: fault.ClassUnavailable, Unknown: true}},
		{Name: "an image", Change: asImage, Replies: one(200, image), Want: providertest.Want{State: provider.Succeeded, Files: 1}},
		{Name: "a text that was cut", Replies: finished("MAX_TOKENS", `{"text":"A"}`), Want: providertest.Want{State: provider.Succeeded, Text: "A"}},
		{Name: "a prompt that was blocked", Replies: one(200, `{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},`+tail), Want: moderated},
		{Name: "a text that stopped for a technical reason", Replies: finished("MALFORMED_RESPONSE", ""), Want: failed},
		{Name: "a text that stopped for a reason of the future", Replies: finished("SUNSPOTS", ""), Want: failed},
		{Name: "an image that is text only", Change: asImage, Replies: finished("STOP", `{"text":"I would paint a lamp."}`), Want: failed},
		{Name: "an image that is none", Change: asImage, Replies: finished("NO_IMAGE", ""), Want: failed},
		{Name: "an image that is not base64", Change: asImage, Replies: finished("STOP", `{"inlineData":{"mimeType":"image/png","data":"%"}}`), Want: providertest.Want{Class: fault.ClassBadAnswer, Unknown: true}},
		{Name: "an option of the wrong type", Replies: one(200, text), Want: providertest.Want{Class: fault.ClassInvalidInput, Requests: providertest.None}, Change: func(c *provider.Call) {
			c.Request.Options = map[string]json.RawMessage{"top_p": []byte(`"all"`)}
		}},
	}, stopped...), lacking()...)
}

func lacking() []providertest.Case {
	table := map[string]func(*provider.Call){
		"a clip of five seconds":     func(c *provider.Call) { asVideo(c); c.Request.Duration = 5 },
		"two videos":                 func(c *provider.Call) { asVideo(c); c.Request.N = 2 },
		"a square video":             func(c *provider.Call) { asVideo(c); c.Request.AspectRatio = "1:1" },
		"a video of a size it lacks": func(c *provider.Call) { asVideo(c); c.Request.Size = "640x480" },
		"two images":                 func(c *provider.Call) { asImage(c); c.Request.N = 2 },
		"a mask":                     func(c *provider.Call) { asImage(c); c.Request.Image, c.Request.Mask = pixel, pixel },
		"a lora":                     func(c *provider.Call) { asImage(c); c.Request.Loras = []generation.Lora{{Path: "a/b"}} },
		"webp":                       func(c *provider.Call) { asImage(c); c.Request.Format = "webp" },
		"a ratio that it lacks":      func(c *provider.Call) { asImage(c); c.Request.AspectRatio = "9:21" },
		"a size of a quarter":        func(c *provider.Call) { asImage(c); c.Request.Size = "512x512" },
		"a size of no ratio":         func(c *provider.Call) { asImage(c); c.Request.Size = "2000x700" },
		"an image by URL":            func(c *provider.Call) { asImage(c); c.Request.Image = "https://a.example/a.png" },
		"a seed out of range":        func(c *provider.Call) { asImage(c); seed := int64(1) << 40; c.Request.Seed = &seed },
	}
	cases := make([]providertest.Case, 0, len(table))
	for name, change := range table {
		cases = append(cases, providertest.Case{
			Name: name, Change: change, Replies: one(200, text),
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
		{"a wrong key, which is a 400", 400, `{"error":{"code":400,"message":"API key not valid: {{key}}","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}`, providertest.Want{Class: fault.ClassAuth}},
		{"a wrong argument", 400, `{"error":{"code":400,"message":"Invalid value","status":"INVALID_ARGUMENT"}}`, providertest.Want{Class: fault.ClassInvalidInput}},
		{"a region", 400, `{"error":{"code":400,"message":"User location is not supported","status":"FAILED_PRECONDITION"}}`, providertest.Want{Class: fault.ClassAuth}},
		{"no billing", 400, `{"error":{"code":400,"message":"Please enable billing","status":"FAILED_PRECONDITION"}}`, providertest.Want{Class: fault.ClassOutOfCredit}},
		{"a missing permission", 403, `{"error":{"code":403,"message":"no","status":"PERMISSION_DENIED"}}`, providertest.Want{Class: fault.ClassAuth}},
		{"a retired model", 404, `{"error":{"code":404,"message":"models/x is not found","status":"NOT_FOUND"}}`, providertest.Want{Class: fault.ClassModelGone}},
		{"a rate limit", 429, `{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34s"}]}}`, providertest.Want{Class: fault.ClassRateLimited, RetryAfter: 34 * time.Second}},
		{"the day's quota", 429, `{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel"}]},{"retryDelay":"34s"}]}}`, providertest.Want{Class: fault.ClassRateLimited, RetryAfter: time.Hour}},
		{"an overloaded model", 503, `{"error":{"code":503,"message":"The model is overloaded","status":"UNAVAILABLE"}}`, providertest.Want{Class: fault.ClassUnavailable}},
		{"a deadline of the vendor", 504, `{"error":{"code":504,"message":"late","status":"DEADLINE_EXCEEDED"}}`, providertest.Want{Class: fault.ClassTimeout, Unknown: true}},
		{"an error in an array", 429, `[{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED"}}]`, providertest.Want{Class: fault.ClassRateLimited}},
	}
	cases := make([]providertest.Case, 0, len(table))
	for _, c := range table {
		cases = append(cases, providertest.Case{Name: c.name, Replies: one(c.status, c.body), Want: c.want})
	}
	return cases
}

func streams() []providertest.Case {
	events := func(body string) []providertest.Reply {
		return []providertest.Reply{{Header: map[string]string{"Content-Type": "text/event-stream"}, Body: body}}
	}
	piece := func(text, more string) string {
		return `data: {"candidates":[{"content":{"role":"model","parts":[{"text":"` + text + `"}]}` + more + `}],` + tail + "\r\n\r\n"
	}
	return []providertest.Case{
		{
			Name: "a text in pieces", Replies: events(piece("A ", "") + piece("lamp.", `,"finishReason":"STOP"`)),
			Want: providertest.Want{State: provider.Succeeded, Text: "A lamp.", Model: "gemini-3.6-flash-001"},
		},
		{Name: "a prompt that was blocked", Replies: events(`data: {"promptFeedback":{"blockReason":"SAFETY"}}` + "\n\n"), Want: providertest.Want{Class: fault.ClassModerated}},
		{Name: "a refusal after a piece", Replies: events(piece("A ", "") + piece("", `,"finishReason":"SAFETY"`)), Want: providertest.Want{Class: fault.ClassModerated, Unknown: true}},
		{Name: "an error as the first event", Replies: events(`data: {"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}` + "\n\n"), Want: providertest.Want{Class: fault.ClassUnavailable}},
		{Name: "a stream that just stops", Replies: events(piece("A ", "")), Want: providertest.Want{Class: fault.ClassBadAnswer, Unknown: true}},
		{Name: "an event that is not JSON", Replies: events("data: hello\n\n"), Want: providertest.Want{Class: fault.ClassBadAnswer, Unknown: true}},
		{Name: "images are not streamed", Change: asImage, Replies: events("x"), Want: providertest.Want{Class: fault.ClassUnsupported, Requests: providertest.None}},
	}
}

func lists() []providertest.Case {
	return []providertest.Case{
		{
			Name:    "two pages of models",
			Replies: append(one(200, `{"models":[{"name":"models/gemini-3.6-flash"}],"nextPageToken":"x"}`), one(200, `{"models":[{"name":"models/gemini-nano-banana-2.1"}]}`)...),
			Want:    providertest.Want{Names: []string{"gemini-3.6-flash", "gemini-nano-banana-2.1"}},
		},
		{Name: "a wrong key", Replies: one(403, `{"error":{"code":403,"message":"no","status":"PERMISSION_DENIED"}}`), Want: providertest.Want{Class: fault.ClassAuth}},
	}
}

func requests() []providertest.RequestCase {
	return []providertest.RequestCase{
		{
			Name: "a conversation", Contract: "text.json",
			Change: func(c *provider.Call) {
				warm := 0.7
				c.Request.System, c.Request.MaxTokens, c.Request.Temperature = "Be brief.", 50, &warm
				c.Request.Messages = []generation.Message{{Role: "user", Content: "Hi"}, {Role: "assistant", Content: "Hello"}}
				c.Request.Options = map[string]json.RawMessage{"thinking_level": []byte(`"LOW"`), "reasoning_effort": []byte(`"low"`)}
				c.Data = []byte(`{"options":{"safety_threshold":"BLOCK_ONLY_HIGH"}}`)
			},
			Want: map[string]any{
				"systemInstruction.parts[].text": "Be brief.", "contents[].role": "user", "generationConfig.maxOutputTokens": 50,
				"generationConfig.thinkingConfig.thinkingLevel": "LOW", "safetySettings[].threshold": "BLOCK_ONLY_HIGH",
			},
		},
		{
			Name: "a video from an image", Contract: "video.json", Reply: providertest.Reply{Body: `{"name":"` + operation + `"}`},
			Change: func(c *provider.Call) {
				asVideo(c)
				c.Request.Image, c.Request.Size, c.Request.Duration, c.Request.NegativePrompt = pixel, "1080x1920", 6, "fog"
			},
			Want: map[string]any{"parameters.aspectRatio": "9:16", "parameters.resolution": "1080p", "parameters.durationSeconds": 6, "instances[].image.mimeType": "image/png"},
		},
		{
			Name: "an image from an image", Contract: "image.json", Reply: providertest.Reply{Body: image},
			Change: func(c *provider.Call) {
				seed := int64(7)
				asImage(c)
				c.Request.Image, c.Request.Size, c.Request.Seed, c.Request.NegativePrompt = pixel, "1344x768", &seed, "fog"
				c.Request.Options = map[string]json.RawMessage{"image_size": []byte(`"2K"`)}
			},
			Want: map[string]any{
				"contents[].parts[].inlineData.mimeType": "image/png", "generationConfig.imageConfig.aspectRatio": "16:9",
				"generationConfig.imageConfig.imageSize": "2K", "generationConfig.seed": 7, "safetySettings[].threshold": "BLOCK_MEDIUM_AND_ABOVE",
			},
		},
	}
}
