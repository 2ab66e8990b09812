package simulator

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// routeCustom mounts three APIs that the gateway knows only by description:
// one like Luma's, one like Kling's and one like Black Forest Labs'.
func (s *Server) routeCustom() {
	s.routeLuma()
	s.routeKling()
	s.routeBFL()
}

// customJob makes, keeps and counts a job of one of the custom APIs.
func customJob(c *call, api, model, webhook string, w work) job {
	size := effortImage
	if w.Format == "mp4" {
		size = effortVideo
	}
	j := job{
		ID: uuid.NewString(), API: api, Model: model, Prompt: w.Prompt, Works: []work{w}, Lifetime: 3600,
		Webhook: webhook, Events: []string{"completed"},
	}
	c.plan(&j, size)
	c.srv.jobs.put(&j)
	c.accept(j.ID, model, j.Prompt, webhook)
	return j
}

func (s *Server) routeLuma() {
	v := vendor{
		name: Custom, key: bearer, refuse: refuseLuma, jobs: true,
		tooLarge: func(c *call) { lumaError(c, http.StatusRequestEntityTooLarge, "request body too large") },
	}
	s.handle(v, "POST /custom/luma/v1/generations", OnSubmits, lumaCreate)
	s.handle(v, "GET /custom/luma/v1/generations/{id}", OnReads, lumaGet)
	s.handle(v, "/custom/luma/", OnReads, func(c *call) { lumaError(c, http.StatusNotFound, "not found") })
}

func lumaError(c *call, status int, detail string) {
	c.w.Header().Set("X-Request-Id", c.id)
	c.json(status, object{"detail": detail})
}

func refuseLuma(c *call, why reason) {
	switch why {
	case tooMany:
		c.w.Header().Set("Retry-After", seconds(c.fault.delay(5*time.Second)))
		c.w.Header().Set("X-Ratelimit-Remaining", "0")
		lumaError(c, http.StatusTooManyRequests, "rate limit exceeded")
	case noCredit:
		lumaError(c, http.StatusPaymentRequired, "insufficient credits")
	case badKey:
		lumaError(c, http.StatusUnauthorized, "invalid api key")
	case overloaded:
		lumaError(c, http.StatusServiceUnavailable, "service unavailable")
	case badPrompt, broken:
		lumaError(c, http.StatusInternalServerError, "internal server error")
	}
}

func lumaCreate(c *call) {
	in, err := decodeObject(c.body)
	if err != nil {
		lumaError(c, http.StatusBadRequest, "body is not a JSON object")
		return
	}
	bad := inspect(in, true, must("model", oneOf("ray-3.2", "uni-1")), must("type", oneOf("video", "image", "video_edit", "video_reframe")),
		must("prompt", text(1, 5000)), may("aspect_ratio", oneOf("16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "9:21")),
		may("duration", oneOf("5s", "9s", "10s")), may("resolution", oneOf("540p", "720p", "1080p")), may("loop", boolean), may("keyframes", anything))
	if len(bad) > 0 {
		lumaError(c, http.StatusUnprocessableEntity, bad[0].field+" "+bad[0].reason)
		return
	}
	area := map[string]int{"540p": 960 * 540, "720p": 1280 * 720, "1080p": 1920 * 1080}[in.str("resolution", "720p")]
	width, height := ratioSize(in.str("aspect_ratio", "16:9"), area, 16)
	prompt := in.str("prompt", "")
	w := work{Prompt: prompt, Seed: seedOf(prompt), Width: width, Height: height, Format: "png"}
	if in.str("type", "") != "image" {
		length, _ := time.ParseDuration(in.str("duration", "5s"))
		w.Format, w.Seconds = "mp4", length.Seconds()
	}
	j := customJob(c, "luma", in.str("model", ""), "", w)
	c.json(http.StatusCreated, object{"id": j.ID, "status": "queued", "created_at": j.Created, "model": j.Model, "type": in.str("type", "")})
}

func lumaGet(c *call) {
	j, ok := c.srv.jobs.get(Custom, c.r.PathValue("id"))
	if !ok || j.API != "luma" {
		lumaError(c, http.StatusNotFound, "generation not found")
		return
	}
	g := object{"id": j.ID, "created_at": j.Created, "model": j.Model, "output": []object{}, "failure_code": nil, "failure_reason": nil}
	switch j.at(c.srv.opts.Now()) {
	case phaseQueued:
		g["status"] = "queued"
	case phaseRunning:
		g["status"] = "processing"
	case phaseSucceeded:
		g["status"] = "completed"
		g["output"] = []object{{"type": j.Works[0].contentType(), "url": fileURLs(j)[0]}}
	case phaseFailed, phaseCanceled, phaseAborted:
		g["status"], g["failure_code"], g["failure_reason"] = "failed", "internal_error", "generation failed"
		if j.End == endModerated {
			g["failure_code"], g["failure_reason"] = "content_moderated", "the prompt was rejected by moderation"
		}
	}
	c.json(http.StatusOK, g)
}

func (s *Server) routeKling() {
	v := vendor{
		name: Custom, key: bearer, refuse: refuseKling, jobs: true,
		tooLarge: func(c *call) { klingAnswer(c, 1201, "request body too large", nil) },
	}
	for _, api := range []string{"text2video", "image2video"} {
		s.handle(v, "POST /custom/kling/v1/videos/"+api, OnSubmits, func(c *call) { klingCreate(c, api) })
		s.handle(v, "GET /custom/kling/v1/videos/"+api+"/{id}", OnReads, klingGet)
	}
	s.handle(v, "/custom/kling/", OnReads, func(c *call) { klingAnswer(c, 1203, "not found", nil) })
}

// klingAnswer puts code into the envelope; the status is 200 whatever it says.
func klingAnswer(c *call, code int, message string, data any) {
	c.json(http.StatusOK, object{"code": code, "message": message, "request_id": c.id, "data": data})
}

func refuseKling(c *call, why reason) {
	switch why {
	case tooMany:
		klingAnswer(c, 1302, "API request is too fast", nil)
	case noCredit:
		klingAnswer(c, 1102, "account balance not enough", nil)
	case badKey:
		klingAnswer(c, 1002, "access key not found", nil)
	case overloaded:
		klingAnswer(c, 5001, "service temporarily unavailable", nil)
	case badPrompt, broken:
		klingAnswer(c, 5000, "server internal error", nil)
	}
}

func klingCreate(c *call, api string) {
	in, err := decodeObject(c.body)
	if err != nil {
		klingAnswer(c, 1200, "body is not a JSON object", nil)
		return
	}
	rules := []rule{
		must("model_name", oneOf("kling-v3", "kling-v3-omni", "kling-3.0-turbo")), may("negative_prompt", text(0, 2500)),
		may("duration", oneOf("3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15")), may("mode", oneOf("std", "pro")),
		may("aspect_ratio", oneOf("16:9", "9:16", "1:1")), may("sound", oneOf("on", "off")), may("cfg_scale", real(0, 1)),
		may("external_task_id", text(0, 200)), may("callback_url", func(v any) *problem {
			if address, _ := v.(string); address == "" || callable(address) {
				return nil
			}
			return &problem{kind: "format", reason: "must be an HTTPS URL"}
		}),
	}
	if api == "image2video" {
		rules = append(rules, must("image", text(1, 14<<20)), may("prompt", text(0, 2500)))
	} else {
		rules = append(rules, must("prompt", text(1, 2500)))
	}
	if bad := inspect(in, true, rules...); len(bad) > 0 {
		klingAnswer(c, 1201, bad[0].field+" "+bad[0].reason, nil)
		return
	}
	prompt := in.str("prompt", "an animated picture")
	if refusable(prompt) || c.fault.Fault == Moderated {
		klingAnswer(c, 1301, "The request content contains sensitive information", nil)
		return
	}
	width, height := ratioSize(in.str("aspect_ratio", "16:9"), 1280*720, 16)
	length, _ := time.ParseDuration(in.str("duration", "5") + "s")
	j := customJob(c, "kling", in.str("model_name", ""), in.str("callback_url", ""), work{
		Prompt: prompt, Seed: seedOf(prompt), Width: width, Height: height, Format: "mp4", Seconds: length.Seconds(),
	})
	klingAnswer(c, 0, "SUCCEED", klingTask(j, j.Created.Add(-time.Nanosecond)))
	_ = http.NewResponseController(c.w).Flush()
	c.srv.launch(j)
}

func klingGet(c *call) {
	j, ok := c.srv.jobs.get(Custom, c.r.PathValue("id"))
	if !ok || j.API != "kling" {
		klingAnswer(c, 1203, "task not found", nil)
		return
	}
	klingAnswer(c, 0, "SUCCEED", klingTask(j, c.srv.opts.Now()))
}

func klingTask(j job, now time.Time) object {
	task := object{
		"task_id": j.ID, "task_status": "submitted", "task_status_msg": "",
		"created_at": j.Created.UnixMilli(), "updated_at": now.UnixMilli(),
	}
	switch j.at(now) {
	case phaseQueued:
	case phaseRunning:
		task["task_status"] = "processing"
	case phaseSucceeded:
		task["task_status"] = "succeed"
		task["task_result"] = object{"videos": []object{{
			"id": j.ID + "-0", "url": fileURLs(j)[0], "duration": trimFloat(j.Works[0].Seconds),
		}}}
	case phaseFailed, phaseCanceled, phaseAborted:
		task["task_status"], task["task_status_msg"] = "failed", "internal error"
	}
	return task
}

// klingNotice is the unsigned callback of a finished task.
func (s *Server) klingNotice(j job) notice {
	body, _ := json.Marshal(klingTask(j, s.opts.Now())) //nolint:errchkjson // maps of plain values
	return notice{body: body, sign: func(http.Header, []byte, time.Time) {}}
}
