package lifecycle_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/failover"
	"easel/shared/generation"
	"easel/shared/lifecycle"
	"easel/shared/provider"
	"easel/shared/settings"
	"easel/shared/storetest"
	"easel/shared/task"
)

// world is a gateway of several processes with everything around it made of
// chance: processes that pause and die at every labelled step, a store that fails
// before and after it wrote, vendors that refuse, accept, lose connections and
// finish late, a queue that drops, doubles and reorders, callers that cancel and
// repeat themselves, and a clock that only moves when told. One seed is one
// history: the same seed runs the same way again.
type world struct {
	rnd     *rand.Rand
	now     time.Time
	ids     int
	store   *storetest.Memory
	runner  *lifecycle.Runner
	engine  *lifecycle.Engine
	vendors map[string]*vendor
	configs []settings.Config
	models  catalog.Catalog
	queue   []task.Message
	kept    map[string]bool
	tally   tally

	// calm is true once the chaos is over: nothing fails, pauses or dies any more.
	calm bool
	// processes are paused at a boundary; yield pauses the one that runs.
	processes []*process
	yield     func(struct{}) bool
	// burst is a fault of the store that lasts for some more calls.
	burst     string
	burstLeft int

	// tasks are all that were begun, touched those written since the last check,
	// and seen what the last check saw, with the sums of what they hold and paid.
	tasks             []string
	touched           []string
	seen              map[string]task.Task
	reserved, charged int64
	// promised is which task the caller's idempotency keys stand for.
	promised map[string]string
	// unusable are the tasks one of whose deliveries was no picture, refused those
	// whose content a vendor refused, told those whose pictures a vendor has handed out.
	unusable, refused, told map[string]bool
	// broken are the rules that were seen broken since the last check.
	broken []string
}

const (
	account = "acct"
	granted = int64(60)
)

func newWorld(seed uint64) *world {
	w := &world{
		// The store forgets idempotency keys by the real clock, so this one is ahead.
		rnd: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2226, 11, 22, 0, 0, 0, 0, time.UTC),
		store: &storetest.Memory{}, vendors: map[string]*vendor{}, kept: map[string]bool{}, tally: newTally(),
		seen: map[string]task.Task{}, promised: map[string]string{},
		unusable: map[string]bool{}, refused: map[string]bool{}, told: map[string]bool{},
	}
	clock := func() time.Time { return w.now }
	newID := func(prefix string) string { w.ids++; return fmt.Sprintf("%s%06d", prefix, w.ids) }
	providers := map[string]provider.Provider{}
	for i, name := range vendorNames() {
		v := &vendor{w: w, name: name, jobs: map[string]*job{}}
		w.vendors[name], providers[name] = v, v
		w.configs = append(w.configs, settings.Config{
			ID: "cfg_" + name, Kind: generation.Image, Provider: name, Priority: i, Model: "m", Active: true,
			MaxRetries: w.rnd.IntN(3), TimeoutSeconds: 30,
		})
	}
	w.rnd.Shuffle(len(w.configs), func(i, j int) {
		w.configs[i].Priority, w.configs[j].Priority = w.configs[j].Priority, w.configs[i].Priority
	})
	var err error
	w.models, err = catalog.New([]catalog.Model{{
		Name: "auto", Kind: generation.Image, Auto: true,
		Price: catalog.Price{Known: true, Credits: 7, Unit: catalog.PerImage},
	}})
	if err != nil {
		panic(err)
	}
	hooked := &hookedStore{w: w, Memory: w.store}
	w.engine = lifecycle.NewEngine(hooked, clock, newID)
	w.runner = lifecycle.NewRunner(lifecycle.Parts{
		Engine: w.engine, Store: hooked, Due: hooked, Many: hooked, Gather: time.Duration(w.rnd.IntN(2)) * 15 * time.Second, Views: w,
		Providers: providers, Keys: noKeys{}, Keeper: w, Queue: w, Health: &failover.Memory{}, Reporter: w,
		CallbackURL: func(name, taskID, attemptID string) string {
			if name == "hooks" {
				return "https://gateway/" + taskID + "/" + attemptID
			}
			return ""
		},
		Pause: func(_ context.Context, d time.Duration) error {
			w.now = w.now.Add(d)
			w.boundary("pause")
			return nil
		},
		Now: clock, NewID: newID, Log: slog.New(slog.DiscardHandler),
		Policy: failover.Policy{Base: time.Second},
	})
	must(w.store.CreateAccount(context.Background(), credits.Account{ID: account}))
	must(w.store.Post(context.Background(), credits.ForGrant(account, "start", granted, "", "", w.now)))
	return w
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
