package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"time"
)

const maxIgnored = 64 << 10

// reply is what an address answered; its body is of no interest.
type reply struct {
	status int
	header http.Header
}

// get sends a request without a body.
func get(ctx context.Context, client *http.Client, method, address string, header http.Header) (reply, error) {
	return send(ctx, client, method, address, header, http.NoBody)
}

// send sends a request. Its errors do not name the address.
func send(ctx context.Context, client *http.Client, method, address string, header http.Header, body io.Reader) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return reply{}, errors.New("the address is not a URL")
	}
	maps.Copy(request.Header, header)
	response, err := client.Do(request)
	if err != nil {
		if wrong, ok := errors.AsType[*url.Error](err); ok {
			err = wrong.Err // without the URL, which the finding names
		}
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxIgnored))
	return reply{response.StatusCode, response.Header}, nil
}

func isLocal(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsPrivate())
}

// configFacts is what the admin API shows of a config, as far as it is checked.
type configFacts struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Kind      string `json:"kind"`
	Provider  string `json:"provider"`
	BaseURL   string `json:"base_url"`
	Active    bool   `json:"active"`
	KeyMask   string `json:"key_mask"`
	Simulated bool   `json:"simulated"`
}

// examineGateway checks a running gateway from outside.
func examineGateway(ctx context.Context, a *adminClient) []finding {
	client := &http.Client{Timeout: checkTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	found := examine(ctx, []check{checkHealth(client, a.url, time.Now)})
	if found[0].Status == verdictFail {
		return found // nothing else can be known
	}
	admin := a.session(ctx)
	if found = append(found, admin); admin.Status == verdictFail {
		return found
	}
	var facts struct {
		PublicURL   string `json:"public_url"`
		AssetOrigin string `json:"asset_origin"`
	}
	if err := a.read(ctx, http.MethodGet, "/api/admin/settings", nil, &facts); err != nil {
		found = append(found, failure("settings", "look at the admin function's log", "%v", err))
	}
	return append(found, examine(ctx, []check{
		a.tables, bucketFrom(client, facts.AssetOrigin), a.worker, checkWebhook(client, facts.PublicURL),
		func(ctx context.Context) []finding { return a.configs(ctx, client) }, a.health,
	})...)
}

// session finds out whether the key is an operator's.
func (a *adminClient) session(ctx context.Context) finding {
	var s struct{ Role string }
	if err := a.read(ctx, http.MethodGet, "/api/admin/session", nil, &s); err != nil {
		return failure("admin key", "give one with the scope admin or viewer by -key", "%v", err)
	}
	return fine("admin key", "is accepted, as %s", s.Role)
}

// tables reads a little from each table through the routes that need it.
func (a *adminClient) tables(ctx context.Context) []finding {
	for _, t := range []struct{ name, path string }{
		{"core", "/api/admin/accounts?limit=1"}, {"usage", "/api/admin/stats?window=1h"}, {"volatile", "/api/admin/health"},
	} {
		if _, err := a.raw(ctx, http.MethodGet, t.path, nil); err != nil {
			return []finding{failure("tables", "run easel tables describe, and look at the admin function's log", "the %s table cannot be read: %v", t.name, err)}
		}
	}
	return []finding{fine("tables", "core, volatile and usage can be read")}
}

// bucketFrom asks the bucket's address for nothing: a refusal is an answer.
func bucketFrom(client *http.Client, origin string) check {
	return func(ctx context.Context) []finding {
		if origin == "" {
			return []finding{warning("bucket", "look whether an output's url opens", "the gateway does not say where it keeps files")}
		}
		if err := checkReach(ctx, client, origin); err != nil {
			return []finding{failure("bucket", "callers fetch their results there: open the way to it", "%s cannot be reached: %v", origin, err)}
		}
		return []finding{fine("bucket", "%s answers", origin)}
	}
}

// staleAfter is how long a queued task may wait before the worker seems dead.
const staleAfter = 5 * time.Minute

// worker looks for a task that has waited too long, which shows whether the queue
// and the schedule reach the worker.
func (a *adminClient) worker(ctx context.Context) []finding {
	var page struct {
		Data []struct {
			ID        string    `json:"id"`
			CreatedAt time.Time `json:"created_at"`
			UpdatedAt time.Time `json:"updated_at"`
		} `json:"data"`
	}
	if err := a.read(ctx, http.MethodGet, "/api/admin/tasks?status=queued&limit=200", nil, &page); err != nil {
		return []finding{failure("queue", "look at the admin function's log", "the queued tasks cannot be listed: %v", err)}
	}
	for _, t := range page.Data {
		if age := time.Since(t.CreatedAt); age > staleAfter {
			return []finding{failure("queue", "look at the worker's log, its queue and its schedule",
				"task %s has been queued for %s: the worker does not run", t.ID, age.Round(time.Second))}
		}
	}
	return []finding{fine("queue", "%d tasks wait, none for long", len(page.Data))}
}

// configs checks each active config: its key is there, and its address answers.
func (a *adminClient) configs(ctx context.Context, client *http.Client) []finding {
	var page struct{ Data []configFacts }
	if err := a.read(ctx, http.MethodGet, "/api/admin/configs", nil, &page); err != nil {
		return []finding{failure("configs", "look at the admin function's log", "they cannot be listed: %v", err)}
	}
	active := page.Data[:0:0]
	for _, c := range page.Data {
		if c.Active {
			active = append(active, c)
		}
	}
	if len(active) == 0 {
		return []finding{failure("configs", "add one in the console, or run easel config import", "none is active: every request will fail")}
	}
	checks := make([]check, 0, len(active))
	for _, c := range active {
		checks = append(checks, func(ctx context.Context) []finding { return []finding{c.check(ctx, client)} })
	}
	return append(kindsFinding(active), examine(ctx, checks)...)
}

// kindsFinding warns of kinds that nothing makes.
func kindsFinding(active []configFacts) []finding {
	counts := map[string]int{}
	for _, c := range active {
		counts[c.Kind]++
	}
	var found []finding
	for _, kind := range []string{"image", "video", "text"} {
		if counts[kind] == 0 {
			found = append(found, warning("configs", "add one if callers need it", "no active config makes kind %s", kind))
		}
	}
	return append(found, fine("configs", "%d active: %d image, %d video, %d text", len(active), counts["image"], counts["video"], counts["text"]))
}

func (c configFacts) check(ctx context.Context, client *http.Client) finding {
	name := "config " + c.ID
	switch {
	case c.KeyMask == "":
		return failure(name, "set its key in the console", "%s has no key", c.Name)
	case c.Simulated:
		return warning(name, "set the provider's real key before you rely on it", "%s is simulated", c.Name)
	}
	if err := checkReach(ctx, client, c.BaseURL); err != nil {
		return failure(name, "correct its base URL, or open the way to it", "%s cannot be reached: %v", c.BaseURL, err)
	}
	return fine(name, "%s answers at %s", c.Name, c.BaseURL)
}

// health repeats what the gateway has learned of its configs from real calls.
func (a *adminClient) health(ctx context.Context) []finding {
	var page struct {
		Data []struct {
			ConfigID  string `json:"config_id"`
			State     string `json:"state"`
			LastError *struct {
				Class string `json:"class"`
			} `json:"last_error"`
		}
	}
	if err := a.read(ctx, http.MethodGet, "/api/admin/health", nil, &page); err != nil {
		return nil // the tables' check says so
	}
	var found []finding
	for _, h := range page.Data {
		class := "unknown"
		if h.LastError != nil {
			class = h.LastError.Class
		}
		switch h.State {
		case "down", "cooling":
			found = append(found, warning("health "+h.ConfigID, "look at the config's last error in the console", "is %s since its calls failed: %s", h.State, class))
		}
	}
	return found
}
