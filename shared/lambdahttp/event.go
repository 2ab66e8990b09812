package lambdahttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

// Worker is what a function behind a queue and a schedule does. Both must be safe
// for concurrent use and expect the same call again: delivery is at least once.
type Worker struct {
	// Message works on one message; nil removes it from the queue, an error has it
	// delivered again later.
	Message func(ctx context.Context, body []byte) error
	// Tick runs at each turn of the schedule, with the time it was due.
	Tick func(ctx context.Context, due time.Time) error
}

// ErrUnknownEvent is returned for an event that is neither of a queue nor of a
// schedule.
var ErrUnknownEvent = errors.New("unknown kind of event")

// StartWorker serves the worker's invocations until the process ends.
func StartWorker(worker Worker, options Options) {
	lambda.Start(WorkerHandler(worker, options))
}

// WorkerHandler returns a function that tells the two kinds of event apart and
// hands them to SQSHandler and ScheduleHandler.
func WorkerHandler(worker Worker, options Options) func(context.Context, json.RawMessage) (events.SQSEventResponse, error) {
	messages, tick := SQSHandler(worker.Message, options), ScheduleHandler(worker.Tick, options)
	return func(ctx context.Context, event json.RawMessage) (events.SQSEventResponse, error) {
		var shape struct {
			Source  string `json:"source"`
			Records []struct {
				EventSource string `json:"eventSource"` //nolint:tagliatelle // the names of AWS
			} `json:"Records"` //nolint:tagliatelle
		}
		if err := json.Unmarshal(event, &shape); err != nil {
			return events.SQSEventResponse{}, fmt.Errorf("%w: %w", ErrUnknownEvent, err)
		}
		switch {
		case len(shape.Records) > 0 && shape.Records[0].EventSource == "aws:sqs":
			var batch events.SQSEvent
			if err := json.Unmarshal(event, &batch); err != nil {
				return events.SQSEventResponse{}, fmt.Errorf("%w: %w", ErrUnknownEvent, err)
			}
			return messages(ctx, batch)
		case shape.Source == "aws.events" || shape.Source == "aws.scheduler":
			var scheduled events.CloudWatchEvent
			if err := json.Unmarshal(event, &scheduled); err != nil {
				return events.SQSEventResponse{}, fmt.Errorf("%w: %w", ErrUnknownEvent, err)
			}
			return events.SQSEventResponse{}, tick(ctx, scheduled)
		}
		return events.SQSEventResponse{}, fmt.Errorf("%w: source %q", ErrUnknownEvent, shape.Source)
	}
}

// SQSHandler returns a function for a queue's event source mapping with
// ReportBatchItemFailures. The messages of a batch are worked on at once, and
// only those that failed are delivered again: with an error, a panic, or without
// a result when the time is over.
func SQSHandler(handle func(ctx context.Context, body []byte) error, options Options) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	return func(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
		ctx, cancel := options.deadline(ctx)
		defer cancel()
		results := make(chan result, len(batch.Records)) // with room for late ones
		for i, record := range batch.Records {
			go func() {
				ctx := context.WithValue(ctx, sentKey{}, sentAt(record))
				err := protect(func() error { return handle(ctx, []byte(record.Body)) })
				results <- result{index: i, err: err}
			}()
		}
		succeeded := make([]bool, len(batch.Records))
		for range batch.Records {
			select {
			case r := <-results:
				succeeded[r.index] = r.err == nil
				if r.err != nil {
					options.logger().WarnContext(ctx, "message failed", "message_id", batch.Records[r.index].MessageId, "error", r.err)
				}
				continue
			case <-ctx.Done():
			}
			collect(results, succeeded)
			options.logger().WarnContext(ctx, "time is over before the batch")
			break
		}
		response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		for i, record := range batch.Records {
			if !succeeded[i] {
				response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
			}
		}
		return response, nil
	}
}

type sentKey struct{}

// SentAt returns when the message that ctx belongs to was put on the queue, and
// false where that is not known. A message that was sent with a delay was sent
// before it.
func SentAt(ctx context.Context) (time.Time, bool) {
	at, _ := ctx.Value(sentKey{}).(time.Time)
	return at, !at.IsZero()
}

// sentAt is the queue's own time stamp in milliseconds, zero where there is none.
func sentAt(record events.SQSMessage) time.Time {
	ms, err := strconv.ParseInt(record.Attributes["SentTimestamp"], 10, 64)
	if err != nil || ms <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// result is how the work on one message of a batch ended.
type result struct {
	index int
	err   error
}

// collect takes the results that are there already.
func collect(results <-chan result, succeeded []bool) {
	for {
		select {
		case r := <-results:
			succeeded[r.index] = r.err == nil
		default:
			return
		}
	}
}

// ScheduleHandler returns a function for an EventBridge rule or schedule. An
// error or a panic makes the invocation fail, which AWS tries again and counts.
func ScheduleHandler(tick func(ctx context.Context, due time.Time) error, options Options) func(context.Context, events.CloudWatchEvent) error {
	return func(ctx context.Context, event events.CloudWatchEvent) error {
		ctx, cancel := options.deadline(ctx)
		defer cancel()
		return protect(func() error { return tick(ctx, event.Time) })
	}
}

// protect turns a panic into an error.
func protect(work func() error) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, reason, debug.Stack())
		}
	}()
	return work()
}
