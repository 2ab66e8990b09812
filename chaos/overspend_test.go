package chaos_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/provider/simulator"
)

// TestChaosExactlyTheCreditsAreSpent sends 1,000 requests at once, 64 at any moment,
// against one account with credits for 500.
func TestChaosExactlyTheCreditsAreSpent(t *testing.T) {
	t.Parallel()
	const requests, affordable, price, clients = 1000, 500, 10, 64
	g := start(t, func(o *local.Options) { o.SweepEvery = time.Hour })
	g.grant(affordable*price - local.DemoCredits)
	// The jobs stay unfinished, so what is reserved stays so.
	g.fault(simulator.Replicate, simulator.Fault{Fault: simulator.LateSuccess, DelayMS: time.Hour.Milliseconds()})
	statuses := make(chan int, requests)
	turns := make(chan int)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for turn := range turns {
				status, _ := g.call(g.APIKey, http.MethodPost, "/api/generate",
					map[string]any{"prompt": fmt.Sprint("picture ", turn), "model": "flux-dev"}, "Prefer", "respond-async")
				statuses <- status
			}
		})
	}
	for turn := range requests {
		turns <- turn
	}
	close(turns)
	all.Wait()
	close(statuses)
	counts := map[int]int{}
	for s := range statuses {
		counts[s]++
	}
	t.Logf("%d requests, %d at a time: %v", requests, clients, counts)
	if counts[http.StatusAccepted] != affordable || counts[http.StatusPaymentRequired] != requests-affordable {
		t.Errorf("answers = %v, want %d accepted and %d refused for credits", counts, affordable, requests-affordable)
	}
	if b := g.balance(); b != (balance{Granted: affordable * price, Reserved: affordable * price}) {
		t.Errorf("balance = %+v, want all of it reserved", b)
	}
}
