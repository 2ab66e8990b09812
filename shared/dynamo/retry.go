package dynamo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"easel/shared/fault"
)

const (
	backoffBase = 20 * time.Millisecond
	backoffCap  = 500 * time.Millisecond
)

// write runs op until it meets neither a conflict with another writer nor
// throttling, at most Tries times, with exponential backoff and full jitter: the
// k-th pause is uniform over 0 to min(500 ms, 20 ms * 2^k), so eight tries wait
// less than 1.7 seconds in all. It returns op's last error as it is.
func (s *Store) write(ctx context.Context, op func() error) error {
	for try := 0; ; try++ {
		err := op()
		if err == nil || !passing(err) || try+1 >= s.options.Tries {
			return err
		}
		pause := min(backoffCap, backoffBase<<try)
		if waitErr := wait(ctx, rand.N(pause)); waitErr != nil { //nolint:gosec // jitter needs no secret
			return errors.Join(waitErr, err)
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// passing reports whether the error says that another write was in the way, so
// that the same write may succeed a moment later. The request had no effect.
func passing(err error) bool {
	var canceled *types.TransactionCanceledException
	if errors.As(err, &canceled) {
		for _, reason := range canceled.CancellationReasons {
			if reason.Code != nil && passingCode(*reason.Code) {
				return true
			}
		}
		return false
	}
	var api smithy.APIError
	return errors.As(err, &api) && passingCode(api.ErrorCode())
}

func passingCode(code string) bool {
	switch code {
	case "TransactionConflict", "TransactionConflictException", "TransactionInProgressException",
		"ProvisionedThroughputExceeded", "ProvisionedThroughputExceededException",
		"ThrottlingError", "ThrottlingException", "RequestLimitExceeded":
		return true
	}
	return false
}

// translate gives an error of DynamoDB a form that callers understand: a busy
// table is Unavailable and worth a retry, anything else is only wrapped.
func translate(doing string, err error) error {
	if err == nil {
		return nil
	}
	wrapped := fmt.Errorf("dynamo: %s: %w", doing, err)
	if passing(err) {
		busy := fault.New(fault.Unavailable, "the store is busy; try again")
		busy.RetryAfter = time.Second
		return busy.Because(wrapped)
	}
	return wrapped
}
