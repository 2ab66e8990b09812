package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// routeReplicate mounts the paths below https://api.replicate.com/v1.
func (s *Server) routeReplicate() {
	v := vendor{
		name: Replicate, key: bearer, refuse: refuseReplicate, jobs: true,
		tooLarge: func(c *call) {
			replicateError(c, http.StatusRequestEntityTooLarge, "Payload too large", "The request body is too large.")
		},
	}
	s.handle(v, "POST /replicate/v1/models/{owner}/{name}/predictions", OnSubmits, replicateByModel)
	s.handle(v, "POST /replicate/v1/predictions", OnSubmits, replicateByVersion)
	s.handle(v, "GET /replicate/v1/predictions", OnReads, replicateList)
	s.handle(v, "GET /replicate/v1/predictions/{id}", OnReads, replicateGet)
	s.handle(v, "POST /replicate/v1/predictions/{id}/cancel", OnReads, replicateCancel)
	s.handle(v, "GET /replicate/v1/models/{owner}/{name}", OnReads, replicateModelGet)
	s.handle(v, "GET /replicate/v1/account", OnReads, func(c *call) {
		c.json(http.StatusOK, object{"type": "organization", "username": "simulated", "name": "Simulated", "github_url": "https://github.com/simulated", "avatar_url": "https://example.com/avatar.png"})
	})
	s.handle(v, "GET /replicate/v1/webhooks/default/secret", OnReads, func(c *call) {
		c.json(http.StatusOK, object{"key": c.srv.WebhookSecret()})
	})
	s.handle(v, "/replicate/", OnReads, replicateNotFound)
}

func replicateError(c *call, status int, title, detail string) {
	c.json(status, object{"title": title, "detail": detail, "status": status})
}

func replicateNotFound(c *call) {
	replicateError(c, http.StatusNotFound, "Not found", "The requested resource could not be found.")
}

func refuseReplicate(c *call, why reason) {
	switch why {
	case tooMany:
		wait := seconds(c.fault.delay(5 * time.Second))
		c.w.Header().Set("Retry-After", wait)
		c.json(http.StatusTooManyRequests, object{
			"detail": "Request was throttled. Your rate limit resets in ~" + wait + "s.", "status": http.StatusTooManyRequests,
		})
	case noCredit:
		replicateError(c, http.StatusPaymentRequired, "Insufficient credit",
			"You have insufficient credit to run this model. Go to https://replicate.com/account/billing#billing to purchase credit. "+
				"Once you purchase credit, please wait a few minutes before trying again.")
	case badKey:
		c.w.Header().Set("Www-Authenticate", "Bearer")
		replicateError(c, http.StatusUnauthorized, "Unauthenticated", "You did not pass a valid authentication token")
	case overloaded:
		replicateError(c, http.StatusServiceUnavailable, "Service unavailable", "The service is temporarily unavailable. Please try again later.")
	case badPrompt, broken:
		replicateError(c, http.StatusInternalServerError, "Internal server error", "An unexpected error occurred.")
	}
}

// replicateInvalid answers the 422 of a request that does not fit its schema.
func replicateInvalid(c *call, where string, bad []problem) {
	fields := make([]object, 0, len(bad))
	var detail strings.Builder
	for _, p := range bad {
		name := where + p.field
		fmt.Fprintf(&detail, "- %s: %s\n", name, p.reason)
		fields = append(fields, object{"type": p.kind, "field": name, "description": p.reason})
	}
	c.json(http.StatusUnprocessableEntity, object{
		"title": "Input validation failed", "detail": detail.String(), "status": http.StatusUnprocessableEntity, "invalid_fields": fields,
	})
}

func replicateEnvelope(versioned bool) []rule {
	rules := []rule{
		must("input", func(v any) *problem {
			if _, ok := v.(map[string]any); !ok {
				return &problem{kind: problemType, reason: "must be an object"}
			}
			return nil
		}),
		may("webhook", func(v any) *problem {
			if address, ok := v.(string); !ok || !callable(address) {
				return &problem{kind: "format", reason: "must be an HTTPS URL"}
			}
			return nil
		}),
		may("webhook_events_filter", list(0, 4, oneOf("start", "output", "logs", "completed"))),
		may("stream", boolean),
	}
	if versioned {
		rules = append(rules, must("version", text(1, 300)))
	}
	return rules
}

func replicateByModel(c *call) {
	in, ok := replicateBody(c, false)
	if !ok {
		return
	}
	model, known := replicateModels(c.r.PathValue("owner") + "/" + c.r.PathValue("name"))
	if !known || !model.official {
		replicateNotFound(c)
		return
	}
	replicateCreate(c, in, model, "hidden")
}

func replicateByVersion(c *call) {
	in, ok := replicateBody(c, true)
	if !ok {
		return
	}
	version := in.str("version", "")
	model, known := replicateVersion(version)
	if !known {
		replicateInvalid(c, "", []problem{{
			"version", "format",
			"Invalid version or not permitted: the specified version does not exist (or perhaps you don't have permission to use it?)",
		}})
		return
	}
	hash := version[strings.LastIndex(version, ":")+1:]
	if model.official {
		hash = "hidden"
	}
	replicateCreate(c, in, model, hash)
}

func replicateBody(c *call, versioned bool) (inputs, bool) {
	in, err := decodeObject(c.body)
	if err != nil {
		replicateError(c, http.StatusBadRequest, "Bad request", "The request body is not valid JSON.")
		return nil, false
	}
	if bad := inspect(in, true, replicateEnvelope(versioned)...); len(bad) > 0 {
		replicateInvalid(c, "", bad)
		return nil, false
	}
	return in, true
}

func replicateCreate(c *call, body inputs, model replicateModel, version string) {
	input := inputs(body["input"].(map[string]any)) //nolint:forcetypeassert // the envelope's rules checked it
	if bad := inspect(input, false, model.rules...); len(bad) > 0 {
		replicateInvalid(c, "input.", bad)
		return
	}
	wait, okWait := replicateWait(c.r.Header.Get("Prefer"))
	limit, okLimit := replicateCancelAfter(c.r.Header.Get("Cancel-After"))
	if !okWait || !okLimit {
		replicateError(c, http.StatusBadRequest, "Bad request", "The Prefer or Cancel-After header is not valid.")
		return
	}
	j := job{
		ID: newID(), API: "replicate", Model: model.name, Version: version, Prompt: input.str("prompt", model.name), Input: input,
		Webhook: body.str("webhook", ""), Events: replicateEvents(body), Lifetime: 3600, Works: model.works(input),
	}
	c.plan(&j, model.effort)
	if limit > 0 {
		j.Deadline = j.Created.Add(limit)
	}
	c.srv.jobs.put(&j)
	c.accept(j.ID, j.Model, j.Prompt, j.Webhook)
	status := http.StatusCreated
	if wait > 0 {
		c.srv.launch(j)
		now := c.srv.opts.Now()
		if !c.srv.pause(c.r.Context(), min(wait, j.Finish.Sub(now))) {
			return
		}
		if j.Finish.After(c.srv.opts.Now()) {
			status = http.StatusAccepted
		}
		c.json(status, prediction(j, c.srv.opts.Now()))
		return
	}
	c.json(status, prediction(j, j.Created.Add(-time.Nanosecond)))
	_ = http.NewResponseController(c.w).Flush()
	c.srv.launch(j) // after the answer, so that a webhook rarely overtakes it
}

// replicateEvents is the webhook filter, or the vendor's default.
func replicateEvents(body inputs) []string {
	given, ok := body["webhook_events_filter"].([]any)
	if !ok {
		return []string{"output", "completed"}
	}
	events := make([]string, 0, len(given))
	for _, e := range given {
		if name, ok := e.(string); ok {
			events = append(events, name)
		}
	}
	return events
}

// replicateWait reads "wait" or "wait=n"; other preferences are ignored.
func replicateWait(prefer string) (time.Duration, bool) {
	prefer = strings.ReplaceAll(strings.TrimSpace(prefer), " ", "")
	value, found := strings.CutPrefix(prefer, "wait")
	if !found {
		return 0, true
	}
	if value == "" {
		return time.Minute, true
	}
	n, err := strconv.Atoi(strings.TrimPrefix(value, "="))
	return time.Duration(n) * time.Second, err == nil && n >= 1 && n <= 60
}

// replicateCancelAfter reads "90", "30s" or "1h30m45s", 5 seconds to 24 hours.
func replicateCancelAfter(header string) (time.Duration, bool) {
	if header == "" {
		return 0, true
	}
	if _, err := strconv.Atoi(header); err == nil {
		header += "s"
	}
	limit, err := time.ParseDuration(header)
	return limit, err == nil && limit >= 5*time.Second && limit <= 24*time.Hour
}

// replicateVersion finds the model of a version: 64 hex digits alone or after
// "owner/name:", or the name of an official model.
func replicateVersion(version string) (replicateModel, bool) {
	name, hash, found := strings.Cut(version, ":")
	if !found {
		if regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(version) {
			return replicateByHash(version), true
		}
		model, known := replicateModels(version)
		return model, known && model.official
	}
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(hash) {
		return replicateModel{}, false
	}
	return replicateModels(name)
}

func replicateGet(c *call) {
	j, ok := c.srv.jobs.get(Replicate, c.r.PathValue("id"))
	if !ok {
		replicateNotFound(c)
		return
	}
	c.json(http.StatusOK, prediction(j, c.srv.opts.Now()))
}

func replicateCancel(c *call) {
	id := c.r.PathValue("id")
	if _, ok := c.srv.jobs.get(Replicate, id); !ok {
		replicateNotFound(c)
		return
	}
	c.srv.jobs.cancel(id, c.srv.opts.Now())
	j, _ := c.srv.jobs.get(Replicate, id)
	c.json(http.StatusOK, prediction(j, c.srv.opts.Now()))
}

// replicatePage is how many predictions a list answer holds.
const replicatePage = 100

func replicateList(c *call) {
	query := c.r.URL.Query()
	after, before := time.Time{}, time.Time{}
	for name, moment := range map[string]*time.Time{"created_after": &after, "created_before": &before} {
		if raw := query.Get(name); raw != "" {
			parsed, err := time.Parse(time.RFC3339, raw)
			if err != nil {
				replicateError(c, http.StatusBadRequest, "Bad request", name+" must be an ISO 8601 date-time")
				return
			}
			*moment = parsed
		}
	}
	all := slices.DeleteFunc(c.srv.jobs.list(Replicate), func(j job) bool {
		return !after.IsZero() && j.Created.Before(after) || !before.IsZero() && !j.Created.Before(before)
	})
	offset, _ := strconv.Atoi(query.Get("cursor"))
	offset = max(0, min(offset, len(all)))
	page := all[offset:min(offset+replicatePage, len(all))]
	results := make([]object, 0, len(page))
	for _, j := range page {
		results = append(results, prediction(j, c.srv.opts.Now()))
	}
	link := func(at int) any {
		query.Set("cursor", strconv.Itoa(at))
		return c.srv.publicURL(c.r) + "/replicate/v1/predictions?" + query.Encode()
	}
	var next, previous any
	if offset+replicatePage < len(all) {
		next = link(offset + replicatePage)
	}
	if offset > 0 {
		previous = link(max(0, offset-replicatePage))
	}
	c.json(http.StatusOK, object{"next": next, "previous": previous, "results": results})
}

// prediction is the job in Replicate's form.
func prediction(j job, now time.Time) object {
	api := j.Base + "/replicate/v1/predictions/" + j.ID
	p := object{
		"id": j.ID, "model": j.Model, "version": j.Version, "input": j.Input, "output": nil, "error": nil, "logs": "",
		"status": "starting", "source": "api", "data_removed": false, "created_at": j.Created.Format(time.RFC3339Nano),
		"urls": object{"get": api, "cancel": api + "/cancel", "web": "https://replicate.com/p/" + j.ID},
	}
	if !j.Deadline.IsZero() {
		p["deadline"] = j.Deadline.Format(time.RFC3339Nano)
	}
	phase := j.at(now)
	if phase != phaseQueued && phase != phaseAborted {
		p["started_at"] = j.Start.Format(time.RFC3339Nano)
		p["logs"] = "Using seed: " + strconv.FormatInt(j.Works[0].Seed, 10) + "\n"
	}
	switch phase {
	case phaseQueued:
	case phaseRunning:
		p["status"] = "processing"
	case phaseSucceeded:
		p["status"] = "succeeded"
		p["output"] = replicateOutput(j)
	case phaseFailed:
		p["status"], p["error"] = "failed", replicateFailure(j)
	case phaseCanceled:
		p["status"] = "canceled"
	case phaseAborted:
		p["status"] = "aborted"
	}
	if phase.terminal() {
		p["completed_at"] = j.ended().Format(time.RFC3339Nano)
		p["metrics"] = object{
			"predict_time": max(0, j.ended().Sub(j.Start).Seconds()), "total_time": j.ended().Sub(j.Created).Seconds(),
		}
	}
	if j.expired(now) {
		p["data_removed"], p["input"], p["output"], p["logs"] = true, object{}, nil, ""
	}
	return p
}

// replicateOutput is the output member: one address or an array, by model.
func replicateOutput(j job) any {
	urls := fileURLs(j)
	if model, _ := replicateModels(j.Model); model.single {
		return urls[0]
	}
	return urls
}

func replicateFailure(j job) string {
	model, _ := replicateModels(j.Model)
	switch {
	case j.End == endModerated && model.single:
		return "The input or output was flagged as sensitive. Please try again with different inputs. (E005) (" + j.ID[:8] + ")"
	case j.End == endModerated:
		return "NSFW content detected. Try running it again, or try a different prompt."
	default:
		return "Prediction failed: an unexpected error occurred. (E1000)"
	}
}

// predictionNotice is the job's webhook.
func (s *Server) predictionNotice(j job) notice {
	body, _ := json.Marshal(prediction(j, s.opts.Now())) //nolint:errchkjson // maps of plain values
	return notice{body: body, sign: signStandard(s.secret, "msg_"+newID())}
}
