package local_test

import (
	"testing"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/health"
	"easel/shared/provider/simulator"
)

// breaker is how the breaker of the first config is.
func (g *gateway) breaker() health.ConfigState {
	g.t.Helper()
	states, err := g.App.Monitor.State(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	for _, s := range states {
		if s.Config == "cfg_openai" && s.Model == "" {
			return s
		}
	}
	return health.ConfigState{Breaker: "closed"}
}

// TestAHeldConfigServesAgainAfterATick mends a key that was refused. Nobody asks
// for a picture meanwhile, so it is the schedule that finds it out.
func TestAHeldConfigServesAgainAfterATick(t *testing.T) {
	t.Parallel()
	g := startWith(t, func(o *local.Options) {
		o.Health = health.Policy{HoldFor: 100 * time.Millisecond, MaxHold: 100 * time.Millisecond, Ramp: time.Millisecond}
	})
	g.fault(simulator.OpenAI, simulator.Fault{Fault: simulator.Auth, On: simulator.OnAll})
	if v := g.create(map[string]any{"prompt": "first"}); v.outcomes() != "openai rejected auth, stability succeeded" {
		t.Fatalf("attempts = %s", v.outcomes())
	}
	held := g.breaker()
	for probed := held.Opens; probed == held.Opens; { // a probe that fails holds it on
		<-time.After(10 * time.Millisecond)
		s := g.breaker()
		if !s.Held {
			t.Fatalf("it is not held while its key is refused: %+v", s)
		}
		probed = s.Opens
	}
	g.Simulator.ClearFault(simulator.OpenAI)
	for late := time.Now().Add(2 * time.Minute); g.breaker().Breaker != "closed"; {
		<-time.After(10 * time.Millisecond)
		if time.Now().After(late) {
			t.Fatalf("no tick found out that the key works: %+v", g.breaker())
		}
	}
	if v := g.create(map[string]any{"prompt": "second"}); v.outcomes() != "openai succeeded" {
		t.Errorf("attempts = %s after the key was mended", v.outcomes())
	}
}
