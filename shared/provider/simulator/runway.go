package simulator

import (
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// runwayVersion is the only value of X-Runway-Version that the vendor accepts.
const runwayVersion = "2024-11-06"

// routeRunway mounts the paths below https://api.dev.runwayml.com.
func (s *Server) routeRunway() {
	v := vendor{
		name: Runway, key: bearer, refuse: refuseRunway, jobs: true,
		tooLarge: func(c *call) { runwayError(c, http.StatusRequestEntityTooLarge, "Request body too large.") },
	}
	for _, task := range []string{"text_to_video", "image_to_video", "text_to_image"} {
		s.handle(v, "POST /runway/v1/"+task, OnSubmits, runwayVersioned(func(c *call) { runwayCreate(c, task) }))
	}
	s.handle(v, "GET /runway/v1/tasks/{id}", OnReads, runwayVersioned(runwayGet))
	s.handle(v, "DELETE /runway/v1/tasks/{id}", OnReads, runwayVersioned(runwayDelete))
	s.handle(v, "GET /runway/v1/organization", OnReads, runwayVersioned(runwayOrganization))
	s.handle(v, "/runway/", OnReads, func(c *call) { runwayError(c, http.StatusNotFound, "Not found") })
}

func runwayError(c *call, status int, message string) { c.json(status, object{"error": message}) }

func refuseRunway(c *call, why reason) {
	switch why {
	case tooMany: // the daily limit; the vendor documents no Retry-After
		runwayError(c, http.StatusTooManyRequests, "You have reached the daily generation limit for this model.")
	case noCredit:
		runwayError(c, http.StatusBadRequest, "You do not have enough credits to run this task.")
	case badKey:
		runwayError(c, http.StatusUnauthorized, "Incorrect or missing API key.")
	case overloaded:
		runwayError(c, http.StatusServiceUnavailable, "The service is temporarily unavailable. Please retry with backoff.")
	case badPrompt, broken:
		runwayError(c, http.StatusInternalServerError, "Internal server error")
	}
}

// runwayVersioned refuses calls without the mandatory version header.
func runwayVersioned(h func(*call)) func(*call) {
	return func(c *call) {
		if c.r.Header.Get("X-Runway-Version") != runwayVersion {
			c.json(http.StatusBadRequest, object{
				"error":  "The X-Runway-Version header is missing or invalid. Set it to " + runwayVersion + ".",
				"docUrl": "https://docs.dev.runwayml.com/api/",
			})
			return
		}
		h(c)
	}
}

// runwayModel is what one model accepts on one path.
type runwayModel struct {
	rules   []rule
	strict  bool
	effort  effort
	credits float64 // each second of a video, or each image
	seconds float64 // the length when none is asked for
}

func runwayVideoRatios() func(any) *problem {
	return oneOf("1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672")
}

func runwayImageRatios() func(any) *problem {
	return oneOf("1024:1024", "1080:1080", "1168:880", "1360:768", "1440:1080", "1080:1440", "1808:768", "1920:1080",
		"1080:1920", "2112:912", "1280:720", "720:1280", "720:720", "960:720", "720:960", "1680:720")
}

// runwayURI checks the address of an input picture.
func runwayURI(v any) *problem {
	s, _ := v.(string)
	switch {
	case strings.HasPrefix(s, "data:image/") && len(s) <= 5242880,
		strings.HasPrefix(s, "runway://") && len(s) <= 5000,
		callable(s) && len(s) <= 2048:
		return nil
	}
	return &problem{kind: "invalid_format", reason: "must be an HTTPS URL, a runway:// URI or a data URI of an image"}
}

func runwayPromptImage(v any) *problem {
	if _, ok := v.(string); ok {
		return runwayURI(v)
	}
	return list(1, 1, func(v any) *problem {
		item, _ := v.(map[string]any)
		if bad := inspect(item, false, must("uri", runwayURI), must("position", oneOf("first"))); len(bad) > 0 {
			return &problem{kind: bad[0].kind, reason: bad[0].field + " " + bad[0].reason}
		}
		return nil
	})(v)
}

func runwayReference(v any) *problem {
	item, _ := v.(map[string]any)
	if bad := inspect(item, false, must("uri", runwayURI), may("tag", text(3, 16))); len(bad) > 0 {
		return &problem{kind: bad[0].kind, reason: bad[0].field + " " + bad[0].reason}
	}
	return nil
}

func runwayModeration(v any) *problem {
	item, _ := v.(map[string]any)
	if bad := inspect(item, true, may("publicFigureThreshold", oneOf("auto", "low"))); len(bad) > 0 {
		return &problem{kind: bad[0].kind, reason: bad[0].field + " " + bad[0].reason}
	}
	return nil
}

// runwayModels returns what the model accepts for the task.
func runwayModels(task, model string) (runwayModel, bool) {
	prompt, seed := must("promptText", text(1, 1000)), may("seed", whole(0, 4294967295))
	name, moderation := must("model", anything), may("contentModeration", runwayModeration)
	image := must("promptImage", runwayPromptImage)
	veo := []rule{
		name, must("ratio", oneOf("1280:720", "720:1280", "1080:1920", "1920:1080")), may("audio", boolean),
		may("negativePrompt", text(1, 1000)), may("duration", func(v any) *problem {
			if f, ok := number(v); ok && (f == 4 || f == 6 || f == 8) {
				return nil
			}
			return &problem{kind: problemEnum, reason: "must be 4, 6 or 8"}
		}),
	}
	m := runwayModel{effort: effortVideo, seconds: 5}
	switch task + " " + model {
	case "text_to_video gen4.5":
		m.credits = 12
		m.rules = []rule{name, prompt, must("ratio", oneOf("1280:720", "720:1280")), must("duration", whole(2, 10)), seed, moderation, may("outputFormat", oneOf("mp4", "prores", "png_sequence"))}
	case "image_to_video gen4.5":
		m.credits = 12
		m.rules = []rule{name, prompt, image, must("ratio", runwayVideoRatios()), must("duration", whole(2, 10)), seed, moderation, may("outputFormat", oneOf("mp4", "prores", "png_sequence"))}
	case "image_to_video gen4_turbo":
		m.credits = 5
		m.rules = []rule{name, may("promptText", text(1, 1000)), image, must("ratio", runwayVideoRatios()), may("duration", whole(2, 10)), seed, moderation}
	case "text_to_video veo3.1", "text_to_video veo3.1_fast":
		m.credits, m.seconds, m.strict = 40, 8, true
		m.rules = append(veo, prompt)
	case "image_to_video veo3.1", "image_to_video veo3.1_fast":
		m.credits, m.seconds, m.strict = 40, 8, true
		m.rules = append(veo, image, may("promptText", text(1, 1000)))
	case "text_to_image gen4_image":
		m.credits, m.effort = 5, effortImage
		m.rules = []rule{name, prompt, must("ratio", runwayImageRatios()), seed, moderation, may("referenceImages", list(0, 3, runwayReference))}
	case "text_to_image gen4_image_turbo":
		m.credits, m.effort = 2, effortImage
		m.rules = []rule{name, prompt, must("ratio", runwayImageRatios()), seed, moderation, must("referenceImages", list(1, 3, runwayReference))}
	default:
		return runwayModel{}, false
	}
	return m, true
}

// runwayInvalid answers a request that does not fit its schema.
func runwayInvalid(c *call, bad []problem) {
	issues := make([]object, 0, len(bad))
	for _, p := range bad {
		issues = append(issues, object{"code": p.kind, "path": []string{p.field}, "message": p.field + " " + p.reason})
	}
	c.json(http.StatusBadRequest, object{
		"error": "Validation of body failed", "issues": issues, "docUrl": "https://docs.dev.runwayml.com/api/",
	})
}

func runwayCreate(c *call, task string) {
	in, err := decodeObject(c.body)
	if err != nil || !c.wantsJSON() {
		runwayError(c, http.StatusBadRequest, "The request body is not valid JSON.")
		return
	}
	model, known := runwayModels(task, in.str("model", ""))
	if !known {
		runwayInvalid(c, []problem{{"model", "invalid_union", "is not a model of this endpoint"}})
		return
	}
	if bad := inspect(in, model.strict, model.rules...); len(bad) > 0 {
		runwayInvalid(c, bad)
		return
	}
	width, height := pixelPair(in.str("ratio", ""))
	prompt := in.str("promptText", "an animated picture")
	w := work{Prompt: prompt, Seed: in.integer("seed", seedOf(prompt)), Width: width, Height: height, Format: "png"}
	cost := model.credits
	if model.effort == effortVideo {
		w.Format, w.Seconds = "mp4", in.float("duration", model.seconds)
		cost *= w.Seconds
	}
	// Runway keeps no copy of the picture that a data URI holds either.
	j := job{ID: uuid.NewString(), API: task, Model: in.str("model", ""), Prompt: prompt, Works: []work{w}, Cost: cost, Lifetime: 24 * 3600}
	c.plan(&j, model.effort)
	c.srv.jobs.put(&j)
	c.accept(j.ID, j.Model, j.Prompt, "")
	c.json(http.StatusOK, object{"id": j.ID, "estimatedCost": object{"credits": cost}})
}

func runwayGet(c *call) {
	j, ok := c.srv.jobs.get(Runway, c.r.PathValue("id"))
	if !ok {
		runwayError(c, http.StatusNotFound, "Task not found, or it was deleted or canceled.")
		return
	}
	now := c.srv.opts.Now()
	task := object{"id": j.ID, "createdAt": j.Created.Format("2006-01-02T15:04:05.000Z")}
	cost := object{"credits": j.Cost}
	switch j.at(now) {
	case phaseQueued:
		task["status"], task["estimatedCost"] = "PENDING", cost
	case phaseRunning:
		task["status"], task["estimatedCost"], task["progress"] = "RUNNING", cost, j.progress(now)
	case phaseSucceeded:
		task["status"], task["cost"], task["output"] = "SUCCEEDED", cost, fileURLs(j)
	case phaseFailed:
		task["status"], task["cost"] = "FAILED", object{"credits": 0}
		task["failure"], task["failureCode"] = "An unexpected error occurred.", "INTERNAL.BAD_OUTPUT.CODE01"
		if j.End == endModerated { // which Runway charges
			task["cost"], task["failure"] = cost, "The prompt was flagged by our content moderation."
			task["failureCode"] = "SAFETY.INPUT.TEXT"
		}
	case phaseCanceled, phaseAborted:
		task["status"], task["cost"] = "CANCELLED", object{"credits": 0}
	}
	c.json(http.StatusOK, task)
}

// runwayDelete cancels an active task and removes a finished one; either way
// the task is gone afterwards.
func runwayDelete(c *call) {
	id := c.r.PathValue("id")
	if _, ok := c.srv.jobs.get(Runway, id); !ok {
		runwayError(c, http.StatusNotFound, "Task not found, or it was deleted or canceled.")
		return
	}
	c.srv.jobs.cancel(id, c.srv.opts.Now())
	c.srv.jobs.change(id, func(j *job) { j.Deleted = true })
	c.w.WriteHeader(http.StatusNoContent)
}

func runwayOrganization(c *call) {
	limits, usage := object{}, object{}
	for _, name := range []string{"gen4.5", "gen4_turbo", "gen4_image", "gen4_image_turbo", "veo3.1", "veo3.1_fast"} {
		limits[name] = object{"maxConcurrentGenerations": 5, "maxDailyGenerations": 1000}
		usage[name] = object{"dailyGenerations": 0}
	}
	c.json(http.StatusOK, object{
		"tier": object{"maxMonthlyCreditSpend": 100000, "models": limits}, "creditBalance": 25000, "usage": object{"models": usage},
	})
}
