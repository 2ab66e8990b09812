package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"easel/shared/catalog"
	"easel/shared/credits"
	"easel/shared/failover"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/lifecycle"
	"easel/shared/provider"
	"easel/shared/secret"
	"easel/shared/settings"
	"easel/shared/storetest"
	"easel/shared/task"
)

// killed is what a process dies of: it unwinds to the operation that ran.
type killed struct{ where string }

// world is a gateway in one process with everything around it made of chance:
// a store that a process may die before or after writing to, vendors that
// refuse, accept, lose connections and finish late, a queue that drops, doubles
// and reorders, callers that cancel, and a clock that only moves when told.
type world struct {
	rnd     *rand.Rand
	now     time.Time
	ids     int
	store   *storetest.Memory
	runner  *lifecycle.Runner
	engine  *lifecycle.Engine
	vendors map[string]*vendor
	queue   []task.Message
	tasks   []string
	kept    map[string]int
	// chance of a kill at each store boundary, and depth of nested operations.
	killing float64
	depth   int
	kills   int
	ops     int
	reports map[string]int
	// unusable are the tasks one of whose deliveries was no picture.
	unusable map[string]bool
	broken   []string
}

const account = "acct"

func newWorld(seed uint64) *world {
	w := &world{
		rnd: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
		store: &storetest.Memory{}, vendors: map[string]*vendor{}, kept: map[string]int{}, reports: map[string]int{}, unusable: map[string]bool{},
	}
	clock := func() time.Time { return w.now }
	newID := func(prefix string) string { w.ids++; return fmt.Sprintf("%s%06d", prefix, w.ids) }
	providers := map[string]provider.Provider{}
	configs := make([]settings.Config, 0, 3)
	for i, name := range []string{"sync", "jobs", "hooks"} {
		v := &vendor{w: w, name: name, jobs: map[string]*job{}}
		w.vendors[name], providers[name] = v, v
		configs = append(configs, settings.Config{
			ID: "cfg_" + name, Kind: generation.Image, Provider: name, Priority: i, Model: "m", Active: true,
			MaxRetries: w.rnd.IntN(3), TimeoutSeconds: 30,
		})
	}
	w.rnd.Shuffle(len(configs), func(i, j int) { configs[i].Priority, configs[j].Priority = configs[j].Priority, configs[i].Priority })
	models, err := catalog.New([]catalog.Model{{
		Name: "auto", Kind: generation.Image, Auto: true, ChargeModerated: w.rnd.IntN(2) == 0,
		Price: catalog.Price{Known: true, Credits: 7, Unit: catalog.PerImage},
	}})
	if err != nil {
		panic(err)
	}
	hooked := &hookedStore{w: w, Memory: w.store}
	w.engine = lifecycle.NewEngine(hooked, clock, newID)
	w.runner = lifecycle.NewRunner(lifecycle.Parts{
		Engine: w.engine, Store: hooked, Due: w.store, Views: view{catalog.View{Models: models, Configs: configs}},
		Providers: providers, Keys: noKeys{}, Keeper: w, Queue: w, Health: &failover.Memory{}, Reporter: w,
		CallbackURL: func(name, taskID, attemptID string) string {
			if name == "hooks" {
				return "https://gateway/" + taskID + "/" + attemptID
			}
			return ""
		},
		Pause: func(_ context.Context, d time.Duration) error { w.now = w.now.Add(d); return nil },
		Now:   clock, NewID: newID, Log: slog.New(slog.DiscardHandler),
		Policy: failover.Policy{Base: time.Second},
	})
	must(w.store.CreateAccount(context.Background(), credits.Account{ID: account}))
	must(w.store.Post(context.Background(), credits.ForGrant(account, "start", 60, "", "", w.now)))
	return w
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// chance is true with probability p.
func (w *world) chance(p float64) bool { return w.rnd.Float64() < p }

// boundary is a place where a process may die, or another may run.
func (w *world) boundary(where string) {
	if w.chance(w.killing) {
		w.kills++
		panic(killed{where})
	}
	if w.depth < 3 && w.chance(0.05) {
		w.operate()
	}
}

// operate runs one operation as a process of its own, which may be killed.
func (w *world) operate() {
	w.depth++
	w.ops++
	defer func() {
		w.depth--
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
		}
	}()
	w.operation()
}

func (w *world) operation() {
	ctx := context.Background()
	switch n := w.rnd.IntN(100); {
	case n < 14:
		w.begin(ctx)
	case n < 50:
		w.deliverMessage(ctx)
	case n < 62:
		w.webhook(ctx)
	case n < 66:
		w.cancel(ctx)
	case n < 74:
		_, _ = w.runner.Sweep(ctx, 50)
	case n < 90:
		w.now = w.now.Add(time.Duration(w.rnd.IntN(40)) * time.Second)
	case n < 93:
		w.now = w.now.Add(time.Duration(w.rnd.IntN(30)) * time.Minute)
	default:
		for _, v := range w.vendors {
			v.work()
		}
	}
}

func (w *world) begin(ctx context.Context) {
	o := lifecycle.Order{
		Account: account, Request: generation.Request{Kind: generation.Image, Model: "auto", Prompt: "p", N: 1 + w.rnd.IntN(2)},
	}
	o.Quote = catalog.Quote{Credits: 7 * int64(o.Request.N)}
	if w.chance(0.3) {
		o.CallbackURL = "https://caller/hook"
	}
	if w.chance(0.4) {
		o.IdempotencyKey, o.Hash = fmt.Sprint("key", w.rnd.IntN(4)), fmt.Sprint("hash", w.rnd.IntN(2))
	}
	wait := time.Duration(0)
	if w.chance(0.5) {
		wait = time.Minute
	}
	_, _, err := w.runner.Serve(ctx, o, wait)
	if code := fault.CodeOf(err); err != nil && code != fault.InsufficientCredits && code != fault.IdempotencyMismatch &&
		code != fault.Unavailable && !errors.Is(err, errInjected) {
		w.broken = append(w.broken, "begin: "+err.Error())
	}
}

func (w *world) deliverMessage(ctx context.Context) {
	if len(w.queue) == 0 {
		return
	}
	i := w.rnd.IntN(len(w.queue))
	m := w.queue[i]
	if !w.chance(0.1) { // else it is delivered again later
		w.queue = append(w.queue[:i], w.queue[i+1:]...)
	}
	if _, err := w.runner.Advance(ctx, m); err != nil && !errors.Is(err, errInjected) {
		w.broken = append(w.broken, "advance: "+err.Error())
	}
}

// webhook delivers a message about some job of the vendor with webhooks: early,
// late, doubled or out of order.
func (w *world) webhook(ctx context.Context) {
	v := w.vendors["hooks"]
	if len(v.order) == 0 {
		return
	}
	j := v.jobs[v.order[w.rnd.IntN(len(v.order))]]
	m := task.Message{Task: j.task, Attempt: j.attempt, Job: j.id, Reason: "notice"}
	if w.chance(0.05) {
		m.Attempt = "att_wrong"
	}
	if _, err := w.runner.Advance(ctx, m); err != nil && !errors.Is(err, errInjected) {
		w.broken = append(w.broken, "notice: "+err.Error())
	}
}

func (w *world) cancel(ctx context.Context) {
	if len(w.tasks) == 0 {
		return
	}
	t, err := w.store.Task(ctx, w.tasks[w.rnd.IntN(len(w.tasks))])
	must(err)
	if _, err := w.runner.Cancel(ctx, t); err != nil && fault.CodeOf(err) != fault.Conflict && !errors.Is(err, errInjected) {
		w.broken = append(w.broken, "cancel: "+err.Error())
	}
}

// Send is the queue: it may lose a message.
func (w *world) Send(_ context.Context, m task.Message, _ time.Duration) error {
	w.boundary("send")
	if w.chance(0.1) {
		return errInjected
	}
	if !w.chance(0.1) {
		w.queue = append(w.queue, m)
	}
	return nil
}

// Keep is the asset store.
func (w *world) Keep(_ context.Context, key string, _ generation.Kind, _ provider.File) (generation.Asset, error) {
	w.boundary("keep")
	if w.chance(0.02) {
		w.unusable[strings.Split(key, "/")[1]] = true
		return generation.Asset{}, fmt.Errorf("%w: not a picture", lifecycle.ErrUnusable)
	}
	w.kept[key]++
	return generation.Asset{Key: key, ContentType: "image/png", Bytes: 1}, nil
}

// Report is the caller's endpoint.
func (w *world) Report(_ context.Context, t task.Task) (int, error) {
	w.boundary("report")
	if w.chance(0.3) {
		return 500, errors.New("caller's endpoint answered 500")
	}
	w.reports[t.ID]++
	return 200, nil
}

type view struct{ v catalog.View }

func (v view) View(context.Context) (catalog.View, error) { return v.v, nil }

type noKeys struct{}

func (noKeys) Get(context.Context, string) (secret.Value, error) { return secret.Value{}, nil }

var errInjected = errors.New("injected fault")

// hookedStore is the store as a mortal process sees it.
type hookedStore struct {
	w *world
	*storetest.Memory
}

func (h *hookedStore) Task(ctx context.Context, id string) (task.Task, error) {
	h.w.boundary("read")
	if h.w.killing > 0 && h.w.chance(0.01) {
		return task.Task{}, errInjected
	}
	return h.Memory.Task(ctx, id)
}

func (h *hookedStore) Apply(ctx context.Context, c journal.Change) error {
	h.w.boundary("before write")
	if h.w.killing > 0 && h.w.chance(0.01) {
		return errInjected
	}
	err := h.Memory.Apply(ctx, c)
	if err == nil && c.Task.Version == 1 {
		h.w.tasks = append(h.w.tasks, c.Task.ID)
	}
	h.w.boundary("after write")
	return err
}
