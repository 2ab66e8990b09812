package replicate_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/providertest"
	"easel/shared/provider/replicate"
	"easel/shared/secret"
)

const (
	pixel   = "data:image/png;base64,iVBORw0KGgo="
	version = "92a0c9a9cb1fd93ea0361d15e499dc879b35095077b2feed47315ccab4524036"
	jobID   = "gm3qorzdhgbfurvjtvhg6dckhu"
)

// predicted is a prediction of the test's job with further members.
func predicted(members string) string {
	return `{"id":"` + jobID + `","model":"black-forest-labs/flux-dev","version":"hidden","input":{"prompt":"x"},"logs":"",` +
		`"created_at":"2026-11-22T10:00:00.123Z","data_removed":false,"source":"api",` +
		`"urls":{"get":"https://elsewhere.example/v1/predictions/x","cancel":"https://elsewhere.example/v1/predictions/x/cancel"},` + members + `}`
}

func reply(status int, body string) []providertest.Reply {
	return []providertest.Reply{{Status: status, Body: body, Header: map[string]string{"X-Request-Id": "req_1"}}}
}

func TestProvider(t *testing.T) {
	t.Parallel()
	providertest.Run(t, providertest.Harness{
		New: func(c *http.Client) provider.Provider { return replicate.New(c) },
		Call: provider.Call{
			Model: "black-forest-labs/flux-dev", Task: "task_1", Attempt: "att_1",
			Request: generation.Request{Kind: generation.Image, Prompt: "a lighthouse at dusk"}, StartedAt: time.Now(),
		},
		Submits:     append(submits(), refusals()...),
		Starts:      true,
		ServerError: reply(500, `{"title":"Internal server error","detail":"An unexpected error occurred","status":500}`)[0],
		Job:         provider.Job{ID: jobID},
		Polls:       polls(),
		UnknownWord: reply(200, predicted(`"status":"dreaming"`))[0],
		Cancels: []providertest.Case{
			{Name: "a running job", Replies: reply(200, predicted(`"status":"canceled"`))},
			{Name: "a job that is gone", Replies: reply(404, `{"detail":"Not found."}`)},
			{Name: "a job that has ended", Replies: reply(422, `{"detail":"already ended"}`)},
			{Name: "a wrong key", Replies: reply(401, `{"detail":"no"}`), Want: providertest.Want{Class: fault.ClassAuth}},
		},
		Finds:     finds(),
		Notices:   notices(),
		Checks:    checks(),
		Requests:  requests(),
		Contracts: []string{"get.json", "cancel.json", "list.json", "account.json", "unknown.json"},
	})
}

func checks() []providertest.Case {
	return []providertest.Case{
		{Name: "an account, whose balance is not told", Replies: reply(200, `{"type":"organization","username":"acme"}`)},
		{Name: "a wrong key", Replies: reply(401, `{"title":"Unauthenticated","detail":"no"}`), Want: providertest.Want{Class: fault.ClassAuth}},
		{Name: "an overload", Replies: reply(503, `{"detail":"unavailable"}`), Want: providertest.Want{Class: fault.ClassUnavailable}},
	}
}

func submits() []providertest.Case {
	accepted := reply(201, predicted(`"status":"starting","output":null,"error":null`))
	pending := providertest.Want{State: provider.Pending, Job: jobID, RequestID: "req_1"}
	cases := []providertest.Case{
		{Name: "a job", Replies: accepted, Want: pending},
		{Name: "a job that runs already", Replies: reply(202, predicted(`"status":"processing"`)), Want: providertest.Want{State: provider.Running, Job: jobID}},
		{Name: "a job that is already done", Replies: reply(201, predicted(`"status":"succeeded","output":["https://replicate.delivery/a.webp"]`)), Want: providertest.Want{State: provider.Succeeded, Job: jobID, Files: 1}},
		{Name: "a job that failed at once", Replies: reply(201, predicted(`"status":"failed","error":"E1001 out of memory"`)), Want: providertest.Want{State: provider.Failed, Job: jobID, Class: fault.ClassJobFailed}},
		{Name: "a job without an id", Replies: reply(201, `{"status":"starting"}`), Want: providertest.Want{Class: fault.ClassBadAnswer, Unknown: true}},
		{Name: "an unknown model", Replies: accepted, Want: pending, Change: func(c *provider.Call) { c.Model = "someone/something" }},
		{Name: "an option of the wrong type", Replies: accepted, Want: providertest.Want{Class: fault.ClassInvalidInput, Requests: providertest.None}, Change: func(c *provider.Call) {
			c.Request.Options = map[string]json.RawMessage{"guidance": []byte(`"much"`)}
		}},
	}
	return append(cases, lacking(accepted)...)
}

// lacking are requests that this provider cannot serve, and that it refuses
// before it sends anything.
func lacking(replies []providertest.Reply) []providertest.Case {
	svd := func(c *provider.Call) {
		c.Model, c.Request.Kind = "christophy/stable-video-diffusion:"+version, generation.Video
	}
	table := map[string]func(*provider.Call){
		"a text":                                 func(c *provider.Call) { c.Request.Kind = generation.Text },
		"a video of an image model":              func(c *provider.Call) { c.Request.Kind = generation.Video },
		"a model's name without its owner":       func(c *provider.Call) { c.Model = "flux-dev" },
		"five images":                            func(c *provider.Call) { c.Request.N = 5 },
		"two images of a pro model":              func(c *provider.Call) { c.Model, c.Request.N = "black-forest-labs/flux-1.1-pro", 2 },
		"a lora without a model for it":          func(c *provider.Call) { c.Request.Loras = []generation.Lora{{Path: "a/b"}} },
		"a mask":                                 func(c *provider.Call) { c.Request.Image, c.Request.Mask = pixel, pixel },
		"an image for schnell":                   func(c *provider.Call) { c.Model, c.Request.Image = "black-forest-labs/flux-schnell", pixel },
		"an image of 300 KiB":                    func(c *provider.Call) { c.Request.Image = "data:image/png;base64," + strings.Repeat("AAAA", 100<<10) },
		"a ratio that the family lacks":          func(c *provider.Call) { c.Request.AspectRatio = "7:1" },
		"a size of a ratio that it lacks":        func(c *provider.Call) { c.Request.Size = "1600x500" },
		"a size of four megapixels":              func(c *provider.Call) { c.Request.Size = "2048x2048" },
		"a pro size off the grid":                func(c *provider.Call) { c.Model, c.Request.Size = "black-forest-labs/flux-1.1-pro", "1000x1000" },
		"a video model without an image":         svd,
		"a clip that is too long":                func(c *provider.Call) { svd(c); c.Request.Image, c.Request.Duration = pixel, 10 },
		"an image for a model that no one knows": func(c *provider.Call) { c.Model, c.Request.Image = "someone/something", pixel },
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
		{"a wrong token, quoted back", 401, `{"title":"Unauthenticated","detail":"You did not pass a valid token: {{key}}","status":401}`, fault.ClassAuth},
		{"an empty balance", 402, `{"title":"Insufficient credit","detail":"You have insufficient credit to run this model.","status":402}`, fault.ClassOutOfCredit},
		{"a model that is gone", 404, `{"detail":"The requested resource could not be found.","status":404}`, fault.ClassModelGone},
		{"an invalid input", 422, `{"title":"Input validation failed","detail":"- input.num_outputs: Must be less than or equal to 4\n","status":422}`, fault.ClassInvalidInput},
		{"a version that is gone", 422, `{"title":"Invalid version or not permitted","detail":"The specified version does not exist","status":422}`, fault.ClassModelGone},
		{"an overloaded service", 503, `{"title":"Service unavailable","detail":"try again","status":503}`, fault.ClassUnavailable},
	}
	cases := make([]providertest.Case, 0, len(table)+1)
	for _, c := range table {
		cases = append(cases, providertest.Case{
			Name: c.name, Replies: reply(c.status, c.body), Want: providertest.Want{Class: c.class, RequestID: "req_1"},
		})
	}
	return append(cases, providertest.Case{
		Name:    "a rate limit that names its wait only in words",
		Replies: reply(429, `{"detail":"Request was throttled. Your rate limit resets in ~30s."}`),
		Want:    providertest.Want{Class: fault.ClassRateLimited, RetryAfter: 30 * time.Second},
	})
}

func polls() []providertest.Case {
	table := []struct {
		name, members string
		want          providertest.Want
	}{
		{"two files", `"status":"succeeded","output":["https://replicate.delivery/a.webp","https://replicate.delivery/b.webp"]`, providertest.Want{
			State: provider.Succeeded, Files: 2, Model: "black-forest-labs/flux-dev",
			Check: func(t *testing.T, a provider.Answer) {
				t.Helper()
				if a.Usage.Images != 2 || a.Usage.CostMicroUSD != 50_000 {
					t.Errorf("usage = %+v", a.Usage)
				}
			},
		}},
		{"one file as a string", `"status":"succeeded","output":"https://replicate.delivery/a.webp"`, providertest.Want{State: provider.Succeeded, Files: 1}},
		{"a file in an object", `"status":"succeeded","output":{"video":"https://replicate.delivery/a.mp4","seed":3}`, providertest.Want{State: provider.Succeeded, Files: 1}},
		{"a file as data", `"status":"succeeded","output":["` + pixel + `"]`, providertest.Want{State: provider.Succeeded, Files: 1}},
		{"a job whose output was deleted", `"status":"succeeded","output":null,"data_removed":true`, providertest.Want{State: provider.Failed, Class: fault.ClassJobFailed}},
		{"a job in the queue", `"status":"starting"`, providertest.Want{State: provider.Pending}},
		{"a running job", `"status":"processing"`, providertest.Want{State: provider.Running}},
		{"a failed job", `"status":"failed","error":"CUDA out of memory"`, providertest.Want{State: provider.Failed, Class: fault.ClassJobFailed}},
		{"a failed job whose error is no string", `"status":"failed","error":{"code":1}`, providertest.Want{State: provider.Failed, Class: fault.ClassJobFailed}},
		{"pictures that the safety checker dropped", `"status":"failed","error":"NSFW content detected. Try running it again, or try a different prompt."`, providertest.Want{State: provider.Failed, Class: fault.ClassModerated}},
		{"an input that a pro model flagged", `"status":"failed","error":"The input or output was flagged as sensitive. Please try again with different inputs. (E005)"`, providertest.Want{State: provider.Failed, Class: fault.ClassModerated}},
		{"a canceled job", `"status":"canceled"`, providertest.Want{State: provider.Failed, Class: fault.ClassCanceled}},
		{"a job whose deadline passed", `"status":"aborted"`, providertest.Want{State: provider.Failed, Class: fault.ClassCanceled}},
	}
	cases := make([]providertest.Case, 0, len(table)+1)
	for _, c := range table {
		c.want.Job = jobID
		cases = append(cases, providertest.Case{Name: c.name, Replies: reply(200, predicted(c.members)), Want: c.want})
	}
	return append(cases, providertest.Case{
		Name: "a rate limit", Replies: reply(429, `{"detail":"throttled"}`), Want: providertest.Want{Class: fault.ClassRateLimited},
	})
}

func finds() []providertest.Case {
	// The seed that the driver derives from the attempt "att_1".
	row := func(id, input string) string {
		return `{"id":"` + id + `","status":"starting","created_at":"2099-01-01T00:00:00Z","input":` + input + `}`
	}
	list := func(next string, rows ...string) []providertest.Reply {
		return reply(200, `{"previous":null,"next":`+next+`,"results":[`+strings.Join(rows, ",")+`]}`)
	}
	ours := fmt.Sprintf(`{"prompt":"a lighthouse at dusk","seed":%d}`, derivedSeed("att_1"))
	others := `{"prompt":"a lighthouse at dusk","seed":5}`
	more := list(`"https://elsewhere.example/v1/predictions?cursor=abc"`, row("b", others))
	return []providertest.Case{
		{Name: "the attempt's job", Replies: list("null", row("a", others), row(jobID, ours)), Want: providertest.Want{Found: true, Job: jobID}},
		{Name: "none", Replies: list("null", row("a", others)), Want: providertest.Want{}},
		{Name: "on the second page", Replies: append(more, list("null", row(jobID, ours))...), Want: providertest.Want{Found: true, Job: jobID}},
		{Name: "too many pages", Replies: more, Want: providertest.Want{Class: fault.ClassUnsupported, Requests: 5}},
		{
			Name: "a caller's own seed proves nothing", Change: func(c *provider.Call) { seed := int64(5); c.Request.Seed = &seed },
			Replies: list("null", row("a", others)), Want: providertest.Want{Class: fault.ClassUnsupported},
		},
		{
			Name: "a webhook that is ours", Change: func(c *provider.Call) { c.CallbackURL = "https://easel.example/hook?attempt=att_1" },
			Replies: list("null", `{"id":"`+jobID+`","created_at":"2099-01-01T00:00:00Z","webhook":"https://easel.example/hook?attempt=att_1","input":{}}`),
			Want:    providertest.Want{Found: true, Job: jobID},
		},
		{Name: "no list", Replies: reply(200, `{}`), Want: providertest.Want{Class: fault.ClassBadAnswer}},
		{Name: "a wrong key", Replies: reply(401, `{"detail":"no"}`), Want: providertest.Want{Class: fault.ClassAuth}},
		{
			Name: "too late", Change: func(c *provider.Call) { c.StartedAt = time.Now().Add(-time.Hour) },
			Replies: list("null"), Want: providertest.Want{Class: fault.ClassUnsupported, Requests: providertest.None},
		},
	}
}

func derivedSeed(attempt string) uint32 {
	sum := sha256.Sum256([]byte(attempt))
	return (uint32(sum[0])<<24 | uint32(sum[1])<<16 | uint32(sum[2])<<8 | uint32(sum[3])) >> 1
}

// sign makes a message as the vendor would send it.
func sign(key, id string, at, now time.Time, body string) provider.Message {
	mac := hmac.New(sha256.New, []byte(key))
	stamp := strconv.FormatInt(at.Unix(), 10)
	_, _ = mac.Write([]byte(id + "." + stamp + "." + body))
	header := http.Header{}
	header.Set("Webhook-Id", id)
	header.Set("Webhook-Timestamp", stamp)
	header.Set("Webhook-Signature", "v1,AAAA v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return provider.Message{
		Header: header.Get, Query: func(string) string { return "" }, Body: []byte(body), Now: now,
		Secret: secret.New("whsec_" + base64.StdEncoding.EncodeToString([]byte("0123456789abcdef01234567"))),
	}
}

func notices() []providertest.NoticeCase {
	const key = "0123456789abcdef01234567"
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	done, running := predicted(`"status":"succeeded"`), predicted(`"status":"processing"`)
	tampered := sign(key, "msg_1", now, now, done)
	tampered.Body = []byte(running)
	bare := sign(key, "msg_1", now, now, done)
	bare.Secret = secret.Value{}
	return []providertest.NoticeCase{
		{Name: "the end of a job", Message: sign(key, "msg_1", now.Add(-time.Minute), now, done), Want: provider.Notice{ID: "msg_1", Job: jobID, Final: true}},
		{
			Name: "when the job ended", Message: sign(key, "msg_3", now, now, predicted(`"status":"succeeded","completed_at":"2026-11-22T09:59:58.5Z"`)),
			Want: provider.Notice{ID: "msg_3", Job: jobID, Final: true, EndedAt: now.Add(-1500 * time.Millisecond)},
		},
		{Name: "a job that goes on", Message: sign(key, "msg_2", now, now, running), Want: provider.Notice{ID: "msg_2", Job: jobID}},
		{Name: "a forged signature", Message: sign("another key, another key", "msg_1", now, now, done), Class: fault.ClassAuth},
		{Name: "a changed body", Message: tampered, Class: fault.ClassAuth},
		{Name: "a stale message", Message: sign(key, "msg_1", now.Add(-6*time.Minute), now, done), Class: fault.ClassAuth},
		{Name: "a message from the future", Message: sign(key, "msg_1", now.Add(6*time.Minute), now, done), Class: fault.ClassAuth},
		{Name: "no secret", Message: bare, Class: fault.ClassAuth},
		{Name: "a signed message about nothing", Message: sign(key, "msg_1", now, now, `{}`), Class: fault.ClassInvalidInput},
	}
}

func requests() []providertest.RequestCase {
	return []providertest.RequestCase{
		{
			Name: "an official model", Contract: "official.json",
			Change: func(c *provider.Call) {
				half := 0.5
				c.Request.N, c.Request.Size, c.Request.Format, c.Request.NegativePrompt = 3, "512x512", "jpeg", "fog"
				c.Request.Image, c.Request.Strength, c.CallbackURL = "https://pictures.example/a.png", &half, "https://easel.example/hook"
				c.Request.Options = map[string]json.RawMessage{"guidance": []byte(`3.5`), "raw": []byte(`true`), "style_preset": []byte(`"anime"`)}
				c.Data = []byte(`{"options":{"disable_safety_checker":false,"output_quality":90}}`)
			},
			Want: map[string]any{
				"input.num_outputs": 3, "input.aspect_ratio": "1:1", "input.megapixels": "0.25", "input.output_format": "jpg", "input.guidance": 3.5,
				"input.image": "https://pictures.example/a.png", "input.prompt_strength": 0.5, "input.output_quality": 90,
				"input.seed": derivedSeed("att_1"), "webhook": "https://easel.example/hook", "webhook_events_filter": []string{"completed"},
			},
		},
		{
			Name: "a pro model of a free size", Contract: "pro.json",
			Change: func(c *provider.Call) {
				seed := int64(9)
				c.Model, c.Request.Size, c.Request.Seed = "black-forest-labs/flux-1.1-pro", "1024x768", &seed
			},
			Want: map[string]any{"input.aspect_ratio": "custom", "input.width": 1024, "input.height": 768, "input.seed": 9, "webhook": nil, "webhook_events_filter": nil},
		},
		{
			Name: "two loras", Contract: "lora.json",
			Change: func(c *provider.Call) {
				c.Model = "black-forest-labs/flux-dev-lora"
				c.Request.Loras = []generation.Lora{{Path: "owner/style"}, {Path: "https://loras.example/a.safetensors", Scale: 0.5}}
			},
			Want: map[string]any{"input.lora_weights": "owner/style", "input.lora_scale": 1, "input.extra_lora_scale": 0.5},
		},
		{
			Name: "a video by version", Contract: "svd.json",
			Change: func(c *provider.Call) {
				c.Model, c.Request.Kind = "christophy/stable-video-diffusion:"+version, generation.Video
				c.Request.Image, c.Request.Duration = pixel, 4
			},
			Want: map[string]any{
				"version": "christophy/stable-video-diffusion:" + version, "input.input_image": pixel,
				"input.frames_per_second": 6, "input.video_length": "25_frames_with_svd_xt",
			},
		},
		{
			Name: "a bare version whose family the config names", Contract: "svd.json",
			Change: func(c *provider.Call) {
				c.Model, c.Request.Kind, c.Request.Image = version, generation.Video, pixel
				c.Request.FPS, c.Request.Duration = 7, 2
				c.Data = []byte(`{"family":"stable-video-diffusion"}`)
			},
			Want: map[string]any{"version": version, "input.frames_per_second": 7, "input.video_length": "14_frames_with_svd"},
		},
	}
}
