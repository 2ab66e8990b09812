// Package cloudflare sends the calls of any driver through a Cloudflare AI
// Gateway. It is no driver: [Gateway.Through] rewrites a call's address and
// headers, and [Transport] tells the gateway's own errors from the vendor's.
package cloudflare

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/provider"
	"easel/shared/secret"
)

// The headers that the gateway reads, and that Transport knows a call by.
const (
	headerAuthorization = "Cf-Aig-Authorization"
	headerMaxAttempts   = "Cf-Aig-Max-Attempts"
	headerSkipCache     = "Cf-Aig-Skip-Cache"
	headerCacheTTL      = "Cf-Aig-Cache-Ttl"
	headerMetadata      = "Cf-Aig-Metadata"
	headerLogID         = "Cf-Aig-Log-Id"
	headerFalTarget     = "X-Fal-Target-Url"
)

// The gateway's bounds of a cached answer's life.
const (
	minCache = time.Minute
	maxCache = 30 * 24 * time.Hour
)

// Gateway is one AI Gateway.
type Gateway struct {
	// URL is https://gateway.ai.cloudflare.com/v1/{account}/{gateway}.
	URL string
	// Token authenticates us to the gateway; the zero value is for one that asks
	// for none. The vendor's key stays where the vendor wants it.
	Token secret.Value
	// Routes are what the gateway calls each vendor. The first one fits whose Base
	// a call's base URL starts with.
	Routes []Route
	// CacheText lets the gateway answer texts from its cache for this long, 1
	// minute to 30 days; 0 does not. Nothing else is ever cached.
	CacheText time.Duration
}

// Route is what the gateway calls one vendor.
type Route struct {
	// Base is what of the vendor's own base URL the slug stands for.
	Base string
	// Slug is the gateway's name of the vendor. A vendor that the gateway does not
	// know is set up there as a custom provider, whose slug starts with "custom-".
	Slug string
	// Target is true where the slug stands for several hosts of the vendor, so
	// that a header has to name the one that is meant.
	Target bool
}

// DefaultRoutes are the vendors that this program has drivers for. Stability and
// Runway must be set up in the gateway as custom providers with these slugs.
func DefaultRoutes() []Route {
	return []Route{
		{Base: "https://api.openai.com/v1", Slug: "openai"},
		{Base: "https://api.replicate.com/v1", Slug: "replicate"},
		{Base: "https://generativelanguage.googleapis.com", Slug: "google-ai-studio"},
		{Base: "https://queue.fal.run", Slug: "fal", Target: true},
		{Base: "https://api.stability.ai", Slug: "custom-stability"},
		{Base: "https://api.dev.runwayml.com", Slug: "custom-runway"},
	}
}

// Through returns the call as it goes through the gateway; c itself is not
// changed. The gateway's own retries are switched off, because they would repeat
// paid submits, and so is its cache, because it would repeat "processing" to
// every look-up.
//
// A base URL that no route fits is a Failure of class unsupported: nothing is
// sent past the gateway in silence.
func (g Gateway) Through(c provider.Call) (provider.Call, error) {
	if u, err := url.Parse(g.URL); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return c, unroutable("the AI gateway's URL is not valid", err)
	}
	for _, route := range g.Routes {
		rest, ok := below(c.BaseURL, route.Base)
		if !ok {
			continue
		}
		c.BaseURL = strings.TrimRight(g.URL, "/") + "/" + route.Slug + rest
		headers, err := g.headers(c)
		if err != nil {
			return c, unroutable("the call's metadata cannot be encoded", err)
		}
		if route.Target {
			headers[headerFalTarget] = strings.TrimRight(route.Base, "/") + rest
		}
		c.Headers = headers
		return c, nil
	}
	return c, unroutable("the AI gateway has no route to this base URL", nil)
}

// below returns what a base URL has beyond a route's, "" or a path.
func below(raw, base string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(strings.TrimRight(raw, "/"), strings.TrimRight(base, "/"))
	return rest, ok && (rest == "" || rest[0] == '/')
}

func (g Gateway) headers(c provider.Call) (map[string]string, error) {
	metadata, err := json.Marshal(map[string]string{"task": c.Task, "attempt": c.Attempt})
	if err != nil {
		return nil, fmt.Errorf("encode metadata: %w", err)
	}
	headers := map[string]string{headerMaxAttempts: "1", headerMetadata: string(metadata)}
	for name, value := range c.Headers {
		headers[http.CanonicalHeaderKey(name)] = value // so that ours replace them, however they are spelled
	}
	if !g.Token.IsZero() {
		headers[headerAuthorization] = "Bearer " + g.Token.Reveal()
	}
	if c.Request.Kind == generation.Text && g.CacheText > 0 {
		life := min(max(g.CacheText, minCache), maxCache)
		headers[headerCacheTTL] = strconv.Itoa(int(life.Seconds()))
	} else {
		headers[headerSkipCache] = "true"
	}
	headers[headerMaxAttempts] = "1"
	return headers, nil
}

func unroutable(message string, cause error) error {
	return &fault.Failure{Class: fault.ClassUnsupported, Message: message, Cause: cause}
}
