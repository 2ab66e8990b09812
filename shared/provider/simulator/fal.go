package simulator

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// falUser is the account that fal's webhooks name.
const falUser = "simulated-user"

// routeFal mounts fal's hosts: /fal/queue is https://queue.fal.run, /fal/run is
// https://fal.run, and /fal/rest is https://rest.fal.ai.
func (s *Server) routeFal() {
	v := vendor{
		name: Fal, key: func(r *http.Request) string { return authorization(r, "Key") }, refuse: refuseFal, jobs: true,
		tooLarge: func(c *call) { falError(c, http.StatusRequestEntityTooLarge, "Request body too large") },
	}
	open := v
	open.key = func(*http.Request) string { return "none needed" }
	s.handle(open, "GET /fal/rest/.well-known/jwks.json", OnReads, falKeys)
	s.handle(v, "POST /fal/run/{endpoint...}", OnSubmits, falRun)
	s.handle(v, "POST /fal/queue/{endpoint...}", OnSubmits, falSubmit)
	s.handle(v, "GET /fal/queue/{owner}/{alias}/requests/{id}/status", OnReads, falJob(falStatus))
	s.handle(v, "GET /fal/queue/{owner}/{alias}/requests/{id}", OnReads, falJob(falResult))
	s.handle(v, "PUT /fal/queue/{owner}/{alias}/requests/{id}/cancel", OnReads, falJob(falCancel))
	s.handle(v, "/fal/", OnReads, func(c *call) { falError(c, http.StatusNotFound, "Path "+c.r.URL.Path+" not found") })
}

func falError(c *call, status int, detail any) {
	c.w.Header().Set("X-Fal-Request-Id", c.id)
	c.json(status, object{"detail": detail})
}

func refuseFal(c *call, why reason) {
	switch why {
	case tooMany:
		c.w.Header().Set("Retry-After", seconds(c.fault.delay(5*time.Second)))
		falError(c, http.StatusTooManyRequests, "Too many requests. Please slow down.")
	case noCredit:
		falError(c, http.StatusForbidden, "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.")
	case badKey:
		falError(c, http.StatusUnauthorized, "Cannot access application. Authentication is required to access this application.")
	case overloaded:
		c.w.Header().Set("X-Fal-Retryable", "true")
		falError(c, http.StatusServiceUnavailable, "Service is temporarily unavailable")
	case badPrompt, broken:
		falError(c, http.StatusInternalServerError, "Internal Server Error")
	}
}

// falEndpoint is one model of the queue.
type falEndpoint struct {
	rules  []rule
	effort effort
	works  func(in inputs) []work
}

func falEndpoints(id string) (falEndpoint, bool) {
	prompt, seed := must("prompt", text(1, 10000)), may("seed", whole(0, 1<<53))
	pika := []rule{
		seed, may("negative_prompt", text(0, 10000)), may("resolution", oneOf("480p", "720p", "1080p")),
		may("duration", whole(5, 10)), may("aspect_ratio", oneOf("16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3")),
	}
	image := must("image_url", text(1, 20<<20))
	switch id {
	case "fal-ai/pika/v2.2/text-to-video":
		return falEndpoint{append(pika, prompt), effortVideo, falClip}, true
	case "fal-ai/pika/v2.2/image-to-video":
		return falEndpoint{append(pika, prompt, image), effortVideo, falClip}, true
	case "fal-ai/pika/v2.2/pikascenes":
		return falEndpoint{append(pika, prompt, may("image_urls", list(0, 5, text(1, 20<<20)))), effortVideo, falClip}, true
	case "fal-ai/pika/v2.2/pikaframes":
		return falEndpoint{append(pika, may("prompt", text(0, 10000)), must("image_urls", list(2, 5, text(1, 20<<20)))), effortVideo, falClip}, true
	case "fal-ai/flux/schnell", "fal-ai/flux/dev", "fal-ai/flux-lora":
		return falEndpoint{[]rule{
			prompt, seed, may("num_images", whole(1, 4)), may("num_inference_steps", whole(1, 50)), may("guidance_scale", real(0, 20)),
			may("output_format", oneOf("jpeg", "png")), may("enable_safety_checker", boolean), may("sync_mode", boolean),
			may("image_size", either(oneOf("square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9"), anything)),
		}, effortImage, falPictures}, true
	default:
		return falEndpoint{}, false
	}
}

func falClip(in inputs) []work {
	area := map[string]int{"480p": 854 * 480, "720p": 1280 * 720, "1080p": 1920 * 1080}[in.str("resolution", "480p")]
	width, height := ratioSize(in.str("aspect_ratio", "16:9"), area, 16)
	prompt := in.str("prompt", "an animated picture")
	return []work{{
		Prompt: prompt, Seed: in.integer("seed", seedOf(prompt)), Width: width, Height: height, Format: "mp4", Seconds: in.float("duration", 5),
	}}
}

func falPictures(in inputs) []work {
	sizes := map[string][2]int{
		"square_hd": {1024, 1024}, "square": {512, 512}, "portrait_4_3": {768, 1024}, "portrait_16_9": {576, 1024},
		"landscape_4_3": {1024, 768}, "landscape_16_9": {1024, 576},
	}
	width, height := 1024, 768
	if size, ok := sizes[in.str("image_size", "landscape_4_3")]; ok {
		width, height = size[0], size[1]
	}
	if custom, ok := in["image_size"].(map[string]any); ok {
		w, h := inputs(custom).integer("width", 512), inputs(custom).integer("height", 512)
		width, height = int(max(64, min(w, 2048))), int(max(64, min(h, 2048)))
	}
	prompt := in.str("prompt", "")
	count := in.integer("num_images", 1)
	works := make([]work, 0, count)
	for i := range count {
		works = append(works, work{
			Prompt: prompt, Seed: in.integer("seed", seedOf(prompt)) + i, Width: width, Height: height, Format: in.str("output_format", "jpeg"),
		})
	}
	return works
}

// falAccept checks a submit and makes its job; false means it was answered.
func falAccept(c *call, webhook string) (job, bool) {
	id := c.r.PathValue("endpoint")
	endpoint, known := falEndpoints(id)
	if !known {
		falError(c, http.StatusNotFound, "Application '"+id+"' not found")
		return job{}, false
	}
	in, err := decodeObject(c.body)
	if err != nil {
		falError(c, http.StatusUnprocessableEntity, []object{{"loc": []string{"body"}, "msg": "Invalid JSON", "type": "json_invalid"}})
		return job{}, false
	}
	if bad := inspect(in, false, endpoint.rules...); len(bad) > 0 {
		detail := make([]object, 0, len(bad))
		for _, p := range bad {
			detail = append(detail, object{"loc": []string{"body", p.field}, "msg": p.reason, "type": p.kind, "input": in[p.field]})
		}
		falError(c, http.StatusUnprocessableEntity, detail)
		return job{}, false
	}
	if webhook != "" && !callable(webhook) {
		falError(c, http.StatusUnprocessableEntity, "fal_webhook must be an HTTPS URL")
		return job{}, false
	}
	works := endpoint.works(in)
	j := job{
		ID: uuid.NewString(), API: "fal", Model: id, Prompt: works[0].Prompt, Input: in, Works: works,
		Webhook: webhook, Events: []string{"completed"},
	}
	c.plan(&j, endpoint.effort)
	c.srv.jobs.put(&j)
	c.accept(j.ID, j.Model, j.Prompt, j.Webhook)
	return j, true
}

func falSubmit(c *call) {
	j, ok := falAccept(c, c.r.URL.Query().Get("fal_webhook"))
	if !ok {
		return
	}
	answer := falURLs(j)
	answer["gateway_request_id"], answer["queue_position"] = j.ID, 0
	c.w.Header().Set("X-Fal-Request-Id", j.ID)
	c.json(http.StatusOK, answer)
	_ = http.NewResponseController(c.w).Flush()
	c.srv.launch(j)
}

// falURLs are the addresses of a request; only the first two segments of the
// endpoint appear in them.
func falURLs(j job) object {
	segments := strings.SplitN(j.Model, "/", 3)
	base := j.Base + "/fal/queue/" + segments[0] + "/" + segments[1] + "/requests/" + j.ID
	return object{"request_id": j.ID, "response_url": base, "status_url": base + "/status", "cancel_url": base + "/cancel"}
}

// falRun is the synchronous host.
func falRun(c *call) {
	j, ok := falAccept(c, "")
	if !ok || !c.srv.pause(c.r.Context(), j.Finish.Sub(c.srv.opts.Now())) {
		return
	}
	falOutcome(c, j)
}

// falJob finds the request that a path names.
func falJob(h func(*call, job)) func(*call) {
	return func(c *call) {
		j, ok := c.srv.jobs.get(Fal, c.r.PathValue("id"))
		if !ok || !strings.HasPrefix(j.Model, c.r.PathValue("owner")+"/"+c.r.PathValue("alias")) {
			falError(c, http.StatusNotFound, "Request not found")
			return
		}
		h(c, j)
	}
}

func falStatus(c *call, j job) {
	now := c.srv.opts.Now()
	answer := falURLs(j)
	logs := []object{{"message": "working", "level": "INFO", "source": "USER", "timestamp": j.Start.Format(time.RFC3339Nano)}}
	status := http.StatusAccepted
	switch j.at(now) {
	case phaseQueued:
		answer["status"], answer["queue_position"] = "IN_QUEUE", 0
	case phaseRunning:
		answer["status"], answer["logs"] = "IN_PROGRESS", logs
	case phaseSucceeded, phaseFailed, phaseCanceled, phaseAborted: // there is no status for failure: COMPLETED means that an answer is stored
		status = http.StatusOK
		answer["status"], answer["logs"] = "COMPLETED", logs
		answer["metrics"] = object{"inference_time": j.ended().Sub(j.Start).Seconds()}
	}
	if c.r.URL.Query().Get("logs") != "1" {
		delete(answer, "logs")
	}
	c.json(status, answer)
}

func falResult(c *call, j job) {
	if !j.at(c.srv.opts.Now()).terminal() {
		falError(c, http.StatusBadRequest, "Request is still in progress")
		return
	}
	falOutcome(c, j)
}

// falOutcome answers with the stored result of a request that has ended.
func falOutcome(c *call, j job) {
	status, body := falStored(j)
	c.w.Header().Set("X-Fal-Request-Id", j.ID)
	c.json(status, body)
}

// falStored is the status and body that a request ended with.
func falStored(j job) (int, object) {
	switch {
	case !j.Canceled.IsZero():
		return http.StatusBadRequest, object{"detail": "Request was cancelled"}
	case j.End == endModerated:
		return http.StatusUnprocessableEntity, object{"detail": []object{{
			"loc": []string{"body", "prompt"}, "type": "content_policy_violation", "url": "https://docs.fal.ai/errors#content_policy_violation",
			"msg": "The content could not be processed because it contained material flagged by a content checker.",
		}}}
	case j.End == endFailure:
		return http.StatusInternalServerError, object{"detail": "Internal Server Error"}
	}
	urls := fileURLs(j)
	if j.Works[0].Format == "mp4" {
		return http.StatusOK, object{"video": object{
			"url": urls[0], "content_type": "video/mp4", "file_name": "output.mp4", "file_size": nil,
		}}
	}
	images := make([]object, 0, len(urls))
	for i, address := range urls {
		w := j.Works[i]
		images = append(images, object{"url": address, "content_type": w.contentType(), "width": w.Width, "height": w.Height})
	}
	return http.StatusOK, object{
		"images": images, "seed": j.Works[0].Seed, "prompt": j.Prompt, "has_nsfw_concepts": make([]bool, len(urls)), "timings": object{},
	}
}

func falCancel(c *call, j job) {
	now := c.srv.opts.Now()
	if j.at(now).terminal() {
		c.json(http.StatusBadRequest, object{"status": "ALREADY_COMPLETED"})
		return
	}
	c.srv.jobs.cancel(j.ID, now)
	c.json(http.StatusAccepted, object{"status": "CANCELLATION_REQUESTED"})
}

// falKeys is the key set that verifies fal's webhooks.
func falKeys(c *call) {
	public, _ := c.srv.signKey.Public().(ed25519.PublicKey)
	c.w.Header().Set("Cache-Control", "public, max-age=86400")
	c.json(http.StatusOK, object{"keys": []object{{
		"kty": "OKP", "crv": "Ed25519", "kid": "simulated", "use": "sig", "x": base64.RawURLEncoding.EncodeToString(public),
	}}})
}

// falNotice is the webhook of a request that has ended.
func (s *Server) falNotice(j job) notice {
	status, payload := falStored(j)
	event := object{"request_id": j.ID, "gateway_request_id": j.ID, "status": "OK", "error": nil, "payload": payload}
	if status != http.StatusOK {
		event["status"], event["error"] = "ERROR", "Unexpected status code: "+strconv.Itoa(status)
	}
	body, _ := json.Marshal(event) //nolint:errchkjson // maps of plain values
	return notice{body: body, sign: func(h http.Header, body []byte, now time.Time) {
		stamp, sum := strconv.FormatInt(now.Unix(), 10), sha256.Sum256(body)
		message := strings.Join([]string{j.ID, falUser, stamp, hex.EncodeToString(sum[:])}, "\n")
		h.Set("X-Fal-Webhook-Request-Id", j.ID)
		h.Set("X-Fal-Webhook-User-Id", falUser)
		h.Set("X-Fal-Webhook-Timestamp", stamp)
		h.Set("X-Fal-Webhook-Signature", hex.EncodeToString(ed25519.Sign(s.signKey, []byte(message))))
	}}
}
