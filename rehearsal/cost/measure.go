package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"easel/rehearsal"
)

// polls is how often a caller looks at a task before it fetches the picture.
const polls = 3

// spent is what one request, task or tick consumed, on average.
type spent struct {
	requests, invocations, lambdaMS, gbSeconds   float64
	dynamoCalls, readUnits, writeUnits           float64
	queueSends, bucketPuts, bucketGets, logBytes float64
	secretReads                                  float64
}

// measurements are the averages of each kind.
type measurements struct {
	n                 int
	image, text, tick spent
}

// measure runs each kind of request n times on a warm deployment. The simulated
// providers answer at once, so what is measured is the gateway's own work.
func measure(ctx context.Context, d *rehearsal.Deployment, n int) (measurements, error) {
	m := measurements{n: n}
	caller, err := d.Seed(ctx)
	if err != nil {
		return m, err
	}
	c := client{d, caller.Key}
	for _, kind := range []struct {
		into *spent
		once func(context.Context) error
	}{
		{&m.image, c.image}, {&m.text, c.text}, {&m.tick, d.Tick},
	} {
		if err := kind.once(ctx); err != nil { // warm
			return m, err
		}
		if err := c.settle(ctx); err != nil {
			return m, err
		}
		d.ResetUsage()
		for range n {
			if err := kind.once(ctx); err != nil {
				return m, err
			}
		}
		if err := c.settle(ctx); err != nil {
			return m, err
		}
		*kind.into = average(d, float64(n))
	}
	return m, nil
}

// average divides what was consumed since the last reset.
func average(d *rehearsal.Deployment, n float64) spent {
	u := d.Usage()
	s := spent{
		requests: float64(u.Requests) / n, readUnits: u.ReadUnits / n, writeUnits: u.WriteUnits / n,
		queueSends: float64(u.QueueSends) / n, bucketPuts: float64(u.BucketPuts) / n, bucketGets: float64(u.BucketGets) / n,
		logBytes: float64(u.LogBytes) / n, secretReads: float64(u.SecretReads) / n,
	}
	for _, calls := range u.Dynamo {
		s.dynamoCalls += float64(calls) / n
	}
	for _, f := range d.Functions {
		for _, r := range f.Records() {
			took := r.Init + r.Duration
			s.invocations += 1 / n
			s.lambdaMS += float64(took.Microseconds()) / 1000 / n
			s.gbSeconds += took.Seconds() * float64(r.MemoryMB) / 1024 / n
		}
	}
	return s
}

type client struct {
	*rehearsal.Deployment

	key string
}

// settle waits until the queue is empty and every invocation has ended.
func (c client) settle(ctx context.Context) error {
	for quiet := 0; quiet < 5; {
		depth := c.Queue.Depth()
		if depth.Ready+depth.InFlight == 0 {
			quiet++
		} else {
			quiet = 0
		}
		if err := wait(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// image asks for a picture without waiting, looks at the task as often as a caller
// would, and fetches the file.
func (c client) image(ctx context.Context) error {
	var t struct {
		ID, Status string
		Outputs    []struct{ URL string }
	}
	if err := c.call(ctx, http.MethodPost, "/api/generate", `{"prompt":"a lighthouse at dusk"}`, &t); err != nil {
		return err
	}
	if err := c.settle(ctx); err != nil {
		return err
	}
	for range polls {
		if err := c.call(ctx, http.MethodGet, "/api/task/"+t.ID, "", &t); err != nil {
			return err
		}
	}
	if t.Status != "succeeded" || len(t.Outputs) == 0 {
		return fmt.Errorf("task %s is %s", t.ID, t.Status)
	}
	return c.fetch(ctx, http.MethodGet, t.Outputs[0].URL, "", nil)
}

// text asks for a text and reads its stream.
func (c client) text(ctx context.Context) error {
	return c.fetch(ctx, http.MethodPost, c.URL+"/api/prompt", `{"prompt":"say something","stream":true}`, nil)
}

func (c client) call(ctx context.Context, method, path, body string, into any) error {
	return c.fetch(ctx, method, c.URL+path, body, into)
}

func (c client) fetch(ctx context.Context, method, address, body string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewBufferString(body))
	if err != nil {
		return err
	}
	if body != "" || into != nil { // the file's URL is signed
		request.Header.Set("Authorization", "Bearer "+c.key)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Prefer", "respond-async")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s answered %d: %s", method, request.URL.Path, response.StatusCode, content)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(content, into)
}
