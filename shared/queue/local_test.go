package queue_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"easel/shared/queue"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBoom = errors.New("boom")

// recorder is a handler that remembers its deliveries and answers as told.
type recorder struct {
	mu     sync.Mutex
	start  time.Time
	seen   []string // "body@seconds"
	answer func(ctx context.Context, body string, time int) error
}

func (r *recorder) handle(ctx context.Context, body []byte) error {
	text := string(body)
	r.mu.Lock()
	r.seen = append(r.seen, text+"@"+strconv.Itoa(int(time.Since(r.start)/time.Second)))
	times := 0
	for _, seen := range r.seen {
		if strings.HasPrefix(seen, text+"@") {
			times++
		}
	}
	r.mu.Unlock()
	clear(body) // the body is the handler's own: this must not reach the next delivery
	if r.answer == nil {
		return nil
	}
	return r.answer(ctx, text, times)
}

func (r *recorder) deliveries() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// run starts a queue in a bubble; it ends with the test.
func run(t *testing.T, options queue.LocalOptions, answer func(context.Context, string, int) error) (*queue.Local, *recorder) {
	t.Helper()
	local := queue.NewLocal(options)
	record := &recorder{start: time.Now(), answer: answer}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		local.Run(ctx, record.handle)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return local, record
}

func send(t *testing.T, local *queue.Local, body string, delay time.Duration) {
	t.Helper()
	if err := local.Send(t.Context(), []byte(body), delay); err != nil {
		t.Fatal(err)
	}
}

// pass lets time go by in a bubble.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestAMessageIsDeliveredOnceWhenItsHandlerSucceeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		local, record := run(t, queue.LocalOptions{}, nil)
		send(t, local, "a", 0)
		send(t, local, "b", 0)
		pass(time.Hour)
		got := record.deliveries()
		slices.Sort(got)
		if !slices.Equal(got, []string{"a@0", "b@0"}) || local.Depth() != (queue.Counts{}) {
			t.Errorf("deliveries %v, depth %+v", got, local.Depth())
		}
	})
}

func TestMessagesAreDeliveredInOrderToOneWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		local, record := run(t, queue.LocalOptions{Workers: 1}, nil)
		for _, body := range []string{"a", "b", "c", "d"} {
			send(t, local, body, 0)
		}
		synctest.Wait()
		if got := record.deliveries(); !slices.Equal(got, []string{"a@0", "b@0", "c@0", "d@0"}) {
			t.Errorf("deliveries %v", got)
		}
	})
}

func TestADelayedMessageWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		local, record := run(t, queue.LocalOptions{}, nil)
		send(t, local, "late", 15*time.Minute)
		send(t, local, "soon", 10*time.Second)
		synctest.Wait()
		if depth := local.Depth(); depth != (queue.Counts{Delayed: 2}) {
			t.Errorf("depth %+v", depth)
		}
		pass(time.Hour)
		if got := record.deliveries(); !slices.Equal(got, []string{"soon@10", "late@900"}) {
			t.Errorf("deliveries %v", got)
		}
	})
}

func TestAFailedMessageComesAgainAfterTheVisibilityTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		local, record := run(t, queue.LocalOptions{Visibility: 30 * time.Second}, func(_ context.Context, _ string, times int) error {
			if times < 3 {
				return errBoom
			}
			return nil
		})
		send(t, local, "a", 0)
		pass(time.Hour)
		if got := record.deliveries(); !slices.Equal(got, []string{"a@0", "a@30", "a@60"}) || local.Depth() != (queue.Counts{}) {
			t.Errorf("deliveries %v, depth %+v", got, local.Depth())
		}
	})
}

func TestRetryDelayReplacesTheVisibilityTimeoutAfterAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		local, record := run(t, queue.LocalOptions{RetryDelay: 2 * time.Second, MaxReceives: 2}, func(context.Context, string, int) error { return errBoom })
		send(t, local, "a", 0)
		pass(time.Hour)
		if got := record.deliveries(); !slices.Equal(got, []string{"a@0", "a@2"}) {
			t.Errorf("deliveries %v", got)
		}
	})
}

func TestAPanicIsAFailureAndLeavesTheQueueRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		options := queue.LocalOptions{Workers: 1, Logger: slog.New(slog.NewTextHandler(&logged, nil))}
		local, record := run(t, options, func(_ context.Context, body string, times int) error {
			if body == "bad" && times == 1 {
				panic("nil map")
			}
			return nil
		})
		send(t, local, "bad", 0)
		send(t, local, "good", 0)
		pass(time.Hour)
		if got := record.deliveries(); !slices.Equal(got, []string{"bad@0", "good@0", "bad@60"}) {
			t.Errorf("deliveries %v", got)
		}
		if !strings.Contains(logged.String(), "nil map") {
			t.Errorf("log %q", logged.String())
		}
	})
}

func TestAHandlerThatTakesTooLongLosesTheMessageToAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		local, record := run(t, queue.LocalOptions{Visibility: 10 * time.Second}, func(ctx context.Context, _ string, times int) error {
			if times == 1 {
				<-release // ignores its context
				return errBoom
			}
			return ctx.Err()
		})
		send(t, local, "a", 0)
		pass(time.Hour)
		if got := record.deliveries(); !slices.Equal(got, []string{"a@0", "a@10"}) || local.Depth() != (queue.Counts{}) {
			t.Errorf("deliveries %v, depth %+v", got, local.Depth())
		}
	})
}

func TestTheHandlersContextEndsWithTheVisibilityTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		local, record := run(t, queue.LocalOptions{Visibility: 10 * time.Second, MaxReceives: 1}, func(ctx context.Context, _ string, _ int) error {
			<-ctx.Done()
			return context.Cause(ctx)
		})
		send(t, local, "a", 0)
		pass(time.Hour)
		dead := local.Dead()
		if len(record.deliveries()) != 1 || len(dead) != 1 || !bytes.Equal(dead[0].Body, []byte("a")) {
			t.Errorf("deliveries %v, dead %+v", record.deliveries(), dead)
		}
	})
}

func TestAMessageThatKeepsFailingIsDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		local, record := run(t, queue.LocalOptions{MaxReceives: 3}, func(_ context.Context, body string, _ int) error {
			if body == "poison" {
				return errBoom
			}
			return nil
		})
		send(t, local, "poison", 0)
		send(t, local, "fine", 0)
		pass(time.Hour)
		dead := local.Dead()
		if len(dead) != 1 || string(dead[0].Body) != "poison" || dead[0].Receives != 3 || !errors.Is(dead[0].Err, errBoom) {
			t.Fatalf("dead %+v", dead)
		}
		if depth := local.Depth(); depth != (queue.Counts{Dead: 1}) || len(record.deliveries()) != 4 {
			t.Errorf("depth %+v, deliveries %v", depth, record.deliveries())
		}
	})
}

func TestNoMoreHandlersRunThanThereAreWorkers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		local, record := run(t, queue.LocalOptions{Workers: 2}, func(context.Context, string, int) error {
			<-release
			return nil
		})
		for i := range 5 {
			send(t, local, strconv.Itoa(i), 0)
		}
		synctest.Wait()
		if depth := local.Depth(); depth != (queue.Counts{Ready: 3, InFlight: 2}) || len(record.deliveries()) != 2 {
			t.Errorf("depth %+v, deliveries %v", depth, record.deliveries())
		}
		close(release)
		synctest.Wait()
		if depth := local.Depth(); depth != (queue.Counts{}) || len(record.deliveries()) != 5 {
			t.Errorf("depth %+v, deliveries %v", depth, record.deliveries())
		}
	})
}

func TestDuplicatesCanBeAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		local, record := run(t, queue.LocalOptions{Workers: 1, DuplicateEvery: 2}, nil)
		for _, body := range []string{"a", "b", "c", "d"} {
			send(t, local, body, 0)
		}
		pass(time.Hour)
		got := record.deliveries()
		slices.Sort(got)
		if !slices.Equal(got, []string{"a@0", "b@0", "b@0", "c@0", "d@0", "d@0"}) || local.Depth() != (queue.Counts{}) {
			t.Errorf("deliveries %v, depth %+v", got, local.Depth())
		}
	})
}

func TestDrainWaitsForRunningHandlersAndStartsNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		local, record := run(t, queue.LocalOptions{Workers: 1}, func(context.Context, string, int) error {
			<-release
			return nil
		})
		send(t, local, "running", 0)
		send(t, local, "waiting", 0)
		synctest.Wait()
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := local.Drain(hurried); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain while a handler runs = %v", err)
		}
		close(release)
		if err := local.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		send(t, local, "after", 0)
		pass(time.Hour)
		if got := record.deliveries(); !slices.Equal(got, []string{"running@0"}) || local.Depth() != (queue.Counts{Ready: 2}) {
			t.Errorf("deliveries %v, depth %+v", got, local.Depth())
		}
	})
}

func TestRunEndsWithItsContextAndCancelsTheHandlers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		local := queue.NewLocal(queue.LocalOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go local.Run(ctx, func(ctx context.Context, _ []byte) error {
			<-ctx.Done()
			done <- ctx.Err()
			return ctx.Err()
		})
		send(t, local, "a", 0)
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("handler's context: %v", err)
		}
		synctest.Wait()
		if err := local.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestSendRefusesWhatSQSWouldRefuse(t *testing.T) {
	t.Parallel()
	local := queue.NewLocal(queue.LocalOptions{})
	for name, c := range map[string]struct {
		body  []byte
		delay time.Duration
	}{
		"an empty body":    {nil, 0},
		"a huge body":      {bytes.Repeat([]byte("a"), queue.MaxBody+1), 0},
		"a binary body":    {[]byte{0xff, 0xfe}, 0},
		"a long delay":     {[]byte("a"), queue.MaxDelay + 1},
		"a negative delay": {[]byte("a"), -1},
	} {
		if err := local.Send(t.Context(), c.body, c.delay); !errors.Is(err, queue.ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := local.Send(canceled, []byte("a"), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if local.Depth() != (queue.Counts{}) {
		t.Errorf("depth %+v", local.Depth())
	}
}

func TestSendKeepsItsOwnCopy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		local, record := run(t, queue.LocalOptions{}, nil)
		body := []byte("mine")
		if err := local.Send(t.Context(), body, time.Second); err != nil {
			t.Fatal(err)
		}
		clear(body)
		pass(time.Minute)
		if got := record.deliveries(); !slices.Equal(got, []string{"mine@1"}) {
			t.Errorf("deliveries %q", got)
		}
	})
}

func TestManySendersAndWorkersLoseNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		local, record := run(t, queue.LocalOptions{DuplicateEvery: 7}, func(_ context.Context, _ string, times int) error {
			if times == 1 {
				return errBoom
			}
			return nil
		})
		var senders sync.WaitGroup
		for i := range 20 {
			senders.Go(func() {
				for j := range 20 {
					if err := local.Send(t.Context(), []byte(strconv.Itoa(i)+"."+strconv.Itoa(j)), time.Duration(j)*time.Second); err != nil {
						t.Error(err)
					}
				}
			})
		}
		senders.Wait()
		pass(time.Hour)
		bodies := map[string]bool{}
		for _, seen := range record.deliveries() {
			body, _, _ := strings.Cut(seen, "@")
			bodies[body] = true
		}
		if len(bodies) != 400 || local.Depth() != (queue.Counts{}) {
			t.Errorf("%d messages arrived, depth %+v", len(bodies), local.Depth())
		}
	})
}
