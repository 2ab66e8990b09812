package simulator

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// maxGatewayCalls bounds the calls remembered by GatewayCalls.
const maxGatewayCalls = 1000

// GatewayCall is one call that came through the simulated AI Gateway.
type GatewayCall struct {
	At      time.Time         `json:"at"`
	Method  string            `json:"method"`
	Path    string            `json:"path"`    // below /cloudflare
	Account string            `json:"account"` // account id
	Gateway string            `json:"gateway"` // gateway id
	Slug    string            `json:"slug"`    // provider slug
	Header  map[string]string `json:"header"`  // the cf-aig-* headers, lower case, without the token
	LogID   string            `json:"log_id"`  // the cf-aig-log-id answered
}

// gatewayBook remembers the latest calls through AI Gateway.
type gatewayBook struct {
	mu    sync.Mutex
	calls []GatewayCall
}

func (b *gatewayBook) add(g GatewayCall) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.calls) == maxGatewayCalls {
		b.calls = slices.Delete(b.calls, 0, maxGatewayCalls/10)
	}
	b.calls = append(b.calls, g)
}

// GatewayCalls returns the latest calls that came through the simulated AI
// Gateway, oldest first, at most 1000.
func (s *Server) GatewayCalls() []GatewayCall {
	s.gateway.mu.Lock()
	defer s.gateway.mu.Unlock()
	return slices.Clone(s.gateway.calls)
}

// routeCloudflare mounts https://gateway.ai.cloudflare.com below /cloudflare.
func (s *Server) routeCloudflare() {
	v := vendor{
		name: Cloudflare, refuse: refuseCloudflare,
		key: func(r *http.Request) string {
			scheme, key, _ := strings.Cut(r.Header.Get("Cf-Aig-Authorization"), " ")
			if !strings.EqualFold(scheme, "Bearer") {
				return ""
			}
			return key
		},
		tooLarge: func(c *call) { cloudflareError(c, http.StatusRequestEntityTooLarge, 2004, "Request body too large") },
	}
	const path = "/cloudflare/v1/{account}/{gateway}/{slug}/{rest...}"
	s.handle(v, "POST /cloudflare/v1/{account}/{gateway}/{slug}", OnSubmits, cloudflareForward) // fal's queue
	s.handle(v, "POST "+path, OnSubmits, cloudflareForward)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		s.handle(v, method+" "+path, OnReads, cloudflareForward)
	}
	s.handle(v, "/cloudflare/", OnReads, func(c *call) { cloudflareError(c, http.StatusNotFound, 2002, "Gateway not found") })
}

// cloudflareError is an error of the gateway itself.
func cloudflareError(c *call, status, code int, message string) {
	c.json(status, object{
		"success": false, "result": []any{}, "messages": []any{}, "error": []object{{"code": code, "message": message}},
	})
}

func refuseCloudflare(c *call, why reason) {
	switch why {
	case tooMany:
		c.w.Header().Set("Retry-After", seconds(c.fault.delay(5*time.Second)))
		cloudflareError(c, http.StatusTooManyRequests, 2003, "Rate limited")
	case noCredit:
		cloudflareError(c, http.StatusPaymentRequired, 2021, "Insufficient credits")
	case badKey:
		cloudflareError(c, http.StatusUnauthorized, 2009, "Unauthorized")
	case badPrompt:
		cloudflareError(c, http.StatusBadRequest, 2016, "Prompt blocked due to security configurations")
	case overloaded:
		cloudflareError(c, http.StatusServiceUnavailable, 2001, "Service unavailable")
	case broken:
		cloudflareError(c, http.StatusInternalServerError, 2000, "Internal server error")
	}
}

// cloudflareForward passes the call on to the vendor that the slug names.
func cloudflareForward(c *call) {
	target := cloudflareTarget(c)
	if target == "" {
		cloudflareError(c, http.StatusBadRequest, 2008, "Invalid provider")
		return
	}
	logID := c.id
	if id, err := uuid.NewV7(); err == nil {
		logID = id.String()
	}
	seen := GatewayCall{
		At: c.srv.opts.Now(), Method: c.r.Method, Path: strings.TrimPrefix(c.r.URL.Path, "/cloudflare"), Account: c.r.PathValue("account"),
		Gateway: c.r.PathValue("gateway"), Slug: c.r.PathValue("slug"), Header: map[string]string{}, LogID: logID,
	}
	onward := c.r.Clone(c.r.Context())
	for name := range maps.Clone(onward.Header) {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "cf-aig-") {
			if lower != "cf-aig-authorization" {
				seen.Header[lower] = onward.Header.Get(name)
			}
			onward.Header.Del(name)
		}
	}
	c.srv.gateway.add(seen)
	onward.URL.Path, onward.URL.RawPath = target, ""
	if c.r.Method == http.MethodPost {
		c.accept(logID, seen.Slug, "", "")
	}
	h := c.w.Header()
	h.Set("Cf-Aig-Log-Id", logID)
	h.Set("Cf-Aig-Request-Id", c.id)
	h.Set("Cf-Aig-Cache-Status", "MISS")
	h.Set("Cf-Aig-Step", "0")
	cloudflareTry(c, onward, seen.Header["cf-aig-max-attempts"])
}

// cloudflareTry sends the call on. Unless the caller allows only one attempt,
// the gateway repeats one that failed with a server error: the danger that the
// header exists to avert.
func cloudflareTry(c *call, onward *http.Request, attempts string) {
	if attempts == "1" || c.r.Method != http.MethodPost {
		onward.Body = newBody(c.body)
		c.srv.mux.ServeHTTP(c.w, onward)
		return
	}
	var kept *answer
	for range 2 {
		again := onward.Clone(onward.Context())
		again.Body = newBody(c.body)
		kept = &answer{header: http.Header{}}
		c.srv.mux.ServeHTTP(kept, again)
		if kept.status < 500 {
			break
		}
	}
	kept.start(c.w)
	_, _ = c.w.Write(kept.body.Bytes())
}

// cloudflareTarget is the path at this server that the gateway's path stands
// for, or "".
func cloudflareTarget(c *call) string {
	rest := c.r.PathValue("rest")
	switch slug := c.r.PathValue("slug"); slug {
	case "openai":
		return "/openai/v1/" + rest
	case "replicate":
		return "/replicate/v1/" + rest
	case "google-ai-studio":
		return "/gemini/" + rest
	case "fal":
		return falTarget(c, rest)
	case "custom-stability", "custom-runway":
		return "/" + strings.TrimPrefix(slug, "custom-") + "/" + rest
	case "custom-luma", "custom-kling", "custom-bfl":
		return "/custom/" + strings.TrimPrefix(slug, "custom-") + "/" + rest
	default:
		return ""
	}
}

// falTarget reads the header that names fal's queue; without it the call is for
// the synchronous host.
func falTarget(c *call, rest string) string {
	header := c.r.Header.Get("X-Fal-Target-Url")
	if header == "" {
		return "/fal/run/" + rest
	}
	target, err := url.Parse(header)
	if err != nil {
		return ""
	}
	if target.RawQuery != "" {
		c.r.URL.RawQuery = target.RawQuery
	}
	switch own, _ := url.Parse(c.srv.publicURL(c.r)); {
	case target.Host == "queue.fal.run":
		return "/fal/queue" + target.Path
	case target.Host == "fal.run":
		return "/fal/run" + target.Path
	case own != nil && target.Host == own.Host:
		return strings.TrimPrefix(target.Path, own.Path)
	default:
		return ""
	}
}
