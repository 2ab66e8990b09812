package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"easel/shared/catalog"
	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/lifecycle"
	"easel/shared/provider"
	"easel/shared/secret"
	"easel/shared/settings"
	"easel/shared/storetest"
	"easel/shared/task"
)

// errInjected is in every error that the world makes up.
var errInjected = errors.New("injected fault")

// chance is true with probability p.
func (w *world) chance(p float64) bool { return w.rnd.Float64() < p }

// fault is true with probability p while there is chaos, and counts the fault.
func (w *world) fault(p float64, kind string) bool {
	if w.calm || !w.chance(p) {
		return false
	}
	w.tally.faults[kind]++
	return true
}

// The faults of the store. Throttles and conflicts come in bursts.
const (
	storeError    = "store: error before the write"
	storeLost     = "store: answer lost after the write"
	storeThrottle = "store: throttled"
	storeConflict = "store: conflict"
)

// storeFault returns the fault of the next write, "" for none.
func (w *world) storeFault() string {
	switch {
	case w.calm:
		return ""
	case w.burstLeft > 0:
		w.burstLeft--
	case w.chance(0.03):
		kinds := [...]string{storeError, storeLost, storeThrottle, storeConflict}
		w.burst = kinds[w.rnd.IntN(len(kinds))]
		if w.burst == storeThrottle || w.burst == storeConflict {
			w.burstLeft = w.rnd.IntN(10)
		}
	default:
		return ""
	}
	w.tally.faults[w.burst]++
	return w.burst
}

// hookedStore is the store as a mortal process sees it.
type hookedStore struct {
	w *world
	*storetest.Memory
}

func (h *hookedStore) Task(ctx context.Context, id string) (task.Task, error) {
	h.w.boundary("before read")
	if h.w.fault(0.01, "store: error of a read") {
		return task.Task{}, errInjected
	}
	t, err := h.Memory.Task(ctx, id)
	h.w.boundary("after read")
	return t, err
}

func (h *hookedStore) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	h.w.boundary("before sweep")
	if h.w.fault(0.03, "store: error of a query") {
		return nil, errInjected
	}
	ids, err := h.Memory.Due(ctx, now, limit)
	if len(ids) > 1 && h.w.fault(0.1, "store: partial page") {
		ids = ids[:1+h.w.rnd.IntN(len(ids)-1)]
	}
	return ids, err
}

func (h *hookedStore) Apply(ctx context.Context, c journal.Change) error {
	step := stepOf(c.Task)
	h.w.boundary("before write of " + step)
	switch h.w.storeFault() {
	case storeError, storeThrottle:
		return errInjected
	case storeConflict:
		return fmt.Errorf("%w: %w", errInjected, journal.ErrStale)
	case storeLost:
		if err := h.apply(ctx, c); err != nil {
			return err
		}
		h.w.boundary("after write of " + step)
		return errInjected
	}
	err := h.apply(ctx, c)
	h.w.boundary("after write of " + step)
	return err
}

func (h *hookedStore) apply(ctx context.Context, c journal.Change) error {
	before, known := h.Memory.Task(ctx, c.Task.ID)
	err := h.Memory.Apply(ctx, c)
	if err == nil && known == nil {
		h.w.checkLease(before, c.Task)
	}
	if err == nil {
		if c.Task.Version == 1 {
			h.w.tasks = append(h.w.tasks, c.Task.ID)
		}
		h.w.touched = append(h.w.touched, c.Task.ID)
	}
	return err
}

// checkLease sees to it that nobody gives an attempt up whose maker may be at
// work. It looks at each write: one operation may hold a cancel, which ends the
// lease, and what follows it.
func (w *world) checkLease(before, now task.Task) {
	for i, was := range before.Attempts {
		a := now.Attempts[i]
		// Its maker says unknown without a detail; this is another who gives it up.
		if was.Outcome == task.Started && a.Outcome == task.Unknown && a.Detail != "" && before.Lease.Held(now.UpdatedAt) {
			w.broken = append(w.broken, fmt.Sprintf("task %s: attempt %s was given up while its maker held the lease until %v", now.ID, a.ID, before.Lease.Until))
		}
	}
}

// stepOf names the move that a write makes.
func stepOf(t task.Task) string {
	switch {
	case t.Version == 1:
		return "begin"
	case t.Status.Terminal():
		return string(t.Status)
	case len(t.Attempts) == 0:
		return "park"
	default:
		return "attempt " + string(t.Attempts[len(t.Attempts)-1].Outcome)
	}
}

// Send is the queue: it fails, says that it failed when it did not, and loses
// and doubles messages. The order is that of [world.deliverMessage]: none.
func (w *world) Send(_ context.Context, m task.Message, _ time.Duration) error {
	w.boundary("before send")
	defer w.boundary("after send")
	if w.fault(0.05, "queue: refused") {
		return errInjected
	}
	if w.fault(0.1, "queue: lost") {
		return nil
	}
	w.queue = append(w.queue, m)
	if w.fault(0.05, "queue: doubled") {
		w.queue = append(w.queue, m)
	}
	if w.fault(0.02, "queue: taken and its answer lost") {
		return errInjected
	}
	return nil
}

// deliverMessage gives some message, not the oldest, to a worker. One whose worker
// failed or died comes again, unless it is lost.
func (w *world) deliverMessage(ctx context.Context) {
	if len(w.queue) == 0 {
		return
	}
	i := 0
	if !w.calm {
		i = w.rnd.IntN(len(w.queue))
	}
	m := w.queue[i]
	w.queue = slices.Delete(w.queue, i, i+1)
	if i > 0 {
		w.tally.faults["queue: reordered"]++
	}
	done := false
	defer func() {
		if !done && !w.calm && !w.fault(0.3, "queue: lost") {
			w.tally.faults["queue: redelivered"]++
			w.queue = append(w.queue, m)
		}
	}()
	var err error
	if len(m.Tasks) > 0 {
		w.tally.faults["queue: a round of look-ups"]++
		err = w.runner.Round(ctx, m)
	} else {
		_, err = w.runner.Advance(ctx, m)
	}
	if done = err == nil; !done && !excused(err) {
		w.broken = append(w.broken, "advance: "+err.Error())
	}
	if done && w.fault(0.05, "queue: doubled") {
		w.queue = append(w.queue, m)
	}
}

// excused reports whether an operation may fail so.
func excused(err error) bool {
	return errors.Is(err, errInjected) || errors.Is(err, journal.ErrStale)
}

// Keep is the asset store.
func (w *world) Keep(_ context.Context, key string, _ generation.Kind, _ provider.File) (generation.Asset, error) {
	w.boundary("before keep")
	if w.fault(0.02, "assets: not a picture") {
		w.unusable[strings.Split(key, "/")[1]] = true
		return generation.Asset{}, fmt.Errorf("%w: not a picture", lifecycle.ErrUnusable)
	}
	if w.fault(0.1, "assets: error") {
		return generation.Asset{}, errInjected
	}
	w.kept[key] = true
	w.boundary("after keep")
	if w.fault(0.02, "assets: kept and the answer lost") {
		return generation.Asset{}, errInjected
	}
	return generation.Asset{Key: key, ContentType: "image/png", Bytes: 1}, nil
}

// Report is the caller's endpoint.
func (w *world) Report(_ context.Context, t task.Task) (int, error) {
	w.boundary("before report")
	if !w.store1(t.ID).Status.Terminal() {
		w.broken = append(w.broken, fmt.Sprintf("the caller was told that task %s is over, and it is not", t.ID))
	}
	if w.fault(0.3, "caller: endpoint down") {
		return 500, errors.New("caller's endpoint answered 500")
	}
	w.boundary("after report")
	return 200, nil
}

// store1 reads a task as it is, whatever the chaos.
func (w *world) store1(id string) task.Task {
	t, err := w.store.Task(context.Background(), id)
	must(err)
	return t
}

// View is the configuration. While there is chaos it cannot always be read, and
// now and then an operator has just removed a config.
func (w *world) View(context.Context) (catalog.View, error) {
	v := catalog.View{Models: w.models, Configs: w.configs}
	if w.fault(0.005, "config: cannot be read") {
		return v, errInjected
	}
	if w.fault(0.02, "config: removed for a while") {
		gone := w.rnd.IntN(len(v.Configs))
		v.Configs = slices.DeleteFunc(slices.Clone(v.Configs), func(c settings.Config) bool { return c.ID == v.Configs[gone].ID })
	}
	return v, nil
}

type noKeys struct{}

func (noKeys) Get(context.Context, string) (secret.Value, error) { return secret.Value{}, nil }
