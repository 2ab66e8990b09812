package local_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/audit"
	"easel/shared/health"
	"easel/shared/provider/simulator"
	"easel/shared/webhook"
)

// TestTheOperatorIsToldOfABreaker has a key that is refused and then mended.
func TestTheOperatorIsToldOfABreaker(t *testing.T) {
	t.Parallel()
	g := startWith(t, func(o *local.Options) {
		o.Health = health.Policy{HoldFor: 100 * time.Millisecond, MaxHold: 100 * time.Millisecond, Ramp: time.Millisecond}
	})
	url, reports, _ := listen(t)
	g.operate(http.StatusOK, http.MethodPut, "/api/admin/settings/notifications", map[string]any{"url": url}, "If-Match", `"0"`)
	key, _ := g.operate(http.StatusCreated, http.MethodPost, "/api/admin/settings/notifications/secret", nil)["secret"].(string)
	g.App.Views.Forget()
	g.fault(simulator.OpenAI, simulator.Fault{Fault: simulator.Auth, On: simulator.OnAll})
	if v := g.create(map[string]any{"prompt": "first"}); v.outcomes() != "openai rejected auth, stability succeeded" {
		t.Fatalf("attempts = %s", v.outcomes())
	}
	g.Simulator.ClearFault(simulator.OpenAI)
	told := map[string]int{}
	for late := time.After(2 * time.Minute); told["breaker.closed"] == 0 || told["breaker.held"] == 0 || told["breaker.half_open"] == 0; {
		select {
		case r := <-reports:
			if err := r.verify(key); err != nil {
				t.Error(err)
			}
			var n struct {
				Type string
				Data struct {
					Config string `json:"config_id"`
				}
			}
			if err := json.Unmarshal(r.body, &n); err != nil || n.Data.Config != "cfg_openai" || r.header.Get(webhook.HeaderID) == "" {
				t.Errorf("got %s, %v", r.body, err)
			}
			told[n.Type]++
		case <-late:
			t.Fatalf("told of %v only", told)
		}
	}
	entries, _, err := g.App.Store.Audit(t.Context(), audit.Filter{Action: "breaker."}, "", 100)
	if err != nil || len(entries) != 3 {
		t.Errorf("the trail has %+v, %v", entries, err)
	}
}
