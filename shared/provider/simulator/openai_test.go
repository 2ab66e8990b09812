package simulator_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"easel/shared/provider/simulator"
)

// firstImage decodes data[0].b64_json of OpenAI's answer.
func firstImage(t *testing.T, got reply) []byte {
	t.Helper()
	if got.status != http.StatusOK {
		t.Fatalf("status %d: %.300s", got.status, got.body)
	}
	data, ok := got.json(t)["data"].([]any)
	if !ok || len(data) == 0 {
		t.Fatalf("no data: %.300s", got.body)
	}
	raw, err := base64.StdEncoding.DecodeString(data[0].(map[string]any)["b64_json"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestOpenAIGeneratesEveryFormatAndSize(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	for _, tc := range []struct {
		format, size  string
		width, height int
	}{
		{"png", "1024x1024", 1024, 1024}, {"jpeg", "1536x1024", 1536, 1024}, {"webp", "1024x1536", 1024, 1536}, {"png", "auto", 1024, 1024},
	} {
		got := b.post("/openai/v1/images/generations",
			`{"model":"gpt-image-2","prompt":"a lighthouse at dusk","size":"`+tc.size+`","output_format":"`+tc.format+`"}`)
		picture(t, firstImage(t, got), tc.format, tc.width, tc.height)
		if got.header.Get("X-Request-Id") == "" {
			t.Error("no x-request-id")
		}
		usage := got.json(t)["usage"].(map[string]any)
		if usage["total_tokens"] != usage["input_tokens"].(float64)+usage["output_tokens"].(float64) {
			t.Errorf("usage does not add up: %v", usage)
		}
	}
	submits(b, simulator.OpenAI, 4)
}

func TestOpenAIStreamsAFinishedPicture(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	got := b.post("/openai/v1/images/generations", `{"model":"gpt-image-2","prompt":"a lake","stream":true}`)
	found := events(got.body)
	if len(found) != 1 || !strings.Contains(found[0], `"type":"image_generation.completed"`) || !strings.Contains(found[0], `"usage"`) {
		t.Errorf("%d events, %.200s", len(found), got.body)
	}
}

func TestTheSamePromptGivesTheSamePicture(t *testing.T) {
	t.Parallel()
	body := `{"model":"gpt-image-2","prompt":"a cat on a hill","n":2}`
	first := firstImage(t, setup(t, simulator.Options{}).post("/openai/v1/images/generations", body))
	second := firstImage(t, setup(t, simulator.Options{}).post("/openai/v1/images/generations", body))
	other := firstImage(t, setup(t, simulator.Options{}).post("/openai/v1/images/generations", `{"model":"gpt-image-2","prompt":"a dog on a hill"}`))
	if !bytes.Equal(first, second) {
		t.Error("two servers drew different pictures")
	}
	if bytes.Equal(first, other) {
		t.Error("two prompts gave one picture")
	}
}

func TestOpenAIRefusesWhatTheVendorRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	for name, tc := range map[string]struct {
		body   string
		status int
		code   any
		param  any
	}{
		"no prompt":       {`{"model":"gpt-image-2"}`, 400, "missing_required_parameter", "prompt"},
		"retired model":   {`{"model":"dall-e-3","prompt":"x"}`, 404, "model_not_found", "model"},
		"unknown member":  {`{"model":"gpt-image-2","prompt":"x","steps":3}`, 400, "unknown_parameter", "steps"},
		"too many":        {`{"model":"gpt-image-2","prompt":"x","n":11}`, 400, "invalid_value", "n"},
		"wrong type":      {`{"model":"gpt-image-2","prompt":"x","n":"two"}`, 400, "invalid_type", "n"},
		"odd size":        {`{"model":"gpt-image-2","prompt":"x","size":"1000x1000"}`, 400, "invalid_value", "size"},
		"tiny size":       {`{"model":"gpt-image-2","prompt":"x","size":"512x512"}`, 400, "invalid_value", "size"},
		"response_format": {`{"model":"gpt-image-2","prompt":"x","response_format":"url"}`, 400, "unknown_parameter", "response_format"},
		"refused prompt":  {`{"model":"gpt-image-2","prompt":"nsfw"}`, 400, "moderation_blocked", nil},
		"broken JSON":     {`{"model":`, 400, nil, nil},
	} {
		got := b.post("/openai/v1/images/generations", tc.body)
		e, ok := got.json(t)["error"].(map[string]any)
		if !ok || got.status != tc.status || e["code"] != tc.code || e["param"] != tc.param {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	submits(b, simulator.OpenAI, 0)
}

func TestOpenAIWantsABearerKey(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	for _, header := range []string{"", "Bearer ", "Key abc", "Bearer invalid"} {
		if got := b.get("/openai/v1/models", "Authorization", header); got.status != http.StatusUnauthorized {
			t.Errorf("%q: status %d", header, got.status)
		}
	}
	if got := b.get("/openai/v1/models"); got.status != http.StatusOK {
		t.Errorf("status %d", got.status)
	}
}

func smallPNG(t *testing.T) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := png.Encode(&buf, image.NewRGBA(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestOpenAIEditsPictures(t *testing.T) {
	t.Parallel()
	b := setup(t, simulator.Options{})
	body, kind := form(t, map[string]string{"model": "gpt-image-2", "prompt": "make it night", "n": "1", "size": "1024x1024"}, smallPNG(t))
	picture(t, firstImage(t, b.post("/openai/v1/images/edits", body, "Content-Type", kind)), "png", 1024, 1024)

	body, kind = form(t, map[string]string{"model": "gpt-image-2", "prompt": "make it night"})
	if got := b.post("/openai/v1/images/edits", body, "Content-Type", kind); got.status != http.StatusBadRequest {
		t.Errorf("without an image: status %d", got.status)
	}
	body, kind = form(t, map[string]string{"model": "gpt-image-2", "prompt": "make it night"}, []byte("no picture"))
	if got := b.post("/openai/v1/images/edits", body, "Content-Type", kind); got.status != http.StatusBadRequest {
		t.Errorf("with a broken image: status %d", got.status)
	}
}
