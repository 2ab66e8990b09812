package simulator_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"easel/shared/provider/simulator"
)

func TestStabilityAnswersBytesOrJSON(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	for service, size := range map[string][2]int{"core": {1664, 960}, "ultra": {1344, 768}, "sd3": {1344, 768}} {
		body, kind := form(t, map[string]string{"prompt": "a harbour", "aspect_ratio": "16:9", "output_format": "webp", "seed": "42"})
		got := b.post("/stability/v2beta/stable-image/generate/"+service, body, "Content-Type", kind, "Accept", "image/*")
		if got.status != http.StatusOK || got.header.Get("Content-Type") != "image/webp" ||
			got.header.Get("Finish-Reason") != "SUCCESS" || got.header.Get("Seed") != "42" {
			t.Fatalf("%s: %d %v %.200s", service, got.status, got.header, got.body)
		}
		picture(t, got.body, "webp", size[0], size[1])
	}
	body, kind := form(t, map[string]string{"prompt": "a harbour"})
	got := b.post("/stability/v2beta/stable-image/generate/core", body, "Content-Type", kind, "Accept", "application/json")
	if !strings.HasPrefix(got.header.Get("Content-Type"), "application/json; type=image/png") || got.header.Get("Finish-Reason") != "" {
		t.Errorf("headers %v", got.header)
	}
	raw, err := base64.StdEncoding.DecodeString(got.json(t)["image"].(string))
	if err != nil {
		t.Fatal(err)
	}
	picture(t, raw, "png", 1280, 1280)
}

func TestStabilityRefusesWhatTheVendorRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	for name, tc := range map[string]struct {
		fields map[string]string
		status int
		name   string
		says   string
	}{
		"no prompt":         {map[string]string{}, 400, "bad_request", "prompt: is required"},
		"ratio 4:3":         {map[string]string{"prompt": "x", "aspect_ratio": "4:3"}, 400, "bad_request", "aspect_ratio"},
		"seed out of range": {map[string]string{"prompt": "x", "seed": "4294967295"}, 400, "bad_request", "seed"},
		"unknown field":     {map[string]string{"prompt": "x", "size": "1"}, 400, "bad_request", "size"},
		"another service's": {map[string]string{"prompt": "x", "cfg_scale": "3"}, 400, "bad_request", "cfg_scale"},
		"refused prompt":    {map[string]string{"prompt": "nsfw"}, 403, "content_moderation", "moderation"},
	} {
		body, kind := form(t, tc.fields)
		got := b.post("/stability/v2beta/stable-image/generate/core", body, "Content-Type", kind)
		v := got.json(t)
		if got.status != tc.status || v["name"] != tc.name || v["id"] == "" || !strings.Contains(string(got.body), tc.says) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := b.post("/stability/v2beta/stable-image/generate/core", `{"prompt":"x"}`); got.status != http.StatusBadRequest {
		t.Errorf("JSON body: status %d", got.status)
	}
	body, kind := form(t, map[string]string{"prompt": "x"}, smallPNG(t))
	if got := b.post("/stability/v2beta/stable-image/generate/ultra", body, "Content-Type", kind); !strings.Contains(string(got.body), "strength") {
		t.Errorf("image without strength: %d %s", got.status, got.body)
	}
}

func TestStabilityFiltersInsideASuccess(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	body, kind := form(t, map[string]string{"prompt": "gore"})
	got := b.post("/stability/v2beta/stable-image/generate/sd3", body, "Content-Type", kind)
	if got.status != http.StatusOK || got.header.Get("Finish-Reason") != "CONTENT_FILTERED" {
		t.Errorf("%d %v", got.status, got.header)
	}
}

func TestStabilityV1SpeaksItsOwnDialect(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	const path = "/stability/v1/generation/stable-diffusion-xl-1024-v1-0/text-to-image"
	got := b.post(path, `{"text_prompts":[{"text":"a forest","weight":1},{"text":"fog","weight":-1}],"width":1152,"height":896,"samples":2,"seed":5}`)
	artifacts, ok := got.json(t)["artifacts"].([]any)
	if !ok || len(artifacts) != 2 {
		t.Fatalf("%d %.300s", got.status, got.body)
	}
	first := artifacts[0].(map[string]any)
	raw, err := base64.StdEncoding.DecodeString(first["base64"].(string))
	if err != nil || first["finishReason"] != "SUCCESS" || first["seed"] != 5.0 {
		t.Fatalf("%v %v", err, first["seed"])
	}
	picture(t, raw, "png", 1152, 896)

	for name, tc := range map[string]struct {
		path, body string
		status     int
		name       string
	}{
		"size":    {path, `{"text_prompts":[{"text":"x"}],"width":1024,"height":512}`, 400, "invalid_sdxl_v1_dimensions"},
		"steps":   {path, `{"text_prompts":[{"text":"x"}],"steps":5}`, 400, "bad_request"},
		"strings": {path, `{"text_prompts":[{"text":"x"}],"steps":"30"}`, 400, "bad_request"},
		"refused": {path, `{"text_prompts":[{"text":"nsfw"}]}`, 400, "invalid_prompts"},
		"engine":  {"/stability/v1/generation/stable-diffusion-v1-6/text-to-image", `{"text_prompts":[{"text":"x"}]}`, 404, "not_found"},
	} {
		got := b.post(tc.path, tc.body)
		if v := got.json(t); got.status != tc.status || v["name"] != tc.name || v["message"] == "" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if credits := b.get("/stability/v1/user/balance").json(t)["credits"]; credits == nil {
		t.Error("no balance")
	}
}
