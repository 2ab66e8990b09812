package simulator

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// routeBFL mounts an API like https://api.bfl.ai/v1: the create call answers
// with the address to poll.
func (s *Server) routeBFL() {
	v := vendor{
		name: Custom, key: func(r *http.Request) string { return r.Header.Get("X-Key") }, refuse: refuseBFL, jobs: true,
		tooLarge: func(c *call) { bflError(c, http.StatusRequestEntityTooLarge, "request body too large") },
	}
	s.handle(v, "POST /custom/bfl/v1/{model}", OnSubmits, bflCreate)
	s.handle(v, "GET /custom/bfl/v1/get_result", OnReads, bflGet)
	s.handle(v, "/custom/bfl/", OnReads, func(c *call) { bflError(c, http.StatusNotFound, "Not Found") })
}

func bflError(c *call, status int, detail any) { c.json(status, object{"detail": detail}) }

func refuseBFL(c *call, why reason) {
	switch why {
	case tooMany:
		c.w.Header().Set("Retry-After", seconds(c.fault.delay(5*time.Second)))
		bflError(c, http.StatusTooManyRequests, "Too many active tasks")
	case noCredit:
		bflError(c, http.StatusPaymentRequired, "Insufficient credits")
	case badKey:
		bflError(c, http.StatusForbidden, "Not authenticated")
	case overloaded:
		bflError(c, http.StatusServiceUnavailable, "Service Unavailable")
	case badPrompt, broken:
		bflError(c, http.StatusInternalServerError, "Internal Server Error")
	}
}

func bflCreate(c *call) {
	model := c.r.PathValue("model")
	if !strings.HasPrefix(model, "flux-") {
		bflError(c, http.StatusNotFound, "Not Found")
		return
	}
	in, err := decodeObject(c.body)
	if err != nil {
		bflError(c, http.StatusUnprocessableEntity, []object{{"loc": []string{"body"}, "msg": "JSON decode error", "type": "json_invalid"}})
		return
	}
	bad := inspect(in, false, must("prompt", text(1, 50000)), may("width", whole(256, 2048)), may("height", whole(256, 2048)), may("seed", whole(0, 1<<53)),
		may("safety_tolerance", whole(0, 6)), may("output_format", oneOf("jpeg", "png")), may("prompt_upsampling", boolean))
	if len(bad) > 0 {
		bflError(c, http.StatusUnprocessableEntity, []object{{"loc": []string{"body", bad[0].field}, "msg": bad[0].reason, "type": bad[0].kind}})
		return
	}
	prompt := in.str("prompt", "")
	j := customJob(c, "bfl", model, "", work{
		Prompt: prompt, Seed: in.integer("seed", seedOf(prompt)), Width: int(in.integer("width", 1024)),
		Height: int(in.integer("height", 768)), Format: in.str("output_format", "jpeg"),
	})
	c.json(http.StatusOK, object{"id": j.ID, "polling_url": j.Base + "/custom/bfl/v1/get_result?id=" + j.ID})
}

func bflGet(c *call) {
	j, ok := c.srv.jobs.get(Custom, c.r.URL.Query().Get("id"))
	if !ok || j.API != "bfl" {
		c.json(http.StatusOK, object{"id": c.r.URL.Query().Get("id"), "status": "Task not found", "result": nil})
		return
	}
	now := c.srv.opts.Now()
	answer := object{"id": j.ID, "status": "Pending", "result": nil, "progress": j.progress(now)}
	switch phase := j.at(now); {
	case !phase.terminal():
	case phase == phaseSucceeded:
		answer["status"] = "Ready"
		answer["result"] = object{
			"sample": fileURLs(j)[0], "prompt": j.Prompt, "seed": j.Works[0].Seed,
			"start_time": j.Start.Unix(), "end_time": j.Finish.Unix(), "duration": j.Finish.Sub(j.Start).Seconds(),
		}
	case j.End == endModerated:
		answer["status"] = "Request Moderated"
	default:
		answer["status"] = "Error"
	}
	c.json(http.StatusOK, answer)
}

// trimFloat writes a number without trailing zeros.
func trimFloat(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
