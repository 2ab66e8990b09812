package chaos_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"easel/cmd/easel/local"
	"easel/functions/webhook/webhookapi"
	"easel/shared/provider/simulator"
	"easel/shared/secret"
	"easel/shared/task"
	"easel/shared/webhook"
)

// target is an attempt that reports come in about.
type target struct {
	provider, task, attempt, job string
	open                         bool
}

// attack is one report: what is wrong with it, and what may be answered.
type attack struct {
	kind   string
	path   string
	body   []byte
	header map[string]string
	// allowed are the statuses of the answer that are right.
	allowed []int
}

// forger makes reports of every kind, genuine ones among them.
type forger struct {
	// signer signs as the simulated Replicate does, fal as the simulated fal does.
	signer, stranger *webhook.Signer
	fal, strangerFal ed25519.PrivateKey
	targets          []target
}

// body is what the provider says when the job has ended.
func (tg target) body() []byte {
	if tg.provider == simulator.Fal {
		return fmt.Appendf(nil, `{"request_id":%q,"gateway_request_id":%q,"status":"OK","error":null,"payload":{}}`, tg.job, tg.job)
	}
	return fmt.Appendf(nil, `{"id":%q,"status":"succeeded","output":[]}`, tg.job)
}

func (tg target) path() string {
	return "/api/webhooks/" + tg.provider + "?" + url.Values{"task": {tg.task}, "attempt": {tg.attempt}}.Encode()
}

// sign returns the headers by which the target's provider signs, or a stranger.
func (f *forger) sign(tg target, body []byte, at time.Time, stranger bool) map[string]string {
	signer, key := f.signer, f.fal
	if stranger {
		signer, key = f.stranger, f.strangerFal
	}
	if tg.provider != simulator.Fal {
		h, err := signer.Headers("msg_"+tg.job, at, body)
		if err != nil {
			panic(err)
		}
		return h
	}
	stamp, sum := strconv.FormatInt(at.Unix(), 10), sha256.Sum256(body)
	message := strings.Join([]string{tg.job, "user", stamp, hex.EncodeToString(sum[:])}, "\n")
	return map[string]string{
		"X-Fal-Webhook-Request-Id": tg.job, "X-Fal-Webhook-User-Id": "user", "X-Fal-Webhook-Timestamp": stamp,
		"X-Fal-Webhook-Signature": hex.EncodeToString(ed25519.Sign(key, []byte(message))),
	}
}

// genuine is the report as the provider sends it.
func (f *forger) genuine(tg target) attack {
	body := tg.body()
	allowed := []int{http.StatusOK} // it ended long ago: ignored
	if tg.open {
		allowed = []int{http.StatusAccepted}
	}
	return attack{"genuine, repeated", tg.path(), body, f.sign(tg, body, time.Now(), false), allowed}
}

// kinds are the ways to spoil a genuine report.
func (f *forger) kinds() []func(a attack, tg, other target, rnd *rand.Rand) attack {
	refused := []int{http.StatusUnauthorized}
	return []func(a attack, tg, other target, rnd *rand.Rand) attack{
		func(a attack, _, _ target, _ *rand.Rand) attack { return a },
		func(a attack, tg, _ target, _ *rand.Rand) attack {
			a.kind, a.allowed, a.header = "signed by a stranger", refused, f.sign(tg, a.body, time.Now(), true)
			return a
		},
		func(a attack, _, _ target, _ *rand.Rand) attack {
			a.kind, a.allowed, a.body = "another body under the signature", refused, append([]byte(" "), a.body...)
			return a
		},
		func(a attack, _, _ target, rnd *rand.Rand) attack {
			a.kind, a.allowed, a.body = "cut off", refused, a.body[:rnd.IntN(len(a.body))]
			return a
		},
		func(a attack, tg, _ target, _ *rand.Rand) attack {
			a.kind, a.allowed, a.header = "replayed after an hour", refused, f.sign(tg, a.body, time.Now().Add(-time.Hour), false)
			return a
		},
		func(a attack, tg, _ target, _ *rand.Rand) attack {
			a.kind, a.allowed, a.header = "from the future", refused, f.sign(tg, a.body, time.Now().Add(time.Hour), false)
			return a
		},
		func(a attack, _, _ target, rnd *rand.Rand) attack {
			a.kind, a.allowed, a.header = "a header is missing", refused, maps.Clone(a.header)
			names := slices.Sorted(maps.Keys(a.header))
			delete(a.header, names[rnd.IntN(len(names))])
			return a
		},
		func(a attack, _, _ target, _ *rand.Rand) attack {
			a.kind, a.allowed, a.header = "not signed", refused, nil
			return a
		},
		func(a attack, tg, _ target, _ *rand.Rand) attack {
			a.kind, a.allowed = "about an attempt that is not there", []int{http.StatusNotFound}
			tg.attempt += "x"
			a.path = tg.path()
			return a
		},
		func(a attack, tg, other target, _ *rand.Rand) attack {
			a.kind, a.allowed = "about another task's attempt", []int{http.StatusNotFound}
			tg.task = other.task
			a.path = tg.path()
			return a
		},
		func(a attack, _, other target, _ *rand.Rand) attack {
			a.kind, a.allowed = "about another job", []int{http.StatusOK}
			a.path = other.path()
			return a
		},
		func(a attack, tg, _ target, _ *rand.Rand) attack {
			a.kind, a.allowed, a.body = "signed, and not JSON", []int{http.StatusBadRequest}, []byte(`{"id":`)
			a.header = f.sign(tg, a.body, time.Now(), false)
			return a
		},
		func(a attack, _, _ target, _ *rand.Rand) attack {
			a.kind, a.allowed = "huge", []int{http.StatusRequestEntityTooLarge}
			a.body = bytes.Repeat([]byte("x"), 1<<20+1)
			return a
		},
	}
}

// next makes one report.
func (f *forger) next(rnd *rand.Rand) attack {
	i := rnd.IntN(len(f.targets))
	tg := f.targets[i]
	other := tg
	for other == tg || other.provider != tg.provider {
		other = f.targets[rnd.IntN(len(f.targets))]
	}
	kinds := f.kinds()
	return kinds[rnd.IntN(len(kinds))](f.genuine(tg), tg, other, rnd)
}

// asked is the worker's queue: it notes what it is asked for, and passes it on.
type asked struct {
	webhookapi.Queue
	mu       sync.Mutex
	messages []task.Message
}

func (q *asked) Send(ctx context.Context, m task.Message, delay time.Duration) error {
	q.mu.Lock()
	q.messages = append(q.messages, m)
	q.mu.Unlock()
	return q.Queue.Send(ctx, m, delay)
}

// falKey is the key by which a simulated fal with the secret signs.
func falKey(t *testing.T, value secret.Value) ed25519.PrivateKey {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(value.Reveal(), "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, raw)
	mac.Write([]byte("simulated fal webhooks"))
	return ed25519.NewKeyFromSeed(mac.Sum(nil))
}

func newForger(t *testing.T, g *gateway) *forger {
	t.Helper()
	config, err := g.App.Store.Config(t.Context(), "cfg_replicate")
	if err != nil {
		t.Fatal(err)
	}
	own, err := g.App.WebhookSecret(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	other := webhook.NewSecret()
	f := &forger{fal: falKey(t, own), strangerFal: falKey(t, other)}
	if f.signer, err = webhook.NewSigner(own); err != nil {
		t.Fatal(err)
	}
	if f.stranger, err = webhook.NewSigner(other); err != nil {
		t.Fatal(err)
	}
	return f
}

// aim makes tasks whose jobs are at work, and tasks that have ended.
func (g *gateway) aim(models map[string]string) (targets []target) {
	g.t.Helper()
	for _, open := range []bool{false, true} {
		for _, name := range slices.Sorted(maps.Keys(models)) {
			if open {
				g.fault(name, simulator.Fault{Fault: simulator.LateSuccess, DelayMS: time.Hour.Milliseconds()})
			}
			for n := range 4 {
				v := g.ask(map[string]any{"prompt": fmt.Sprint("target ", n), "model": models[name]})
				g.until(v.ID, func(v view) bool {
					return v.ended() || open && len(v.Attempts) > 0 && v.Attempts[len(v.Attempts)-1].Outcome == "accepted"
				})
				targets = append(targets, g.target(v.ID, name, open))
			}
		}
	}
	return targets
}

func (g *gateway) target(id, provider string, open bool) target {
	g.t.Helper()
	now, err := g.App.Store.Task(g.t.Context(), id)
	if err != nil {
		g.t.Fatal(err)
	}
	last := now.Attempts[len(now.Attempts)-1]
	if now.Status.Terminal() == open || last.Provider != provider || last.Job == "" {
		g.t.Fatalf("task %s is no target: %+v", id, now)
	}
	return target{provider, id, last.ID, last.Job, open}
}

// state is what no forged report may change of the tasks.
func (g *gateway) state(targets []target) string {
	g.t.Helper()
	var text strings.Builder
	for _, tg := range targets {
		t, err := g.App.Store.Task(g.t.Context(), tg.task)
		if err != nil {
			g.t.Fatal(err)
		}
		for i := range t.Attempts {
			t.Attempts[i].Polls = 0 // a genuine report makes the worker look
		}
		parts, err := json.Marshal([]any{t.Status, t.Price, t.Reserved, t.Charged, t.Attempts, t.Outputs, t.Error, t.Loss})
		if err != nil {
			g.t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s %s\n", t.ID, parts)
	}
	return text.String()
}

// TestChaosForgedWebhooks sends 10,000 forged, replayed, cut off, misdirected and
// repeated reports, in no order, about jobs that are at work and jobs that have
// ended. None may change state or money; afterwards genuine ones still work.
func TestChaosForgedWebhooks(t *testing.T) {
	t.Parallel()
	g := start(t, func(o *local.Options) { o.SweepEvery = time.Hour })
	f := newForger(t, g)
	models := g.pictures()
	f.targets = g.aim(models)
	queue := &asked{Queue: g.App.Runner.Queue}
	handler := webhookapi.New(webhookapi.Deps{
		Tasks: g.App.Store, Views: g.App.Views, Providers: g.App.Providers, Secrets: g.App,
		Queue: queue, Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	before, money := g.state(f.targets), g.balance()
	reports := int64(10_000)
	if raced {
		reports /= 5
	}
	t.Logf("%d reports by kind and answer: %v", reports, f.bombard(t, handler, reports))
	late := map[string]bool{}
	for _, m := range queue.messages {
		i := slices.IndexFunc(f.targets, func(tg target) bool { return tg.attempt == m.Attempt })
		if m.Reason == task.ReasonLate && i >= 0 && !f.targets[i].open && !late[m.Attempt] {
			late[m.Attempt] = true // the first good report of a job that has ended is counted, and moves nothing
			continue
		}
		if i < 0 || !f.targets[i].open || f.targets[i].job != m.Job || f.targets[i].task != m.Task {
			t.Errorf("the worker was asked for %+v", m)
		}
	}
	// The worker looks at what it was asked about; the next look-ups are a while off.
	for deadline := time.Now().Add(patience); g.Queue.Depth().Ready+g.Queue.Depth().InFlight > 0; <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the queue still holds %+v", g.Queue.Depth())
		}
	}
	if after := g.state(f.targets); after != before {
		t.Errorf("the tasks were\n%s and are\n%s", before, after)
	}
	if b := g.balance(); b != money {
		t.Errorf("the balance was %+v and is %+v", money, b)
	}
	g.finish(f, handler, models)
}

// finish shows that a genuine report still ends a task.
func (g *gateway) finish(f *forger, handler http.Handler, models map[string]string) {
	g.t.Helper()
	for name, model := range models {
		g.fault(name, simulator.Fault{Fault: simulator.LostWebhook})
		v := g.ask(map[string]any{"prompt": "the last one", "model": model})
		g.until(v.ID, func(v view) bool { return len(v.Attempts) > 0 && v.Attempts[0].Outcome == "accepted" })
		tg := g.target(v.ID, name, true)
		if status := send(g.t.Context(), handler, f.genuine(tg)); status != http.StatusAccepted {
			g.t.Errorf("a genuine report of %s was answered %d, want 202", name, status)
		}
		if v := g.until(v.ID, view.ended); v.Status != "succeeded" || len(v.Attempts) != 1 {
			g.t.Errorf("task = %+v", v)
		}
	}
}

// bombard sends n reports from several senders and counts kinds and answers.
func (f *forger) bombard(t *testing.T, handler http.Handler, n int64) map[string]int {
	t.Helper()
	var (
		sent   atomic.Int64
		all    sync.WaitGroup
		mu     sync.Mutex
		counts = map[string]int{}
	)
	for sender := range uint64(8) {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(sender, 6))
			for sent.Add(1) <= n {
				a := f.next(rnd)
				status := send(t.Context(), handler, a)
				if !slices.Contains(a.allowed, status) {
					t.Errorf("%s (%s) was answered %d, want one of %v", a.kind, a.path, status, a.allowed)
				}
				mu.Lock()
				counts[fmt.Sprintf("%s: %d", a.kind, status)]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return counts
}

func send(ctx context.Context, handler http.Handler, a attack) int {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, a.path, bytes.NewReader(a.body))
	for name, value := range a.header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Code
}
