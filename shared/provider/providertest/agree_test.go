package providertest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/cloudflare"
	"easel/shared/provider/custom"
	"easel/shared/provider/fal"
	"easel/shared/provider/gemini"
	"easel/shared/provider/openai"
	"easel/shared/provider/replicate"
	"easel/shared/provider/runway"
	"easel/shared/provider/simulator"
	"easel/shared/provider/stability"
	"easel/shared/secret"
)

const (
	pixel      = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
	hookSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
	svd        = "christophy/stable-video-diffusion:92a0c9a9cb1fd93ea0361d15e499dc879b35095077b2feed47315ccab4524036"
)

// vendor is one way to reach the simulator.
type vendor struct {
	driver func(*http.Client) provider.Provider
	fault  string // the simulator's name of it
	path   string
	call   provider.Call
}

// draws reports whether a submit draws a picture while we wait, which takes the
// simulator long under the race detector: such vendors sit some tests out.
func (v vendor) draws() bool {
	return v.call.Request.Kind == generation.Image && v.fault != simulator.Replicate && v.fault != simulator.Fal && v.fault != simulator.Runway && v.fault != simulator.Custom
}

func ask(kind generation.Kind, model string) provider.Call {
	return provider.Call{Model: model, Request: generation.Request{Kind: kind, Prompt: "a lighthouse at dusk"}}
}

func with(c provider.Call, change func(*provider.Call)) provider.Call {
	change(&c)
	return c
}

func described(t *testing.T, api string, c provider.Call) provider.Call {
	t.Helper()
	data, err := os.ReadFile("../custom/examples/" + api + ".json")
	if err != nil {
		t.Fatal(err)
	}
	c.Data = data
	return c
}

func vendors(t *testing.T, base string) map[string]vendor {
	t.Helper()
	o := func(h *http.Client) provider.Provider { return openai.New(h) }
	s := func(h *http.Client) provider.Provider { return stability.New(h) }
	r := func(h *http.Client) provider.Provider { return replicate.New(h) }
	w := func(h *http.Client) provider.Provider { return runway.New(h) }
	g := func(h *http.Client) provider.Provider { return gemini.New(h) }
	c := func(h *http.Client) provider.Provider { return custom.New(h) }
	f := func(h *http.Client) provider.Provider {
		return fal.New(h, fal.WithKeys(keysAt(base+"/fal/rest/.well-known/jwks.json")))
	}
	image, video, text := generation.Image, generation.Video, generation.Text
	sized := func(size string) func(*provider.Call) { return func(c *provider.Call) { c.Request.Size = size } }
	drawn := func(c *provider.Call) { c.Request.Image = pixel }
	return map[string]vendor{
		"openai image":      {o, simulator.OpenAI, "/openai/v1", with(ask(image, "gpt-image-2"), sized("1536x864"))},
		"openai edit":       {o, simulator.OpenAI, "/openai/v1", with(ask(image, "gpt-image-2"), drawn)},
		"openai text":       {o, simulator.OpenAI, "/openai/v1", ask(text, "gpt-6-luna")},
		"stability core":    {s, simulator.Stability, "/stability", with(ask(image, "stable-image-core"), sized("1024x1024"))},
		"stability sd3":     {s, simulator.Stability, "/stability", with(ask(image, "sd3.5-large"), drawn)},
		"stability v1":      {s, simulator.Stability, "/stability", with(ask(image, "stable-diffusion-xl-1024-v1-0"), sized("1344x768"))},
		"replicate dev":     {r, simulator.Replicate, "/replicate/v1", with(ask(image, "black-forest-labs/flux-dev"), sized("512x512"))},
		"replicate pro":     {r, simulator.Replicate, "/replicate/v1", with(ask(image, "black-forest-labs/flux-1.1-pro"), sized("1024x768"))},
		"replicate svd":     {r, simulator.Replicate, "/replicate/v1", with(ask(video, svd), drawn)},
		"runway video":      {w, simulator.Runway, "/runway", ask(video, "gen4.5")},
		"runway from image": {w, simulator.Runway, "/runway", with(ask(video, "gen4_turbo"), drawn)},
		"runway image":      {w, simulator.Runway, "/runway", ask(image, "gen4_image")},
		"fal pika":          {f, simulator.Fal, "/fal/queue", ask(video, "fal-ai/pika/v2.2/text-to-video")},
		"fal pika image":    {f, simulator.Fal, "/fal/queue", with(ask(video, "fal-ai/pika/v2.2/text-to-video"), drawn)},
		"fal flux":          {f, simulator.Fal, "/fal/queue", with(ask(image, "fal-ai/flux/dev"), sized("1024x768"))},
		"gemini text":       {g, simulator.Gemini, "/gemini/v1beta", ask(text, "gemini-3.6-flash")},
		"gemini veo":        {g, simulator.Gemini, "/gemini/v1beta", ask(video, "veo-3.1-generate-preview")},
		"gemini image":      {g, simulator.Gemini, "/gemini/v1beta", with(ask(image, "gemini-nano-banana-2.1"), sized("1344x768"))},
		"luma":              {c, simulator.Custom, "/custom/luma", described(t, "luma", ask(video, "ray-3.2"))},
		"kling":             {c, simulator.Custom, "/custom/kling", described(t, "kling", ask(video, "kling-v3"))},
		"bfl":               {c, simulator.Custom, "/custom/bfl", with(described(t, "bfl", ask(image, "flux-2-pro")), sized("1024x768"))},
	}
}

func keysAt(address string) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return nil, err
		}
		defer func() { _ = response.Body.Close() }()
		return io.ReadAll(response.Body)
	}
}

// world is a simulator and what its webhooks brought.
type world struct {
	server *simulator.Server
	base   string
	hooks  chan provider.Message
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{server: simulator.New(simulator.Options{WebhookSecret: hookSecret}), hooks: make(chan provider.Message, 10)}
	mux := http.NewServeMux()
	mux.Handle("/", w.server)
	mux.HandleFunc("POST /hook", func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.hooks <- provider.Message{
			Header: r.Header.Get, Query: r.URL.Query().Get, Body: body, Secret: secret.New(hookSecret), Now: time.Now(),
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(func() { w.server.Close(); server.Close() })
	w.base = server.URL
	return w
}

func (w *world) call(v vendor) provider.Call {
	c := v.call
	c.BaseURL, c.Key = w.base+v.path, secret.New("simulated-key-0123456789")
	c.Task, c.Attempt, c.StartedAt = "task_1", "att_1", time.Now()
	c.ExpiresAt = time.Now().Add(time.Minute)
	return c
}

// finish polls until the job has ended.
func finish(t *testing.T, p provider.Provider, c provider.Call, a provider.Answer) provider.Answer {
	t.Helper()
	for a.State == provider.Pending || a.State == provider.Running {
		if t.Context().Err() != nil {
			t.Fatal("the job never ended")
		}
		next, err := p.Poll(t.Context(), c, a.Job)
		if err != nil {
			t.Fatalf("poll: %v", err)
		}
		a = next
	}
	return a
}

// TestDriversAndSimulatorAgree holds two readings of each vendor's documents,
// written apart, against one another.
func TestDriversAndSimulatorAgree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, v := range vendors(t, w.base) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, c := v.driver(http.DefaultClient), w.call(v)
			a, err := p.Submit(t.Context(), c)
			if err != nil {
				t.Fatalf("submit: %v", err)
			}
			a = finish(t, p, c, a)
			if a.State != provider.Succeeded || (len(a.Files) == 0 && a.Text == "") {
				t.Fatalf("answer = %+v, %v", a, a.Failure)
			}
			if len(a.Files) > 0 && len(a.Files[0].Data) == 0 && !strings.HasPrefix(a.Files[0].URL, w.base) {
				t.Errorf("file = %s", a.Files[0].URL)
			}
		})
	}
}

func TestTheSameCallsGoThroughTheSimulatedGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := cloudflare.Gateway{URL: w.base + "/cloudflare/v1/account/gateway", Token: secret.New("gateway-token-0123456789"), Routes: []cloudflare.Route{
		{Base: w.base + "/openai/v1", Slug: "openai"},
		{Base: w.base + "/replicate/v1", Slug: "replicate"},
		{Base: w.base + "/gemini", Slug: "google-ai-studio"},
		{Base: w.base + "/fal/queue", Slug: "fal", Target: true},
		{Base: w.base + "/stability", Slug: "custom-stability"},
		{Base: w.base + "/runway", Slug: "custom-runway"},
		{Base: w.base + "/custom/luma", Slug: "custom-luma"},
		{Base: w.base + "/custom/kling", Slug: "custom-kling"},
		{Base: w.base + "/custom/bfl", Slug: "custom-bfl"},
	}}
	client := &http.Client{Transport: cloudflare.Transport{Next: http.DefaultTransport}}
	for name, v := range vendors(t, w.base) {
		if v.draws() && name != "stability core" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := g.Through(w.call(v))
			if err != nil {
				t.Fatal(err)
			}
			p := v.driver(client)
			a, err := p.Submit(t.Context(), c)
			if err != nil {
				t.Fatalf("submit: %v", err)
			}
			if a.GatewayID == "" {
				t.Error("the gateway's log id is missing")
			}
			if a = finish(t, p, c, a); a.State != provider.Succeeded {
				t.Errorf("answer = %+v, %v", a, a.Failure)
			}
		})
	}
}

func TestWebhooksOfTheSimulatorAreBelieved(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"replicate dev", "fal pika"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			v := vendors(t, w.base)[name]
			p, c := v.driver(http.DefaultClient), w.call(v)
			c.CallbackURL = w.base + "/hook?" + url.Values{"task": {c.Task}, "attempt": {c.Attempt}}.Encode()
			a, err := p.Submit(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			select {
			case m := <-w.hooks:
				n, err := p.Notice(t.Context(), m)
				if err != nil || n.Job != a.Job.ID || !n.Final || n.ID == "" || m.Query("attempt") != c.Attempt {
					t.Errorf("notice = %+v, %v", n, err)
				}
			case <-t.Context().Done():
				t.Error("no webhook came")
			}
		})
	}
}

// TestFaultsOfTheSimulatorAreRead switches faults on and looks at their class.
func TestFaultsOfTheSimulatorAreRead(t *testing.T) {
	t.Parallel()
	for name, want := range map[simulator.FaultName]fault.Class{
		simulator.RateLimited: fault.ClassRateLimited, simulator.Unavailable: fault.ClassUnavailable, simulator.Auth: fault.ClassAuth,
		simulator.OutOfCredit: fault.ClassOutOfCredit, simulator.Moderated: fault.ClassModerated, simulator.JobFails: fault.ClassJobFailed,
		simulator.ResetAfterAccept: fault.ClassTimeout,
	} {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for vendorName, v := range vendors(t, w.base) {
				p, c := v.driver(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}), w.call(v)
				if (name == simulator.JobFails && (!p.Describe().Jobs || (v.fault == simulator.Gemini && c.Request.Kind != generation.Video))) || (name == simulator.ResetAfterAccept && v.draws()) {
					continue
				}
				if err := w.server.SetFault(v.fault, simulator.Fault{Fault: name, Times: 1}); err != nil {
					t.Fatal(err)
				}
				a, err := p.Submit(t.Context(), c)
				if err == nil {
					if a = finish(t, p, c, a); a.Failure != nil {
						err = a.Failure
					}
				}
				f := fault.FailureOf(err)
				if f == nil || f.Class != want || f.Unknown != (want == fault.ClassTimeout) {
					t.Errorf("%s: %v, want %s", vendorName, f, want)
				}
			}
		})
	}
}

// TestASubmitOfUnknownOutcomeIsFoundAgain loses the answer to a submit.
func TestASubmitOfUnknownOutcomeIsFoundAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := vendors(t, w.base)["replicate dev"]
	p, c := replicate.New(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}), w.call(v)
	if _, found, err := p.Find(t.Context(), c); found || err != nil {
		t.Errorf("before the submit: %v, %v", found, err)
	}
	if err := w.server.SetFault(v.fault, simulator.Fault{Fault: simulator.ResetAfterAccept, Times: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Submit(t.Context(), c); !fault.FailureOf(err).Unknown {
		t.Fatalf("submit: %v", err)
	}
	job, found, err := p.Find(t.Context(), c)
	if err != nil || !found {
		t.Fatalf("Find = %v, %v, %v", job, found, err)
	}
	if a := finish(t, p, c, provider.Answer{State: provider.Pending, Job: job}); a.State != provider.Succeeded {
		t.Errorf("answer = %+v", a)
	}
	c.Attempt = "att_2"
	if _, found, err := p.Find(t.Context(), c); found || err != nil {
		t.Errorf("another attempt: %v, %v", found, err)
	}
}
