package simulator

import (
	"encoding/base64"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// routeStability mounts the paths below https://api.stability.ai. Its two
// generations of API have different error forms.
func (s *Server) routeStability() {
	v2 := vendor{
		name: Stability, key: bearer, refuse: refuseStabilityV2,
		tooLarge: func(c *call) {
			stabilityV2Error(c, http.StatusRequestEntityTooLarge, "payload_too_large", "request body is larger than 10MiB")
		},
	}
	v1 := vendor{
		name: Stability, key: bearer, refuse: refuseStabilityV1,
		tooLarge: func(c *call) {
			stabilityV1Error(c, http.StatusRequestEntityTooLarge, "bad_request", "request body is larger than 10MiB")
		},
	}
	s.handle(v2, "POST /stability/v2beta/stable-image/generate/{service}", OnSubmits, stabilityGenerate)
	s.handle(v1, "POST /stability/v1/generation/{engine}/text-to-image", OnSubmits, stabilityTextToImage)
	s.handle(v1, "GET /stability/v1/user/balance", OnReads, func(c *call) {
		stabilityHeaders(c)
		c.json(http.StatusOK, object{"credits": 1234.5})
	})
	s.handle(v1, "GET /stability/v1/user/account", OnReads, func(c *call) {
		stabilityHeaders(c)
		c.json(http.StatusOK, object{
			"id": "user-simulated", "email": "simulated@example.com", "profile_picture": "https://example.com/me.png",
			"organizations": []object{{"id": "org-simulated", "name": "Simulated", "role": "ADMIN", "is_default": true}},
		})
	})
	s.handle(v1, "GET /stability/v1/engines/list", OnReads, func(c *call) {
		stabilityHeaders(c)
		c.json(http.StatusOK, []object{{
			"id": stabilitySDXL, "name": "Stable Diffusion XL v1.0", "type": "PICTURE",
			"description": "Stability-AI Stable Diffusion XL v1.0",
		}})
	})
	s.handle(v2, "/stability/v2beta/", OnReads, func(c *call) {
		stabilityV2Error(c, http.StatusNotFound, "not_found", "the requested resource does not exist")
	})
	s.handle(v1, "/stability/", OnReads, func(c *call) {
		stabilityV1Error(c, http.StatusNotFound, "not_found", "the requested resource does not exist")
	})
}

// stabilityBodyLimit is the vendor's limit of a request body.
const stabilityBodyLimit = 10 << 20

func stabilityHeaders(c *call) { c.w.Header().Set("X-Request-Id", strings.ReplaceAll(c.id, "-", "")) }

func stabilityV2Error(c *call, status int, name string, messages ...string) {
	stabilityHeaders(c)
	c.json(status, object{"id": c.id, "name": name, "errors": messages})
}

func refuseStabilityV2(c *call, why reason) {
	switch why {
	case tooMany: // the vendor documents no Retry-After
		stabilityV2Error(c, http.StatusTooManyRequests, "rate_limit_exceeded",
			"You have exceeded the rate limit of 150 requests within a 10 second period, and have been timed out for 60 seconds.")
	case noCredit:
		stabilityV2Error(c, http.StatusPaymentRequired, "payment_required",
			"You lack sufficient credits to make this request. Please purchase more credits and try again.")
	case badKey:
		stabilityV2Error(c, http.StatusUnauthorized, "unauthorized", "authorization: missing or invalid API key")
	case badPrompt:
		stabilityV2Error(c, http.StatusForbidden, "content_moderation",
			"Your request was flagged by our content moderation system, as a result your request was denied and you were not charged.")
	case overloaded:
		stabilityV2Error(c, http.StatusServiceUnavailable, "service_unavailable", "The service is temporarily overloaded.")
	case broken:
		stabilityV2Error(c, http.StatusInternalServerError, "internal_error",
			"An unexpected server error has occurred, please try again later.")
	}
}

func stabilityV2Problems(c *call, bad []problem) {
	messages := make([]string, 0, len(bad))
	for _, p := range bad {
		messages = append(messages, p.field+": "+p.reason)
	}
	stabilityV2Error(c, http.StatusBadRequest, "bad_request", messages...)
}

func stabilityStyles() []string {
	return []string{
		"3d-model", "analog-film", "anime", "cinematic", "comic-book", "digital-art", "enhance", "fantasy-art", "isometric",
		"line-art", "low-poly", "modeling-compound", "neon-punk", "origami", "photographic", "pixel-art", "tile-texture",
	}
}

// stabilityRules are the fields that one v2beta service takes.
func stabilityRules(service string) []rule {
	rules := []rule{
		must("prompt", text(1, 10000)), may("negative_prompt", text(0, 10000)),
		may("aspect_ratio", oneOf("16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21")),
		may("seed", whole(0, 4294967294)), may("output_format", oneOf("png", "jpeg", "webp")),
		may("style_preset", oneOf(stabilityStyles()...)),
	}
	if service != "core" {
		rules = append(rules, may("strength", real(0, 1)))
	}
	if service == "sd3" {
		rules = append(
			rules, may("mode", oneOf("text-to-image", "image-to-image")),
			may("model", oneOf("sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash")),
			may("cfg_scale", real(1, 10)),
		)
	}
	return rules
}

func stabilityGenerate(c *call) {
	service := c.r.PathValue("service")
	if service != "core" && service != "ultra" && service != "sd3" {
		stabilityV2Error(c, http.StatusNotFound, "not_found", "the requested resource does not exist")
		return
	}
	if len(c.body) > stabilityBodyLimit {
		c.vendor.tooLarge(c)
		return
	}
	accept := c.r.Header.Get("Accept")
	asJSON := accept == "application/json"
	if !asJSON && accept != "" && accept != "*/*" && accept != "image/*" {
		stabilityV2Error(c, http.StatusBadRequest, "bad_request", "accept: must be one of 'image/*' or 'application/json'")
		return
	}
	in, files, err := c.readForm()
	if err != nil {
		stabilityV2Error(c, http.StatusBadRequest, "bad_request", "content-type: must be multipart/form-data")
		return
	}
	bad := append(inspect(in, true, stabilityRules(service)...), stabilityImageProblems(service, in, files)...)
	if len(bad) > 0 {
		stabilityV2Problems(c, bad)
		return
	}
	stabilityPaint(c, in, service, asJSON)
}

// stabilityImageProblems checks the image of an image-to-image call.
func stabilityImageProblems(service string, in inputs, files []upload) []problem {
	var bad []problem
	given := false
	for _, file := range files {
		switch {
		case file.field == "image" && service != "core" && isPicture(file.data):
			given = true
		case file.field == "image" && service != "core":
			bad = append(bad, problem{"image", problemType, "must be a valid jpeg, png or webp"})
		default:
			bad = append(bad, problem{file.field, problemUnknown, "is not allowed"})
		}
	}
	if given && in["strength"] == nil {
		bad = append(bad, problem{"strength", problemMissing, "is required when an image is given"})
	}
	if in.str("mode", "") == "image-to-image" && !given {
		bad = append(bad, problem{"image", problemMissing, "is required in image-to-image mode"})
	}
	if given && in["aspect_ratio"] != nil && service == "sd3" {
		bad = append(bad, problem{"aspect_ratio", problemUnknown, "is not allowed in image-to-image mode"})
	}
	return bad
}

func stabilityPaint(c *call, in inputs, service string, asJSON bool) {
	prompt := in.str("prompt", "")
	if refusable(prompt) {
		c.vendor.refuse(c, badPrompt)
		return
	}
	model := service
	if service == "sd3" {
		model = in.str("model", "sd3.5-large")
	}
	c.accept(c.id, model, prompt, "")
	if !c.labor(effortImage) {
		return
	}
	area := 1 << 20
	if service == "core" {
		area = 3 << 19
	}
	width, height := ratioSize(in.str("aspect_ratio", "1:1"), area, 64)
	w := work{Prompt: prompt, Seed: in.integer("seed", 0), Width: width, Height: height, Format: in.str("output_format", "png")}
	if w.Seed == 0 {
		w.Seed = seedOf(prompt)
	}
	// A word of violence passes the input filter and is caught on the way out:
	// a success whose picture is blurred.
	reason := "SUCCESS"
	if strings.Contains(strings.ToLower(prompt), "gore") {
		reason, w.Blurred = "CONTENT_FILTERED", true
	}
	file, err := c.srv.studio.render(w)
	if err != nil {
		c.vendor.refuse(c, broken)
		return
	}
	stabilityHeaders(c)
	if asJSON {
		c.w.Header().Set("Content-Type", "application/json; type="+w.contentType())
		c.json(http.StatusOK, object{
			"image": base64.StdEncoding.EncodeToString(file), "seed": w.Seed, "finish_reason": reason,
		})
		return
	}
	c.w.Header().Set("Content-Type", w.contentType())
	c.w.Header().Set("Finish-Reason", reason)
	c.w.Header().Set("Seed", strconv.FormatInt(w.Seed, 10))
	_, _ = c.w.Write(file)
}

// ratioSize is the width and height of about area pixels with the ratio "w:h",
// both multiples of step.
func ratioSize(ratio string, area, step int) (width, height int) {
	var w, h float64
	if _, err := fmt.Sscanf(ratio, "%f:%f", &w, &h); err != nil || w <= 0 || h <= 0 {
		w, h = 1, 1
	}
	unit := math.Sqrt(float64(area) / (w * h))
	snap := func(side float64) int { return max(step, int(side/float64(step)+0.5)*step) }
	return snap(w * unit), snap(h * unit)
}

// pixelPair reads "1280:720" as a width and a height.
func pixelPair(ratio string) (width, height int) {
	if _, err := fmt.Sscanf(ratio, "%d:%d", &width, &height); err != nil {
		return 1280, 720
	}
	return width, height
}
