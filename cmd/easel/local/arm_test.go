package local_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"testing"
	"time"

	"easel/shared/catalog"
	"easel/shared/generation"
	"easel/shared/provider/simulator"
)

// armFigures are what statistics tell of one arm.
type armFigures struct {
	Key, Label       string
	Calls, Succeeded int64
	Failed           int64
	SuccessRate      float64 `json:"success_rate"`
	Cost             int64   `json:"cost_micro_usd"`
	Latency          *struct {
		Mean int64 `json:"mean_ms"`
	}
}

// arms are the statistics of the model's arms.
func (g *gateway) arms(model string) map[string]armFigures {
	g.t.Helper()
	if err := g.App.Rollup(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	raw, err := json.Marshal(g.operate(http.StatusOK, http.MethodGet, "/api/admin/stats?by=arm&model="+model, nil)["groups"])
	if err != nil {
		g.t.Fatal(err)
	}
	var list []armFigures
	if err := json.Unmarshal(raw, &list); err != nil {
		g.t.Fatal(err)
	}
	groups := map[string]armFigures{}
	for _, a := range list {
		groups[a.Label] = a
	}
	return groups
}

// TestTheArmsOfASplitAreComparedAndUsersStickToTheirs sends users through a split
// of two configs, one of which then fails.
func TestTheArmsOfASplitAreComparedAndUsersStickToTheirs(t *testing.T) {
	t.Parallel()
	g := start(t)
	model := catalog.Model{
		Name: "ab", Kind: generation.Image, Price: catalog.Price{Known: true, Credits: 1, Unit: catalog.PerImage},
		Upstreams: []catalog.Upstream{{Provider: "openai", Model: "gpt-image-2", CostMicroUSD: 40_000}, {Provider: "stability", Model: "core", CostMicroUSD: 30_000}},
		Routing: catalog.Routing{Policy: catalog.Split, Sticky: true, Arms: []catalog.Arm{
			{Config: "cfg_openai", Percent: 50}, {Config: "cfg_stability", Percent: 50, Label: "canary"},
		}},
	}
	if err := g.App.Store.PutModel(t.Context(), model); err != nil {
		t.Fatal(err)
	}
	g.App.Views.Forget()
	first := func(user string) string {
		t.Helper()
		return g.create(map[string]any{"model": "ab", "prompt": "a lighthouse", "user": user}).Attempts[0].Provider
	}
	planned := func(user string) (provider, arm string) {
		t.Helper()
		route := g.operate(http.StatusOK, http.MethodPost, "/api/admin/route", map[string]any{"kind": "image", "model": "ab", "account": g.Account, "user": user})
		configs, _ := route["configs"].([]any)
		front, _ := configs[0].(map[string]any)
		provider, _ = front["config"].(string)
		arm, _ = front["arm"].(string)
		return provider[len("cfg_"):], arm
	}
	users := map[string]string{}
	for i := range 8 {
		user := "user " + strconv.Itoa(i)
		provider, arm := planned(user)
		if want := map[string]string{"openai": "cfg_openai", "stability": "canary"}[provider]; arm != want {
			t.Errorf("the dry run tells the arm %q of %s, want %q", arm, provider, want)
		}
		for range 2 {
			if got := first(user); got != provider {
				t.Errorf("%s went to %s, want %s as the dry run says", user, got, provider)
			}
		}
		users[provider] = user
	}
	if len(users) != 2 {
		t.Fatalf("all users were drawn alike: %v", users)
	}
	before := g.arms("ab")
	if a, b := before["canary"], before["OpenAI Images"]; a.Calls+b.Calls != 16 || a.Calls%2 != 0 || a.SuccessRate != 1 || b.Latency == nil || a.Cost != 30_000*a.Calls {
		t.Fatalf("arms %+v", before)
	}
	g.fault(simulator.Stability, simulator.Fault{Fault: simulator.Unavailable})
	if v := g.create(map[string]any{"model": "ab", "prompt": "failing over", "user": users["stability"]}); v.Status != "succeeded" {
		t.Fatalf("%+v", v)
	}
	after := g.arms("ab")
	for late := time.Now().Add(time.Minute); after["canary"].Failed == 0 && time.Now().Before(late); after = g.arms("ab") {
		<-time.After(20 * time.Millisecond)
	}
	if a, b := after["canary"], after["OpenAI Images"]; a.Failed == 0 || a.SuccessRate == 1 || b.Calls != before["OpenAI Images"].Calls || b.Failed != 0 {
		t.Errorf("after a failure of the canary, which the other config made good: %+v, before %+v", after, before)
	}
}
