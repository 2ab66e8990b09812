package simulator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// routeGemini mounts the paths below
// https://generativelanguage.googleapis.com/v1beta.
func (s *Server) routeGemini() {
	v := vendor{
		name: Gemini, key: geminiKey, refuse: refuseGemini, jobs: true,
		tooLarge: func(c *call) {
			geminiError(c, http.StatusBadRequest, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.")
		},
	}
	s.handle(v, "POST /gemini/v1beta/models/{call}", OnSubmits, geminiCall)
	s.handle(v, "GET /gemini/v1beta/models", OnReads, geminiModelList)
	s.handle(v, "GET /gemini/v1beta/models/{model}", OnReads, geminiModelGet)
	s.handle(v, "GET /gemini/v1beta/models/{model}/operations/{id}", OnReads, veoGet)
	s.handle(v, "GET /gemini/v1beta/files/{file}", OnFiles, veoDownload)
	s.handle(v, "/gemini/", OnReads, func(c *call) {
		geminiError(c, http.StatusNotFound, "NOT_FOUND", "Method not found.")
	})
}

func geminiKey(r *http.Request) string {
	if key := r.Header.Get("X-Goog-Api-Key"); key != "" {
		return key
	}
	return r.URL.Query().Get("key")
}

func geminiError(c *call, status int, state, message string, details ...object) {
	e := object{"code": status, "message": message, "status": state}
	if len(details) > 0 {
		e["details"] = details
	}
	c.json(status, object{"error": e})
}

func refuseGemini(c *call, why reason) {
	const types = "type.googleapis.com/google.rpc."
	switch why {
	case tooMany: // the wait is in the body: there is no Retry-After
		wait := seconds(c.fault.delay(5*time.Second)) + "s"
		geminiError(c, http.StatusTooManyRequests, "RESOURCE_EXHAUSTED",
			"You exceeded your current quota, please check your plan and billing details. Please retry in "+wait+".",
			object{"@type": types + "QuotaFailure", "violations": []object{{
				"quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
				"quotaId":     "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "quotaValue": "15",
			}}},
			object{"@type": types + "RetryInfo", "retryDelay": wait})
	case noCredit:
		geminiError(c, http.StatusBadRequest, "FAILED_PRECONDITION", "This API method requires billing to be enabled. Please enable billing on the project.")
	case badKey:
		if geminiKey(c.r) == "" {
			geminiError(c, http.StatusForbidden, "PERMISSION_DENIED",
				"Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.")
			return
		}
		geminiError(c, http.StatusBadRequest, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.",
			object{"@type": types + "ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"})
	case overloaded:
		geminiError(c, http.StatusServiceUnavailable, "UNAVAILABLE", "The model is overloaded. Please try again later.")
	case badPrompt, broken:
		geminiError(c, http.StatusInternalServerError, "INTERNAL", "An internal error has occurred. Please retry.")
	}
}

// Kinds of Gemini models.
const (
	geminiText  = "generateContent"
	geminiImage = "image"
	geminiVideo = "predictLongRunning"
)

// geminiModelNames lists the models that answer with what they make.
func geminiModelNames() [][2]string {
	return [][2]string{
		{"gemini-3.8-flash", geminiText},
		{"gemini-3.6-flash", geminiText},
		{"gemini-3.5-flash-lite", geminiText},
		{"gemini-3.1-flash-lite", geminiText},
		{"gemini-3.1-pro-preview", geminiText},
		{"gemini-4-argon", geminiText},
		{"gemini-4-carbon", geminiText},
		{"gemini-2.5-pro", geminiText},
		{"gemini-2.5-flash", geminiText},
		{"gemini-2.5-flash-lite", geminiText},
		{"gemini-nano-banana-2.1", geminiImage},
		{"gemini-3-pro-image", geminiImage},
		{"gemini-3.1-flash-lite-image", geminiImage},
		{"gemini-3.1-flash-image", geminiImage},
		{"veo-3.1-generate-preview", geminiVideo},
		{"veo-3.1-fast-generate-preview", geminiVideo},
		{"veo-3.1-lite-generate-preview", geminiVideo},
	}
}

func geminiKind(model string) string {
	for _, m := range geminiModelNames() {
		if m[0] == model {
			return m[1]
		}
	}
	return ""
}

func geminiModelObject(name, kind string) object {
	methods := []string{"generateContent", "countTokens"}
	if kind == geminiVideo {
		methods = []string{geminiVideo}
	}
	return object{
		"name": "models/" + name, "version": "001", "displayName": name, "description": "A simulated model.",
		"inputTokenLimit": 1048576, "outputTokenLimit": 65536, "supportedGenerationMethods": methods,
	}
}

func geminiModelList(c *call) {
	names := geminiModelNames()
	models := make([]object, 0, len(names))
	for _, m := range names {
		models = append(models, geminiModelObject(m[0], m[1]))
	}
	size, _ := strconv.Atoi(c.r.URL.Query().Get("pageSize"))
	if size <= 0 {
		size = 50
	}
	from, _ := strconv.Atoi(c.r.URL.Query().Get("pageToken"))
	from = max(0, min(from, len(models)))
	end := min(from+size, len(models))
	answer := object{"models": models[from:end]}
	if end < len(models) {
		answer["nextPageToken"] = strconv.Itoa(end)
	}
	c.json(http.StatusOK, answer)
}

func geminiModelGet(c *call) {
	name := c.r.PathValue("model")
	kind := geminiKind(name)
	if kind == "" {
		geminiNoModel(c, name, "")
		return
	}
	c.json(http.StatusOK, geminiModelObject(name, kind))
}

func geminiNoModel(c *call, model, method string) {
	message := "models/" + model + " is not found for API version v1beta"
	if method != "" {
		message += ", or is not supported for " + method
	}
	geminiError(c, http.StatusNotFound, "NOT_FOUND", message+". Call ListModels to see the list of available models and their supported methods.")
}

// geminiCall serves models/{model}:{method}.
func geminiCall(c *call) {
	model, method, _ := strings.Cut(c.r.PathValue("call"), ":")
	kind := geminiKind(model)
	switch {
	case method == geminiVideo && kind == geminiVideo:
		veoCreate(c, model)
	case (method == "generateContent" || method == "streamGenerateContent") && (kind == geminiText || kind == geminiImage):
		geminiGenerate(c, model, kind, method == "streamGenerateContent")
	default:
		geminiNoModel(c, model, method)
	}
}

// geminiBad answers the first problem of a body.
func geminiBad(c *call, where string, p problem) {
	path := strings.TrimPrefix(where+"."+p.field, ".")
	message := fmt.Sprintf("Invalid value at '%s': %s", path, p.reason)
	if p.kind == problemUnknown {
		message = fmt.Sprintf("Invalid JSON payload received. Unknown name %q at '%s': Cannot find field.", p.field, where)
	}
	geminiError(c, http.StatusBadRequest, "INVALID_ARGUMENT", message, object{
		"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": []object{{"field": path, "description": message}},
	})
}

func geminiConfigRules() []rule {
	return []rule{
		may("temperature", real(0, 2)), may("topP", real(0, 1)), may("topK", whole(1, 1000)), may("maxOutputTokens", whole(1, 1<<20)),
		may("candidateCount", whole(1, 8)), may("stopSequences", list(0, 5, text(1, 1000))), may("seed", whole(-1<<31, 1<<31-1)),
		may("responseMimeType", text(1, 100)), may("responseSchema", anything), may("responseJsonSchema", anything),
		may("responseModalities", list(0, 3, oneOf("TEXT", "IMAGE", "AUDIO"))), may("imageConfig", anything),
		may("thinkingConfig", anything), may("presencePenalty", real(-2, 2)), may("frequencyPenalty", real(-2, 2)), may("mediaResolution", text(1, 60)),
	}
}

// geminiBody reads and checks a generateContent body.
func geminiBody(c *call) (body, config inputs, ok bool) {
	body, err := decodeObject(c.body)
	if err != nil {
		geminiError(c, http.StatusBadRequest, "INVALID_ARGUMENT", "Invalid JSON payload received.")
		return nil, nil, false
	}
	if bad := inspect(body, true, must("contents", list(1, 10000, geminiContent)), may("systemInstruction", anything), may("safetySettings", list(0, 20, geminiSafety)),
		may("generationConfig", anything), may("tools", anything), may("toolConfig", anything), may("cachedContent", anything),
		may("serviceTier", anything), may("store", boolean), may("model", anything)); len(bad) > 0 {
		geminiBad(c, "", bad[0])
		return nil, nil, false
	}
	raw, _ := body["generationConfig"].(map[string]any)
	config = raw
	if bad := inspect(config, true, geminiConfigRules()...); len(bad) > 0 {
		geminiBad(c, "generation_config", bad[0])
		return nil, nil, false
	}
	return body, config, true
}

func geminiContent(v any) *problem {
	content, _ := v.(map[string]any)
	if bad := inspect(content, true, may("role", oneOf("user", "model")), must("parts", list(1, 1000, anything))); len(bad) > 0 {
		return &problem{kind: bad[0].kind, reason: bad[0].field + " " + bad[0].reason}
	}
	return nil
}

func geminiSafety(v any) *problem {
	setting, _ := v.(map[string]any)
	bad := inspect(setting, true,
		must("category", oneOf("HARM_CATEGORY_HARASSMENT", "HARM_CATEGORY_HATE_SPEECH", "HARM_CATEGORY_SEXUALLY_EXPLICIT",
			"HARM_CATEGORY_DANGEROUS_CONTENT", "HARM_CATEGORY_CIVIC_INTEGRITY", "HARM_CATEGORY_JAILBREAK")),
		must("threshold", oneOf("BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF")))
	if len(bad) > 0 {
		return &problem{kind: bad[0].kind, reason: bad[0].field + " " + bad[0].reason}
	}
	return nil
}

// geminiSaid is the text of a content object, and whether it holds a picture.
func geminiSaid(content any) (said string, pictures int) {
	object, _ := content.(map[string]any)
	parts, _ := object["parts"].([]any)
	var all []string
	for _, p := range parts {
		part, _ := p.(map[string]any)
		if s := inputs(part).str("text", ""); s != "" {
			all = append(all, s)
		}
		if part["inlineData"] != nil || part["fileData"] != nil {
			pictures++
		}
	}
	return strings.Join(all, " "), pictures
}
