// Package queue carries messages from the functions to the worker: [SQS] when
// deployed, [Local] in one process.
//
// Both deliver at least once, in no promised order: a message comes again when
// its handler fails, crashes or takes too long, and at times for no reason at
// all. A body is opaque here; by custom it is a small JSON object that names what
// to look at, and the handler reads the truth from the database.
package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

const (
	// MaxDelay is the longest delay that a message can have, by the rules of SQS.
	MaxDelay = 15 * time.Minute
	// MaxBody is the largest body in bytes. SQS takes more today, at a price per
	// 64 KiB; a message that needs more belongs in the database.
	MaxBody = 256 << 10
)

// ErrMessage is wrapped by Send when a message can never be sent: the body is
// empty, too large or not UTF-8, or the delay is out of range.
var ErrMessage = errors.New("message is not valid")

// Handler works on one message. A nil error removes it; after any other it is
// delivered again. The body is the handler's own. The context ends when the
// worker's time is over.
type Handler func(ctx context.Context, body []byte) error

func check(body []byte, delay time.Duration) error {
	switch {
	case len(body) == 0:
		return fmt.Errorf("%w: the body is empty", ErrMessage)
	case len(body) > MaxBody:
		return fmt.Errorf("%w: the body has %d bytes, more than %d", ErrMessage, len(body), MaxBody)
	case !utf8.Valid(body):
		return fmt.Errorf("%w: the body is not UTF-8", ErrMessage)
	case delay < 0 || delay > MaxDelay:
		return fmt.Errorf("%w: a delay of %s is not between 0 and %s", ErrMessage, delay, MaxDelay)
	}
	return nil
}
