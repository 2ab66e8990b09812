package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/dynamo"
	"easel/shared/secret"
)

// The bounds of a measurement.
const (
	maxBenchTasks   = 100_000
	maxBenchCallers = 256
)

const aboutBench = `
Sends many generations, several at a time, waits for all of them, and says how
long they took, what they cost, and whether the account is exact afterwards.
Without -server a gateway runs inside this command with simulated providers that
answer at once (EASEL_SIMULATOR_LATENCY_MS for others) and draw coarsely, so that
the gateway is measured and not the drawing. With -server real credits are spent,
and -spend says how many may be.`

// benchFlags are what a measurement can be asked for.
type benchFlags struct {
	generateFlags
	tasks, callers int
	spend          int64
}

func benchArgs(c console, args []string) (benchFlags, error) {
	f := benchFlags{generateFlags: generateFlags{count: 1, seed: -1}}
	flags := newFlags(c, "bench", "[flags]", aboutBench)
	flags.IntVar(&f.tasks, "n", 200, "how many tasks")
	flags.IntVar(&f.callers, "c", 8, "how many at a time")
	flags.StringVar(&f.model, "model", "", "`name` of the model (default: the catalog's default image model)")
	flags.StringVar(&f.prompt, "prompt", "a lighthouse at dusk", "the `prompt` of every task")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Minute, "how long to wait for all of them")
	flags.BoolVar(&f.json, "json", false, "print the results as JSON")
	flags.StringVar(&f.server, "server", "", "`URL` of a running gateway to use instead")
	flags.StringVar(&f.key, "key", "", "API `key` for -server (default: EASEL_API_KEY)")
	flags.Int64Var(&f.spend, "spend", 0, "most `credits` to spend at -server")
	if err := parse(flags, args); err != nil {
		return f, err
	}
	switch {
	case flags.NArg() > 0:
		return f, usagef("unexpected argument %q", flags.Arg(0))
	case f.tasks < 1 || f.tasks > maxBenchTasks:
		return f, usagef("-n must be 1 to %d", maxBenchTasks)
	case f.callers < 1 || f.callers > maxBenchCallers:
		return f, usagef("-c must be 1 to %d", maxBenchCallers)
	case f.server != "" && f.spend < 1:
		return f, usagef("-server spends real credits: say with -spend how many it may be")
	}
	return f, nil
}

// subject is the gateway that is measured.
type subject struct {
	client  *client
	counter *dynamo.Counter // nil at a server
	fund    func(ctx context.Context, credits int64) error
	stop    func()
}

func bench(ctx context.Context, c console, args []string) error {
	f, err := benchArgs(c, args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	s, err := f.subject(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	price, err := s.client.price(ctx, f.generateFlags)
	if err != nil {
		return err
	}
	if total := price * int64(f.tasks); f.server != "" && total > f.spend {
		return usagef("%d tasks at %d credits cost %d, more than -spend %d", f.tasks, price, total, f.spend)
	} else if err := s.fund(ctx, total); err != nil {
		return err
	}
	before, err := s.client.account(ctx)
	if err != nil {
		return err
	}
	result, err := s.measure(ctx, c, f)
	if err != nil {
		return err
	}
	if result.Account, err = s.client.account(ctx); err != nil {
		return err
	}
	result.Spent = result.Account.Spent - before.Spent
	return f.report(c, result)
}

// subject returns the named server, or a gateway that it starts.
func (f benchFlags) subject(ctx context.Context) (*subject, error) {
	pool := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: f.callers}}
	if f.server != "" {
		client, stop, err := f.connect(ctx, nil)
		if err != nil {
			return nil, err
		}
		client.http = pool
		return &subject{client: client, fund: func(context.Context, int64) error { return nil }, stop: stop}, nil
	}
	options, err := local.FromEnvironment()
	if err != nil {
		return nil, err
	}
	options.Addr, options.Data, options.Draft = "127.0.0.1:0", "", true
	options.Counter, options.Redactor = &dynamo.Counter{}, secret.NewRedactor()
	if options.SimulatorLatency == nil {
		options.SimulatorLatency = new(time.Duration)
	}
	gateway, err := local.Start(ctx, options)
	if err != nil {
		return nil, err
	}
	admin := &client{url: gateway.URL, key: gateway.AdminKey, http: pool}
	return &subject{
		client:  &client{url: gateway.URL, key: gateway.APIKey, http: pool},
		counter: options.Counter,
		fund: func(ctx context.Context, credits int64) error {
			if credits == 0 {
				return nil
			}
			_, err := admin.ask(ctx, http.MethodPost, "/api/admin/accounts/"+gateway.Account+"/grants",
				map[string]any{"amount": credits, "note": "easel bench"})
			return err
		},
		stop: func() { _ = gateway.Close() },
	}, nil
}

// benchResult is what a measurement found. Times are in milliseconds.
type benchResult struct {
	Tasks          int            `json:"tasks"`
	Callers        int            `json:"at_a_time"`
	Seconds        float64        `json:"seconds"`
	PerSecond      float64        `json:"tasks_per_second"`
	Accepted       spread         `json:"accepted_ms"`
	Finished       spread         `json:"finished_ms"`
	Outcomes       map[string]int `json:"outcomes"`
	Attempts       int            `json:"attempts"`
	Polls          int            `json:"polls"`
	Charged        int64          `json:"charged"`
	Spent          int64          `json:"spent"`
	Account        accountView    `json:"account"`
	TripsPerTask   float64        `json:"store_round_trips_per_task,omitempty"`
	UnitsPerTask   float64        `json:"store_units_per_task,omitempty"`
	accepted, done []time.Duration
}

// spread describes a set of times.
type spread struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// spreadOf takes percentiles by the nearest rank.
func spreadOf(times []time.Duration) spread {
	if len(times) == 0 {
		return spread{}
	}
	slices.Sort(times)
	at := func(percent int) float64 {
		rank := (len(times)*percent + 99) / 100
		return float64(times[max(rank, 1)-1]) / float64(time.Millisecond)
	}
	return spread{P50: at(50), P95: at(95), P99: at(99), Max: at(100)}
}

// measure sends the tasks and waits for all of them.
func (s *subject) measure(ctx context.Context, c console, f benchFlags) (*benchResult, error) {
	result := &benchResult{Tasks: f.tasks, Callers: f.callers, Outcomes: map[string]int{}}
	if s.counter != nil {
		s.counter.Reset()
	}
	numbers := make(chan struct{}, f.tasks)
	for range f.tasks {
		numbers <- struct{}{}
	}
	close(numbers)
	bar := newProgress(c.err)
	defer bar.clear()
	var mu sync.Mutex
	var group sync.WaitGroup
	began := time.Now()
	for range f.callers {
		group.Go(func() {
			for range numbers {
				one := s.client.one(ctx, f.generateFlags)
				mu.Lock()
				result.add(one)
				if bar.terminal {
					bar.show(fmt.Sprintf("%d of %d", len(result.done), f.tasks), float64(len(result.done))/float64(f.tasks))
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%d of %d tasks had ended: %w", len(result.done), f.tasks, err)
	}
	elapsed := time.Since(began)
	result.Seconds, result.PerSecond = elapsed.Seconds(), float64(f.tasks)/elapsed.Seconds()
	result.Accepted, result.Finished = spreadOf(result.accepted), spreadOf(result.done)
	if s.counter != nil {
		trips := 0
		for _, n := range s.counter.Calls() {
			trips += n
		}
		result.TripsPerTask, result.UnitsPerTask = float64(trips)/float64(f.tasks), s.counter.Units()/float64(f.tasks)
	}
	return result, nil
}

// benched is how one task went.
type benched struct {
	accepted, done time.Duration
	outcome        string
	task           taskView
	polls          int
}

func (r *benchResult) add(one benched) {
	r.accepted, r.done = append(r.accepted, one.accepted), append(r.done, one.done)
	r.Outcomes[one.outcome]++
	r.Attempts += len(one.task.Attempts)
	r.Polls += one.polls
	r.Charged += one.task.Credits.Charged
}

// one sends a task and follows it to its end.
func (c *client) one(ctx context.Context, f generateFlags) benched {
	began := time.Now()
	t, err := c.create(ctx, f)
	one := benched{accepted: time.Since(began)}
	for pause := 25 * time.Millisecond; err == nil && !ended(t.Status); pause = min(pause*3/2, time.Second) {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		one.polls++
		t, err = c.call(ctx, http.MethodGet, "/api/task/"+t.ID, nil)
	}
	one.done, one.task, one.outcome = time.Since(began), t, t.Status
	if err != nil {
		one.outcome = err.Error()
	} else if t.Error != nil {
		one.outcome += " (" + t.Error.Code + ")"
	}
	return one
}

// price is what one task costs, in credits.
func (c *client) price(ctx context.Context, f generateFlags) (int64, error) {
	body := map[string]any{"prompt": f.prompt}
	if f.model != "" {
		body["model"] = f.model
	}
	raw, err := c.ask(ctx, http.MethodPost, "/api/quote", body)
	if err != nil {
		return 0, err
	}
	var quote struct {
		Credits *int64 `json:"credits"`
	}
	if err := json.Unmarshal(raw, &quote); err != nil || quote.Credits == nil {
		return 0, fmt.Errorf("the gateway's quote has no price: %s", raw)
	}
	return *quote.Credits, nil
}

// accountView is an account's money.
type accountView struct {
	Granted   int64 `json:"granted"`
	Available int64 `json:"available"`
	Reserved  int64 `json:"reserved"`
	Spent     int64 `json:"spent"`
}

func (c *client) account(ctx context.Context) (accountView, error) {
	var a accountView
	raw, err := c.ask(ctx, http.MethodGet, "/api/account", nil)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return a, fmt.Errorf("the gateway's answer is not an account: %w", err)
	}
	return a, nil
}

// report prints the result. Tasks that did not succeed and money that does not
// add up are errors.
func (f benchFlags) report(c console, r *benchResult) error {
	if f.json {
		encoder := json.NewEncoder(c.out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(r); err != nil {
			return fmt.Errorf("print the result: %w", err)
		}
	} else {
		f.print(c.out, r)
	}
	a := r.Account
	switch {
	case a.Granted != a.Available+a.Reserved+a.Spent:
		return fmt.Errorf("the account does not add up: %d granted, %d available, %d reserved, %d spent", a.Granted, a.Available, a.Reserved, a.Spent)
	case f.server == "" && (r.Spent != r.Charged || a.Reserved != 0):
		return fmt.Errorf("the tasks were charged %d credits, the account spent %d and holds %d", r.Charged, r.Spent, a.Reserved)
	case r.Outcomes["succeeded"] != r.Tasks:
		return &refusedError{fmt.Sprintf("%d of %d tasks did not succeed", r.Tasks-r.Outcomes["succeeded"], r.Tasks)}
	}
	return nil
}

func (f benchFlags) print(w io.Writer, r *benchResult) {
	fmt.Fprintf(w, "%d tasks of %s, %d at a time: %.1f s, %.1f tasks/s\n\n", r.Tasks, cmp.Or(f.model, "auto"), r.Callers, r.Seconds, r.PerSecond)
	fmt.Fprintf(w, "%-10s %10s %10s %10s %10s\n", "", "p50", "p95", "p99", "max")
	for _, line := range []struct {
		name string
		spread
	}{{"accepted", r.Accepted}, {"finished", r.Finished}} {
		fmt.Fprintf(w, "%-10s %7.0f ms %7.0f ms %7.0f ms %7.0f ms\n", line.name, line.P50, line.P95, line.P99, line.Max)
	}
	outcomes := make([]string, 0, len(r.Outcomes))
	for outcome, n := range r.Outcomes {
		outcomes = append(outcomes, fmt.Sprintf("%d %s", n, outcome))
	}
	slices.Sort(outcomes)
	fmt.Fprintf(w, "\n%s; %d attempts, %d polls\n", strings.Join(outcomes, ", "), r.Attempts, r.Polls)
	if r.TripsPerTask > 0 {
		fmt.Fprintf(w, "store: %.1f round trips and %.1f units per task, polls included\n", r.TripsPerTask, r.UnitsPerTask)
	}
	a := r.Account
	fmt.Fprintf(w, "credits: %d charged; %d granted = %d available + %d reserved + %d spent\n", r.Charged, a.Granted, a.Available, a.Reserved, a.Spent)
}
