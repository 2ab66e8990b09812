package lambdahttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"easel/shared/lambdahttp"
)

var errBoom = errors.New("boom")

func batch(t *testing.T) events.SQSEvent {
	t.Helper()
	var decoded events.SQSEvent
	if err := json.Unmarshal(fixture(t, "sqs.json"), &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func failed(response events.SQSEventResponse) []string {
	ids := make([]string, 0, len(response.BatchItemFailures))
	for _, failure := range response.BatchItemFailures {
		ids = append(ids, failure.ItemIdentifier[:4])
	}
	return ids
}

func TestOnlyTheFailedMessagesOfABatchComeAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handle func(body string) error
		want   []string
	}{
		"all succeed": {func(string) error { return nil }, []string{}},
		"one fails": {func(body string) error {
			if strings.Contains(body, "task_2") {
				return errBoom
			}
			return nil
		}, []string{"2e14"}},
		"one panics": {func(body string) error {
			if strings.Contains(body, "task_1") {
				panic("nil map")
			}
			return nil
		}, []string{"059f"}},
		"all fail": {func(string) error { return errBoom }, []string{"059f", "2e14", "7a0f"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options, logged := quiet()
			var mu sync.Mutex
			var bodies []string
			response, err := lambdahttp.SQSHandler(func(_ context.Context, body []byte) error {
				mu.Lock()
				bodies = append(bodies, string(body))
				mu.Unlock()
				return c.handle(string(body))
			}, options)(t.Context(), batch(t))
			slices.Sort(bodies)
			if err != nil || !slices.Equal(failed(response), c.want) || len(bodies) != 3 || bodies[0] != `{"task_id":"task_1"}` {
				t.Errorf("failed %v, %v, bodies %v", failed(response), err, bodies)
			}
			if (len(c.want) > 0) != strings.Contains(logged.String(), "message failed") {
				t.Errorf("log %s", logged)
			}
		})
	}
}

func TestMessagesWithoutAResultInTimeComeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		release := make(chan struct{})
		options, _ := quiet()
		start := time.Now()
		response, err := lambdahttp.SQSHandler(func(_ context.Context, body []byte) error {
			if strings.Contains(string(body), "task_3") {
				<-release // ignores its context
			}
			return nil
		}, options)(ctx, batch(t))
		if err != nil || !slices.Equal(failed(response), []string{"7a0f"}) || time.Since(start) != time.Minute-1500*time.Millisecond {
			t.Errorf("failed %v after %s, %v", failed(response), time.Since(start), err)
		}
		close(release)
	})
}

func TestTheWorkerTellsItsEventsApart(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	messages, ticks := 0, []time.Time{}
	options, _ := quiet()
	handler := lambdahttp.WorkerHandler(lambdahttp.Worker{
		Message: func(context.Context, []byte) error {
			mu.Lock()
			defer mu.Unlock()
			messages++
			return nil
		},
		Tick: func(_ context.Context, due time.Time) error {
			ticks = append(ticks, due)
			return nil
		},
	}, options)
	for _, name := range []string{"sqs.json", "schedule.json"} {
		if response, err := handler(t.Context(), fixture(t, name)); err != nil || len(response.BatchItemFailures) != 0 {
			t.Errorf("%s: %+v, %v", name, response, err)
		}
	}
	if messages != 3 || len(ticks) != 1 || !ticks[0].Equal(time.Date(2026, 11, 22, 5, 12, 0, 0, time.UTC)) {
		t.Errorf("%d messages, ticks %v", messages, ticks)
	}
	for _, text := range []string{"{}", "null", `"x"`, "nonsense", `{"Records":[{"eventSource":"aws:s3"}]}`, string(fixture(t, "get.json"))} {
		if _, err := handler(t.Context(), json.RawMessage(text)); !errors.Is(err, lambdahttp.ErrUnknownEvent) {
			t.Errorf("%.40s: %v", text, err)
		}
	}
}

func TestAFailedTickFailsTheInvocation(t *testing.T) {
	t.Parallel()
	for name, tick := range map[string]func(context.Context, time.Time) error{
		"an error": func(context.Context, time.Time) error { return errBoom },
		"a panic":  func(context.Context, time.Time) error { panic("nil map") },
	} {
		if err := lambdahttp.ScheduleHandler(tick, lambdahttp.Options{})(t.Context(), events.CloudWatchEvent{}); err == nil {
			t.Errorf("%s was swallowed", name)
		}
	}
}
