package cloudflare_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/provider/cloudflare"
	"easel/shared/provider/fal"
	"easel/shared/provider/gemini"
	"easel/shared/provider/openai"
	"easel/shared/provider/replicate"
	"easel/shared/provider/runway"
	"easel/shared/provider/stability"
	"easel/shared/secret"
)

const (
	token = "gateway-token-1234"
	key   = "vendor-key-5678"
)

func gateway(base string) cloudflare.Gateway {
	return cloudflare.Gateway{URL: base + "/v1/acct/gate/", Token: secret.New(token), Routes: cloudflare.DefaultRoutes()}
}

func call(base string, kind generation.Kind, model string) provider.Call {
	return provider.Call{
		BaseURL: base, Key: secret.New(key), Model: model, Task: "task_1", Attempt: "att_1",
		Request: generation.Request{Kind: kind, Prompt: "a lighthouse", Duration: 0},
		Headers: map[string]string{"cf-aig-max-attempts": "5", "X-Own": "1"},
	}
}

// TestEveryDriverGoesThroughTheGateway sends a submit of each driver through a
// stand-in of the gateway and looks at what arrives.
func TestEveryDriverGoesThroughTheGateway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		driver      func(*http.Client) provider.Provider
		kind        generation.Kind
		model, path string
		header      map[string]string
	}{
		{func(h *http.Client) provider.Provider { return openai.New(h) }, generation.Image, "gpt-image-2", "/openai/images/generations", map[string]string{"Authorization": "Bearer " + key}},
		{func(h *http.Client) provider.Provider { return replicate.New(h) }, generation.Image, "black-forest-labs/flux-dev", "/replicate/models/black-forest-labs/flux-dev/predictions", nil},
		{func(h *http.Client) provider.Provider { return gemini.New(h) }, generation.Text, "gemini-3.6-flash", "/google-ai-studio/v1beta/models/gemini-3.6-flash:generateContent", map[string]string{"X-Goog-Api-Key": key}},
		{func(h *http.Client) provider.Provider { return fal.New(h) }, generation.Video, "fal-ai/pika/v2.2/text-to-video", "/fal/fal-ai/pika/v2.2/text-to-video", map[string]string{"X-Fal-Target-Url": "https://queue.fal.run/fal-ai/pika/v2.2/text-to-video"}},
		{func(h *http.Client) provider.Provider { return stability.New(h) }, generation.Image, "stable-image-core", "/custom-stability/v2beta/stable-image/generate/core", nil},
		{func(h *http.Client) provider.Provider { return runway.New(h) }, generation.Video, "gen4.5", "/custom-runway/v1/text_to_video", map[string]string{"X-Runway-Version": "2024-11-06"}},
	} {
		var got *http.Request
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = r
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		t.Cleanup(server.Close)
		p := c.driver(&http.Client{Transport: cloudflare.Transport{Next: server.Client().Transport}})
		made := call(p.Describe().BaseURL, c.kind, c.model)
		through, err := gateway(server.URL).Through(made)
		if err != nil {
			t.Fatal(err)
		}
		if made.Headers["cf-aig-max-attempts"] != "5" || made.BaseURL != p.Describe().BaseURL {
			t.Errorf("the caller's call was changed: %v", made)
		}
		_, err = p.Submit(t.Context(), through)
		if f := fault.FailureOf(err); f.Class != fault.ClassRateLimited || errors.Is(err, cloudflare.ErrGateway) {
			t.Errorf("%s: %v", c.path, err)
		}
		if got.URL.Path != "/v1/acct/gate"+c.path {
			t.Errorf("path = %s, want %s", got.URL.Path, c.path)
		}
		want := map[string]string{
			"Cf-Aig-Authorization": "Bearer " + token, "Cf-Aig-Max-Attempts": "1", "Cf-Aig-Skip-Cache": "true",
			"Cf-Aig-Metadata": `{"attempt":"att_1","task":"task_1"}`, "X-Own": "1",
		}
		maps.Copy(want, c.header)
		for name, value := range want {
			if got.Header.Get(name) != value {
				t.Errorf("%s: %s = %q, want %q", c.path, name, got.Header.Get(name), value)
			}
		}
	}
}

func TestOnlyTextsAreCachedAndOnlyWhereAsked(t *testing.T) {
	t.Parallel()
	g := gateway("https://gateway.example")
	g.CacheText = time.Second
	for kind, want := range map[generation.Kind][2]string{
		generation.Text: {"", "60"}, generation.Image: {"true", ""}, generation.Video: {"true", ""},
	} {
		c, err := g.Through(call("https://api.openai.com/v1", kind, "m"))
		if err != nil || c.Headers["Cf-Aig-Skip-Cache"] != want[0] || c.Headers["Cf-Aig-Cache-Ttl"] != want[1] {
			t.Errorf("%s: %v, %v", kind, c.Headers, err)
		}
	}
}

func TestWhatHasNoRouteIsNotSentPastTheGateway(t *testing.T) {
	t.Parallel()
	for base, url := range map[string]string{
		"https://api.example/v1":                    "https://gateway.example",
		"https://api.openai.com.evil.example/v1":    "https://gateway.example",
		"https://api.openai.com/v12":                "https://gateway.example",
		"http://api.openai.com/v1":                  "https://gateway.example",
		"https://api.openai.com/v1":                 "not a URL",
		"https://generativelanguage.googleapis.com": "ftp://gateway.example",
	} {
		g := gateway(url)
		if _, err := g.Through(call(base, generation.Image, "m")); err == nil || fault.FailureOf(err).Class != fault.ClassUnsupported {
			t.Errorf("%s by %s: %v", base, url, err)
		}
	}
	g := gateway("https://gateway.example")
	g.Routes = append([]cloudflare.Route{{Base: "https://api.example", Slug: "custom-mine"}}, g.Routes...)
	if c, err := g.Through(call("https://api.example/v1/", generation.Image, "m")); err != nil || c.BaseURL != "https://gateway.example/v1/acct/gate/custom-mine/v1" {
		t.Errorf("a route of one's own: %s, %v", c.BaseURL, err)
	}
}

func TestTheGatewaysOwnErrorsAreToldApart(t *testing.T) {
	t.Parallel()
	own := func(code string) string {
		return `{"success":false,"result":[],"messages":[],"error":[{"code":` + code + `,"message":"about ` + token + `"}]}`
	}
	logged := map[string]string{"Cf-Aig-Log-Id": "01"}
	vendors := `{"error":{"message":"overloaded","type":"server_error"}}`
	for name, c := range map[string]struct {
		status  int
		header  map[string]string
		body    string
		class   fault.Class
		unknown bool
		gateway bool
	}{
		"its credentials":           {401, nil, own("2009"), fault.ClassAuth, false, true},
		"a guarded prompt":          {400, nil, own("2016"), fault.ClassModerated, false, true},
		"a guarded answer":          {400, logged, own("2017"), fault.ClassModerated, false, true},
		"its rate limit":            {429, nil, own("2003"), fault.ClassRateLimited, false, true},
		"its credit":                {402, nil, own("2021"), fault.ClassOutOfCredit, false, true},
		"a provider that it lacks":  {400, nil, own("2008"), fault.ClassUnsupported, false, true},
		"a gateway that is gone":    {404, nil, own("2002"), fault.ClassModelGone, false, true},
		"its outage":                {503, nil, own("2001"), fault.ClassUnavailable, false, true},
		"its crash":                 {500, nil, own("2000"), fault.ClassUnavailable, true, true},
		"the other name of errors":  {401, nil, strings.Replace(own("2009"), `"error"`, `"errors"`, 1), fault.ClassAuth, false, true},
		"an edge's page":            {520, nil, "<html>", fault.ClassUnavailable, true, true},
		"the vendor's outage":       {503, logged, vendors, fault.ClassUnavailable, false, false},
		"the vendor's crash":        {500, logged, vendors, fault.ClassUnavailable, false, false},
		"the vendor's refusal":      {400, nil, `{"error":{"message":"no","code":"moderation_blocked"}}`, fault.ClassModerated, false, false},
		"the vendor's wrong key":    {401, logged, `{"error":{"message":"no","code":"invalid_api_key"}}`, fault.ClassAuth, false, false},
		"a body like it, but not":   {400, logged, `{"success":false,"error":{"message":"no","type":"x"}}`, fault.ClassInvalidInput, false, false},
		"a body of a megabyte more": {400, logged, `{"error":{"type":"x","message":"` + strings.Repeat("x", 100_000) + `"}}`, fault.ClassInvalidInput, false, false},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for name, value := range c.header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}))
		t.Cleanup(server.Close)
		p := openai.New(&http.Client{Transport: cloudflare.Transport{Next: server.Client().Transport}})
		through, err := gateway(server.URL).Through(call("https://api.openai.com/v1", generation.Image, "gpt-image-2"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Submit(t.Context(), through)
		f := fault.FailureOf(err)
		if f.Class != c.class || f.Unknown != c.unknown || errors.Is(err, cloudflare.ErrGateway) != c.gateway {
			t.Errorf("%s: %v, gateway %v; want %s", name, f, errors.Is(err, cloudflare.ErrGateway), c.class)
		}
		if strings.Contains(f.Error(), token) || len(f.Detail) > 2<<10 {
			t.Errorf("%s: the failure holds the token or too much: %.200s", name, f.Error())
		}
		if _, err := p.Models(t.Context(), through); fault.FailureOf(err).Unknown {
			t.Errorf("%s: a listing is never unknown", name)
		}
	}
}

func TestCallsThatDoNotGoThroughItAreLeftAlone(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"success":false,"errors":[{"code":7,"message":"x"}]}`)
	}))
	t.Cleanup(server.Close)
	client := &http.Client{Transport: cloudflare.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	c := call(server.URL, generation.Image, "gpt-image-2")
	c.Headers = nil
	if _, err := openai.New(client).Submit(t.Context(), c); errors.Is(err, cloudflare.ErrGateway) {
		t.Errorf("error = %v", err)
	}
}
