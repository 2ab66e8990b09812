package simulator

import (
	"encoding/base64"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// stabilitySDXL is the only engine that the v1 API still has.
const stabilitySDXL = "stable-diffusion-xl-1024-v1-0"

func stabilityV1Error(c *call, status int, name, message string) {
	stabilityHeaders(c)
	c.json(status, object{"id": c.id, "name": name, "message": message})
}

func refuseStabilityV1(c *call, why reason) {
	switch why {
	case tooMany:
		stabilityV1Error(c, http.StatusTooManyRequests, "rate_limit_exceeded",
			"You have exceeded the rate limit of 150 requests within a 10 second period, and have been timed out for 60 seconds.")
	case noCredit:
		stabilityV1Error(c, http.StatusForbidden, "permission_denied", "Your organization does not have enough balance to request this action")
	case badKey:
		stabilityV1Error(c, http.StatusUnauthorized, "unauthorized", "missing or invalid authorization header")
	case badPrompt:
		stabilityV1Error(c, http.StatusBadRequest, "invalid_prompts", "Invalid prompts detected")
	case overloaded:
		stabilityV1Error(c, http.StatusServiceUnavailable, "service_unavailable", "The service is temporarily overloaded.")
	case broken:
		stabilityV1Error(c, http.StatusInternalServerError, "server_error", "An unexpected server error occurred")
	}
}

func stabilityV1Rules() []rule {
	return []rule{
		must("text_prompts", list(1, 10, stabilityPromptRule)),
		may("width", whole(128, 4096)), may("height", whole(128, 4096)), may("cfg_scale", real(0, 35)),
		may("steps", whole(10, 150)), may("samples", whole(1, 10)), may("seed", whole(0, 4294967295)),
		may("sampler", oneOf("DDIM", "DDPM", "K_DPMPP_2M", "K_DPMPP_2S_ANCESTRAL", "K_DPM_2", "K_DPM_2_ANCESTRAL",
			"K_EULER", "K_EULER_ANCESTRAL", "K_HEUN", "K_LMS")),
		may("clip_guidance_preset", oneOf("FAST_BLUE", "FAST_GREEN", "NONE", "SIMPLE", "SLOW", "SLOWER", "SLOWEST")),
		may("style_preset", oneOf(stabilityStyles()...)), may("extras", anything),
	}
}

func stabilityPromptRule(v any) *problem {
	prompt, ok := v.(map[string]any)
	if !ok {
		return &problem{kind: problemType, reason: "must be an object"}
	}
	bad := inspect(prompt, true, must("text", text(1, 2000)), may("weight", real(-1000, 1000)))
	if len(bad) == 0 {
		return nil
	}
	return &problem{kind: bad[0].kind, reason: bad[0].field + " " + bad[0].reason}
}

// stabilitySizes are the sizes SDXL accepts; their transposes count too.
func stabilitySizes() [][2]int64 {
	return [][2]int64{{1024, 1024}, {1152, 896}, {1216, 832}, {1344, 768}, {1536, 640}}
}

func stabilityTextToImage(c *call) {
	if c.r.PathValue("engine") != stabilitySDXL {
		stabilityV1Error(c, http.StatusNotFound, "not_found", "The specified engine (ID "+c.r.PathValue("engine")+") was not found.")
		return
	}
	in, err := decodeObject(c.body)
	if err != nil || !c.wantsJSON() {
		stabilityV1Error(c, http.StatusBadRequest, "bad_request", "body: must be a JSON object")
		return
	}
	if bad := inspect(in, true, stabilityV1Rules()...); len(bad) > 0 {
		stabilityV1Error(c, http.StatusBadRequest, "bad_request", bad[0].field+": "+bad[0].reason)
		return
	}
	width, height := in.integer("width", 1024), in.integer("height", 1024)
	if !slices.Contains(stabilitySizes(), [2]int64{width, height}) && !slices.Contains(stabilitySizes(), [2]int64{height, width}) {
		stabilityV1Error(c, http.StatusBadRequest, "invalid_sdxl_v1_dimensions",
			"for stable-diffusion-xl-1024-v1-0 the allowed dimensions are 1024x1024, 1152x896, 1216x832, 1344x768, 1536x640, 640x1536, 768x1344, 832x1216, 896x1152")
		return
	}
	asBytes := strings.HasPrefix(c.r.Header.Get("Accept"), "image/png")
	if asBytes && in.integer("samples", 1) != 1 {
		stabilityV1Error(c, http.StatusBadRequest, "invalid_samples", "samples must be 1 when the answer is an image")
		return
	}
	stabilityV1Paint(c, in, int(width), int(height), asBytes)
}

// heaviestPrompt is the prompt with the largest weight.
func heaviestPrompt(in inputs) string {
	best, weight := "", math.Inf(-1)
	prompts, _ := in["text_prompts"].([]any)
	for _, p := range prompts {
		item, _ := p.(map[string]any)
		if w := inputs(item).float("weight", 1); w > weight {
			best, weight = inputs(item).str("text", ""), w
		}
	}
	return best
}

func stabilityV1Paint(c *call, in inputs, width, height int, asBytes bool) {
	prompt := heaviestPrompt(in)
	if refusable(prompt) {
		c.vendor.refuse(c, badPrompt)
		return
	}
	c.accept(c.id, stabilitySDXL, prompt, "")
	if !c.labor(effortImage) {
		return
	}
	seed := in.integer("seed", 0)
	if seed == 0 {
		seed = seedOf(prompt)
	}
	artifacts := []object{}
	for i := range in.integer("samples", 1) {
		file, err := c.srv.studio.render(work{Prompt: prompt, Seed: seed + i, Width: width, Height: height, Format: "png"})
		if err != nil {
			c.vendor.refuse(c, broken)
			return
		}
		if asBytes {
			stabilityHeaders(c)
			c.w.Header().Set("Content-Type", "image/png")
			c.w.Header().Set("Finish-Reason", "SUCCESS")
			c.w.Header().Set("Seed", strconv.FormatInt(seed, 10))
			_, _ = c.w.Write(file)
			return
		}
		artifacts = append(artifacts, object{
			"base64": base64.StdEncoding.EncodeToString(file), "seed": seed + i, "finishReason": "SUCCESS",
		})
	}
	stabilityHeaders(c)
	c.json(http.StatusOK, object{"artifacts": artifacts})
}
