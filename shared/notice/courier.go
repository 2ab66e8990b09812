package notice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"easel/shared/endpoint"
	"easel/shared/journal"
	"easel/shared/task"
)

// Store keeps notices; *dynamo.Store is the one.
type Store interface {
	// Notice returns journal.ErrNotFound when there is none.
	Notice(ctx context.Context, id string) (Notice, error)
	// SaveNotice stores the notice as version n.Version+1, if that is the next one;
	// otherwise it returns an error that matches journal.ErrStale.
	SaveNotice(ctx context.Context, n Notice) error
	// DueNotices returns the ids of at most limit notices whose NextAt is not after now.
	DueNotices(ctx context.Context, now time.Time, limit int) ([]string, error)
}

// Queue carries messages to the worker.
type Queue interface {
	Send(ctx context.Context, body []byte, delay time.Duration) error
}

// Parts are what a Courier works with. All are required.
type Parts struct {
	Store     Store
	Endpoints *endpoint.Registry
	// Config gives what is configured, from a short cache.
	Config func(ctx context.Context) (Config, error)
	// Client reaches the endpoint. It must keep away from private addresses.
	Client *http.Client
	Queue  Queue
	// Retry says how long to wait after so many tries; ok is false when that was
	// the last one.
	Retry func(tries int) (wait time.Duration, ok bool)
	Now   func() time.Time
	Log   *slog.Logger
}

// Courier sends notices. It is safe for concurrent use, in one process or many.
type Courier struct{ Parts }

const (
	sendTimeout = 15 * time.Second
	// sweepLimit is how many due notices one sweep takes up.
	sweepLimit = 100
	// soon is the longest wait that is left to the queue; the sweep ends longer ones.
	soon = time.Minute
)

// message is what the worker's queue carries for a notice.
type message struct {
	Notice string `json:"notice"`
}

// Announce asks the worker to send a notice now. If no message can be sent, the
// sweep finds it.
func (c *Courier) Announce(ctx context.Context, id string) { c.wake(ctx, id, 0) }

func (c *Courier) wake(ctx context.Context, id string, delay time.Duration) {
	body, err := json.Marshal(message{id})
	if err == nil {
		err = c.Queue.Send(ctx, body, delay)
	}
	if err != nil {
		c.Log.WarnContext(ctx, "the sweep will send a notice: no message could be sent", "notice", id, "error", err)
	}
}

// Again makes a notice due again, now, with a fresh count of tries, whatever came
// of the last ones. It returns journal.ErrNotFound when there is none, and an error
// that matches journal.ErrStale when it is being sent at this moment.
func (c *Courier) Again(ctx context.Context, id string) (Notice, error) {
	n, err := c.Store.Notice(ctx, id)
	if err != nil {
		return n, err
	}
	n.Delivery = n.Delivery.Again(c.Now().UTC())
	return c.put(ctx, n)
}

// Test sends a notice of the type test, so that an operator sees whether the
// endpoint takes any. data is a JSON object.
func (c *Courier) Test(ctx context.Context, id string, data json.RawMessage) (Notice, error) {
	now := c.Now().UTC()
	return c.put(ctx, Notice{ID: id, Type: "test", At: now, Data: data, Delivery: task.Delivery{NextAt: now}})
}

// put stores a notice and has it sent.
func (c *Courier) put(ctx context.Context, n Notice) (Notice, error) {
	if err := c.Store.SaveNotice(ctx, n); err != nil {
		return n, err
	}
	n.Version++
	c.Announce(ctx, n.ID)
	return n, nil
}

// Handle returns next for messages of the worker's queue that are not about
// notices.
func (c *Courier) Handle(next func(ctx context.Context, body []byte) error) func(ctx context.Context, body []byte) error {
	return func(ctx context.Context, body []byte) error {
		var m message
		if json.Unmarshal(body, &m) != nil || m.Notice == "" {
			return next(ctx, body)
		}
		return c.Deliver(ctx, m.Notice)
	}
}

// Sweep sends what is due, at most a hundred notices. Run it every minute. It
// costs one query when nothing is.
func (c *Courier) Sweep(ctx context.Context) error {
	ids, err := c.Store.DueNotices(ctx, c.Now(), sweepLimit)
	if err != nil {
		return fmt.Errorf("find due notices: %w", err)
	}
	for _, id := range ids {
		c.Announce(ctx, id)
	}
	return nil
}

// Deliver makes one try to send the notice, if one is due. A try that fails is no
// error: it is written down, and another one planned.
func (c *Courier) Deliver(ctx context.Context, id string) error {
	n, err := c.Store.Notice(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read notice %s: %w", id, err)
	}
	started := c.Now()
	if n.Delivery.NextAt.IsZero() || n.Delivery.NextAt.After(started) {
		return nil
	}
	config, err := c.Config(ctx)
	if err != nil {
		return fmt.Errorf("read where notices go: %w", err)
	}
	status, failed := c.try(ctx, n, config)
	wait := c.tried(&n, status, failed, started)
	err = c.Store.SaveNotice(ctx, n)
	if errors.Is(err, journal.ErrStale) {
		return nil // somebody else tried it too: its receiver knows it by its id
	}
	if err != nil {
		return fmt.Errorf("write down what came of notice %s: %w", id, err)
	}
	c.learn(ctx, config, n, failed)
	if wait > 0 && wait < soon {
		c.wake(ctx, id, wait)
	}
	return nil
}

// errNowhere is a notice that nobody wants any more.
var errNowhere = errors.New("there is no endpoint for notices")

// errDisabled is a notice to an endpoint that takes none.
var errDisabled = fmt.Errorf("the endpoint is disabled: %d notices in a row were given up; save the setting to send them again", endpoint.Patience)

// tried writes a try into the notice and returns how long to wait for the next
// one; 0 is for ever.
func (c *Courier) tried(n *Notice, status int, failed error, started time.Time) time.Duration {
	now := c.Now()
	try := task.Try{At: started, Status: status, LatencyMS: now.Sub(started).Milliseconds()}
	if failed != nil {
		try.Error = failed.Error()
	}
	n.Delivery = n.Delivery.Tried(try)
	switch {
	case failed == nil:
		n.Delivery.DoneAt = now
	case errors.Is(failed, errNowhere) || errors.Is(failed, errDisabled):
	default:
		if wait, again := c.Retry(n.Delivery.Tries); again {
			n.Delivery.NextAt = now.Add(wait)
			return wait
		}
	}
	return 0
}

// learn writes down what a try says about the endpoint. Most say nothing new.
func (c *Courier) learn(ctx context.Context, config Config, n Notice, failed error) {
	var err error
	switch {
	case failed == nil:
		err = c.Endpoints.Works(ctx, Operator, config.URL)
	case n.Delivery.NextAt.IsZero() && config.URL != "" && !errors.Is(failed, errDisabled):
		err = c.Endpoints.GaveUp(ctx, Operator, config.URL, n.ID)
	}
	if err != nil {
		c.Log.WarnContext(ctx, "how the operator's endpoint does could not be written down", "notice", n.ID, "error", err)
	}
}

// try sends the notice once. Any status of 2xx is success. What it returns says
// nothing of the URL, which may hold a secret.
func (c *Courier) try(ctx context.Context, n Notice, config Config) (status int, err error) {
	if config.URL == "" {
		return 0, errNowhere
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	book, err := c.Endpoints.Book(ctx, Operator)
	if err != nil {
		return 0, errors.New("the notice could not be made")
	}
	if book.Disabled(config.URL) {
		return 0, errDisabled
	}
	request, err := c.request(ctx, n, config, book)
	if err != nil {
		return 0, errors.New("the notice could not be made")
	}
	return endpoint.Send(c.Client, request)
}

func (c *Courier) request(ctx context.Context, n Notice, config Config, book endpoint.Book) (*http.Request, error) {
	payload, err := json.Marshal(body{Type: n.Type, Timestamp: n.At.UTC(), Data: n.Data})
	if err != nil {
		return nil, fmt.Errorf("encode a notice: %w", err)
	}
	return c.Endpoints.Request(ctx, book, config.URL, n.ID, payload)
}
