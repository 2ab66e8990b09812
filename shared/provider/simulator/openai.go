package simulator

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// routeOpenAI mounts the paths below https://api.openai.com/v1.
func (s *Server) routeOpenAI() {
	v := vendor{
		name: OpenAI, key: bearer, refuse: refuseOpenAI,
		tooLarge: func(c *call) {
			openAIError(c, http.StatusRequestEntityTooLarge, "invalid_request_error", "", "", "Maximum content size limit exceeded.")
		},
	}
	s.handle(v, "POST /openai/v1/images/generations", OnSubmits, openAIGenerate)
	s.handle(v, "POST /openai/v1/images/edits", OnSubmits, openAIEdit)
	chat := v
	chat.jobs = true // refuses with a finish reason, not with an error
	s.handle(chat, "POST /openai/v1/chat/completions", OnSubmits, openAIChat)
	s.handle(v, "POST /openai/v1/moderations", OnReads, openAIModerate)
	s.handle(v, "GET /openai/v1/models", OnReads, openAIModels)
	s.handle(v, "GET /openai/v1/models/{model}", OnReads, openAIModel)
	s.handle(v, "/openai/", OnReads, func(c *call) {
		openAIError(c, http.StatusNotFound, "invalid_request_error", "", "",
			fmt.Sprintf("Invalid URL (%s %s)", c.r.Method, strings.TrimPrefix(c.r.URL.Path, "/openai")))
	})
}

// openAIHeaders adds what every answer of OpenAI carries.
func openAIHeaders(c *call) {
	h := c.w.Header()
	h.Set("X-Request-Id", "req_"+strings.ReplaceAll(c.id, "-", ""))
	h.Set("Openai-Version", "2020-10-01")
	h.Set("Openai-Organization", "simulated")
	h.Set("Openai-Processing-Ms", "42")
	h.Set("X-Ratelimit-Limit-Requests", "500")
	h.Set("X-Ratelimit-Remaining-Requests", "499")
	h.Set("X-Ratelimit-Reset-Requests", "120ms")
}

// openAIError answers in OpenAI's error form; "" becomes null.
func openAIError(c *call, status int, kind, code, param, message string) {
	openAIHeaders(c)
	c.json(status, object{"error": object{
		"message": message, "type": kind, "param": orNull(param), "code": orNull(code),
	}})
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func refuseOpenAI(c *call, why reason) {
	switch why {
	case tooMany:
		wait := c.fault.delay(5 * time.Second)
		c.w.Header().Set("Retry-After", seconds(wait))
		c.w.Header().Set("Retry-After-Ms", strconv.FormatInt(wait.Milliseconds(), 10))
		openAIError(c, http.StatusTooManyRequests, "requests", "rate_limit_exceeded", "",
			fmt.Sprintf("Rate limit reached for images per minute in organization org-simulated: Limit 5, Used 5. Please try again in %ss.", seconds(wait)))
	case noCredit:
		openAIError(c, http.StatusTooManyRequests, "insufficient_quota", "insufficient_quota", "",
			"You exceeded your current quota, please check your plan and billing details.")
	case badKey:
		openAIError(c, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "", "Incorrect API key provided.")
	case badPrompt:
		openAIError(c, http.StatusBadRequest, "image_generation_user_error", "moderation_blocked", "",
			"Your request was rejected by the safety system. safety_violations=[sexual].")
	case overloaded:
		openAIError(c, http.StatusServiceUnavailable, "server_error", "overloaded", "",
			"The engine is currently overloaded, please try again later.")
	case broken:
		openAIError(c, http.StatusInternalServerError, "server_error", "", "",
			"The server had an error while processing your request. Sorry about that!")
	}
}

// seconds is a wait in whole seconds, rounded up, at least 1.
func seconds(wait time.Duration) string {
	return strconv.FormatInt(max(1, int64((wait+time.Second-1)/time.Second)), 10)
}

// openAIProblem answers the first problem of a request.
func openAIProblem(c *call, p problem) {
	code, message := "invalid_value", fmt.Sprintf("Invalid value for '%s': %s.", p.field, p.reason)
	switch p.kind {
	case problemMissing:
		code, message = "missing_required_parameter", fmt.Sprintf("Missing required parameter: '%s'.", p.field)
	case problemUnknown:
		code, message = "unknown_parameter", fmt.Sprintf("Unknown parameter: '%s'.", p.field)
	case problemType:
		code, message = "invalid_type", fmt.Sprintf("Invalid type for '%s': %s.", p.field, p.reason)
	default:
	}
	openAIError(c, http.StatusBadRequest, "invalid_request_error", code, p.field, message)
}

// openAIImageRules are the members shared by generations and edits.
func openAIImageRules() []rule {
	return []rule{
		must("prompt", text(1, 32000)), must("model", text(1, 200)),
		may("n", whole(1, 10)), may("size", text(1, 20)),
		may("quality", oneOf("auto", "low", "medium", "high", "xhigh", "max")),
		may("output_format", oneOf("png", "jpeg", "webp")), may("output_compression", whole(0, 100)),
		may("background", oneOf("auto", "opaque", "transparent")),
		may("complexity", oneOf("low", "medium", "high")),
		may("stream", either(boolean, oneOf("true", "false"))), may("partial_images", whole(0, 3)),
		may("safety_identifier", text(0, 512)), may("user", text(0, 512)),
	}
}

func openAIGenerate(c *call) {
	in, err := decodeObject(c.body)
	if err != nil || !c.wantsJSON() {
		openAIError(c, http.StatusBadRequest, "invalid_request_error", "", "", "We could not parse the JSON body of your request.")
		return
	}
	rules := append(openAIImageRules(), may("moderation", oneOf("auto", "low")))
	if bad := inspect(in, true, rules...); len(bad) > 0 {
		openAIProblem(c, bad[0])
		return
	}
	openAIPaint(c, in, 0)
}

// openAIPaint makes the pictures and answers; sources counts the given images.
func openAIPaint(c *call, in inputs, sources int) {
	model := in.str("model", "")
	if !openAIHasModel(model) || !strings.Contains(model, "image") {
		openAIError(c, http.StatusNotFound, "invalid_request_error", "model_not_found", "model",
			fmt.Sprintf("The model '%s' does not exist or you do not have access to it.", model))
		return
	}
	width, height, p := openAISize(in.str("size", "auto"))
	if p != nil {
		openAIProblem(c, *p)
		return
	}
	if in.str("background", "auto") == "transparent" && in.str("output_format", "png") == "jpeg" {
		openAIError(c, http.StatusBadRequest, "invalid_request_error", "invalid_value", "background",
			"Transparent background is not supported for the jpeg output format.")
		return
	}
	prompt := in.str("prompt", "")
	if refusable(prompt) {
		c.vendor.refuse(c, badPrompt)
		return
	}
	c.accept("img_"+c.id, model, prompt, "")
	if !c.labor(effortImage) {
		return
	}
	data := []object{}
	format := in.str("output_format", "png")
	for i := range in.integer("n", 1) {
		file, err := c.srv.studio.render(work{
			Prompt: prompt, Seed: seedOf(prompt) + i + int64(sources)*7919, Width: width, Height: height,
			Format: format, Quality: int(in.integer("output_compression", 100)),
		})
		if err != nil {
			c.vendor.refuse(c, broken)
			return
		}
		data = append(data, object{"b64_json": base64.StdEncoding.EncodeToString(file)})
	}
	openAIHeaders(c)
	usage := openAIImageUsage(in, width, height, len(data), sources)
	if in.boolean("stream", false) || in.str("stream", "") == "true" {
		openAIImageStream(c, in, data, usage, sources > 0)
		return
	}
	c.json(http.StatusOK, object{
		"created": c.srv.opts.Now().Unix(), "data": data, "background": "opaque", "output_format": format,
		"quality": openAIQuality(in), "size": fmt.Sprintf("%dx%d", width, height),
		"usage": usage,
	})
}

// openAIImageStream answers with one event for each finished picture. Partial
// pictures are never sent: the vendor promises none.
func openAIImageStream(c *call, in inputs, data []object, usage object, edit bool) {
	kind := "image_generation.completed"
	if edit {
		kind = "image_edit.completed"
	}
	stream := newEventStream(c)
	for _, picture := range data {
		stream.named(kind, object{
			"type": kind, "b64_json": picture["b64_json"], "created_at": c.srv.opts.Now().Unix(), "size": in.str("size", "auto"),
			"quality": openAIQuality(in), "background": "opaque", "output_format": in.str("output_format", "png"), "usage": usage,
		})
	}
}

// openAISize reads a size and checks it against the free-size limits.
func openAISize(size string) (width, height int, p *problem) {
	if size == "auto" {
		return 1024, 1024, nil
	}
	w, h, found := strings.Cut(size, "x")
	width, errW := strconv.Atoi(w)
	height, errH := strconv.Atoi(h)
	bad := &problem{"size", problemEnum, fmt.Sprintf("'%s' is not supported; sides must be divisible by 16, "+
		"at most 3840, within a ratio of 3:1, and 655360 to 8294400 pixels in all", size)}
	pixels := width * height
	switch {
	case !found || errW != nil || errH != nil || width <= 0 || height <= 0,
		width%16 != 0 || height%16 != 0 || max(width, height) > 3840,
		max(width, height) > 3*min(width, height),
		pixels < 655360 || pixels > 8294400:
		return 0, 0, bad
	}
	return width, height, nil
}

// openAIQuality is the quality used, which "auto" leaves to the vendor.
func openAIQuality(in inputs) string {
	if q := in.str("quality", "auto"); q != "auto" {
		return q
	}
	return "medium"
}

// openAIImageUsage counts tokens as the published price table implies: a
// square megapixel costs about 200, 1760 or 7040 output tokens by quality.
func openAIImageUsage(in inputs, width, height, n, sources int) object {
	perMegapixel := map[string]int{"low": 200, "medium": 1760, "high": 7040, "xhigh": 9000, "max": 12000}
	output := n * perMegapixel[openAIQuality(in)] * width * height / (1024 * 1024)
	words := tokens(in.str("prompt", ""))
	images := sources * 800
	return object{
		"input_tokens": words + images, "output_tokens": output, "total_tokens": words + images + output,
		"input_tokens_details":  object{"text_tokens": words, "image_tokens": images},
		"output_tokens_details": object{"text_tokens": 0, "image_tokens": output},
	}
}

// tokens is a rough token count: a token for four bytes of text, at least one.
func tokens(s string) int { return max(1, (len(s)+3)/4) }

// openAIModelNames are the models that answer.
func openAIModelNames() []string {
	return []string{
		"gpt-image-2", "gpt-image-2-2026-04-21", "gpt-image-2.5-flare", "gpt-image-2.5-sunburst",
		"gpt-image-2.6-flare", "gpt-image-2.6-sunburst", "gpt-image-1.5", "gpt-image-1-mini",
		"gpt-6-luna", "gpt-6-sol", "gpt-6-astra", "gpt-6.1-sol", "gpt-6.1-terra", "gpt-5.4", "gpt-5.4-mini",
		"gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "omni-moderation-latest",
	}
}

// openAIShutdown is the announced end of a model, or nil.
func openAIShutdown(model string) any {
	switch model {
	case "gpt-image-1.5", "gpt-image-1-mini":
		return "2026-12-01"
	case "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini":
		return "2027-01-14"
	default:
		return nil
	}
}

func openAIHasModel(model string) bool {
	return slices.Contains(openAIModelNames(), model)
}

func openAIModelObject(name string) object {
	return object{"id": name, "object": "model", "created": 1767225600, "owned_by": "system", "shutdown_date": openAIShutdown(name)}
}

func openAIModels(c *call) {
	names := openAIModelNames()
	data := make([]object, 0, len(names))
	for _, name := range names {
		data = append(data, openAIModelObject(name))
	}
	openAIHeaders(c)
	c.json(http.StatusOK, object{"object": "list", "data": data})
}

func openAIModel(c *call) {
	name := c.r.PathValue("model")
	if !openAIHasModel(name) {
		openAIError(c, http.StatusNotFound, "invalid_request_error", "model_not_found", "model",
			fmt.Sprintf("The model '%s' does not exist", name))
		return
	}
	openAIHeaders(c)
	c.json(http.StatusOK, openAIModelObject(name))
}
