package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"easel/cmd/easel/local"
)

// refusedError is a generation that ended without a result.
type refusedError struct{ message string }

func (e *refusedError) Error() string { return e.message }

// generateFlags are what one generation can be asked for on the command line.
type generateFlags struct {
	model, size, aspect, out, server, key string
	seed                                  int64
	count                                 int
	timeout                               time.Duration
	json                                  bool
	prompt                                string
}

const aboutGenerate = `
Makes one picture (or several, with -n) and writes it to a file. Without -server
the whole gateway runs inside this command, with simulated providers for those
whose keys are not in the environment.`

func generateArgs(c console, args []string) (generateFlags, error) {
	var f generateFlags
	flags := newFlags(c, "generate", "[flags] PROMPT", aboutGenerate)
	flags.StringVar(&f.model, "model", "", "`name` of the model (default: the catalog's default image model)")
	flags.StringVar(&f.out, "o", "easel.png", "`file` to write; with -n above 1 a number is added to the name")
	flags.StringVar(&f.size, "size", "", "`WxH` in pixels, such as 1024x1024")
	flags.StringVar(&f.aspect, "aspect", "", "aspect `ratio`, such as 16:9")
	flags.Int64Var(&f.seed, "seed", -1, "`number` that makes a repeat the same; -1 is random")
	flags.IntVar(&f.count, "n", 1, "how many pictures")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Minute, "how long to wait")
	flags.BoolVar(&f.json, "json", false, "print the finished task as JSON")
	flags.StringVar(&f.server, "server", "", "`URL` of a running gateway to use instead")
	flags.StringVar(&f.key, "key", "", "API `key` for -server (default: EASEL_API_KEY)")
	// Flags may stand before and after the prompt.
	var words []string
	for rest := args; ; {
		if err := parse(flags, rest); err != nil {
			return f, err
		}
		if flags.NArg() == 0 {
			break
		}
		words, rest = append(words, flags.Arg(0)), flags.Args()[1:]
	}
	f.prompt = strings.TrimSpace(strings.Join(words, " "))
	switch {
	case f.prompt == "":
		return f, usagef("a prompt is needed, such as: easel generate \"a lighthouse at dusk\" -o out.png")
	case f.count < 1:
		return f, usagef("-n must be 1 or more")
	}
	return f, nil
}

func generate(ctx context.Context, c console, args []string) error {
	f, err := generateArgs(c, args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	bar := newProgress(c.err)
	defer bar.clear()
	client, stop, err := f.connect(ctx, bar)
	if err != nil {
		return err
	}
	defer stop()
	task, err := client.create(ctx, f)
	if err != nil {
		return err
	}
	if task, err = client.follow(ctx, task, bar); err != nil {
		return err
	}
	bar.clear()
	return f.finish(ctx, c, client, task)
}

// connect returns a client of the named server, or of a gateway that it starts.
func (f generateFlags) connect(ctx context.Context, bar *progress) (*client, func(), error) {
	options, err := local.FromEnvironment()
	if err != nil {
		return nil, nil, err
	}
	if f.server != "" {
		key := cmp.Or(f.key, options.APIKey.Reveal())
		if key == "" {
			return nil, nil, usagef("-server needs -key, or EASEL_API_KEY in the environment")
		}
		return &client{url: strings.TrimRight(f.server, "/"), key: key, http: http.DefaultClient}, func() {}, nil
	}
	bar.show("starting the gateway", 0)
	options.Addr, options.Data = "127.0.0.1:0", ""
	gateway, err := local.Start(ctx, options)
	if err != nil {
		return nil, nil, err
	}
	stop := func() { _ = gateway.Close() }
	return &client{url: gateway.URL, key: gateway.APIKey, http: http.DefaultClient}, stop, nil
}

// finish writes the outputs and says where they are.
func (f generateFlags) finish(ctx context.Context, c console, client *client, t taskView) error {
	if t.Status != "succeeded" {
		if f.json {
			fmt.Fprintln(c.out, string(t.raw))
		}
		message := "the task ended as " + t.Status
		if t.Error != nil {
			message = fmt.Sprintf("%s (%s)", t.Error.Message, t.Error.Code)
		}
		return &refusedError{message}
	}
	for i, output := range t.Outputs {
		name := f.fileName(i, output.ContentType)
		if err := client.download(ctx, output.URL, name); err != nil {
			return err
		}
		if !f.json {
			fmt.Fprintf(c.out, "%s  %dx%d  %s  %d bytes\n", name, output.Width, output.Height, output.ContentType, output.Bytes)
		}
	}
	if f.json {
		fmt.Fprintln(c.out, string(t.raw))
		return nil
	}
	for _, a := range t.Attempts {
		fmt.Fprintf(c.err, "  attempt %d  %-10s %-10s %s\n", a.No, a.Provider, a.Outcome, a.Class)
	}
	fmt.Fprintf(c.err, "  %d credits, %.1f s, task %s\n", t.Credits.Charged, float64(t.ResponseTimeMS)/1000, t.ID)
	return nil
}

// fileName is where the i-th output goes: -o, numbered when there are several,
// with the ending of what it really is when -o has none.
func (f generateFlags) fileName(i int, contentType string) string {
	ext := filepath.Ext(f.out)
	base := strings.TrimSuffix(f.out, ext)
	if ext == "" {
		ext = "." + strings.TrimPrefix(contentType, "image/")
	}
	if i == 0 {
		return base + ext
	}
	return fmt.Sprintf("%s-%d%s", base, i+1, ext)
}

// client speaks to a gateway's public API.
type client struct {
	url, key string
	http     *http.Client
}

// taskView is the part of a task's JSON that the command shows.
type taskView struct {
	ID       string  `json:"id"`
	Status   string  `json:"status"`
	Progress float64 `json:"progress"`
	Outputs  []struct {
		URL         string `json:"url"`
		ContentType string `json:"content_type"`
		Bytes       int64  `json:"bytes"`
		Width       int    `json:"width"`
		Height      int    `json:"height"`
	} `json:"outputs"`
	Credits struct {
		Charged int64 `json:"charged"`
	} `json:"credits"`
	Error *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	Attempts []struct {
		No       int    `json:"no"`
		Provider string `json:"provider"`
		Outcome  string `json:"outcome"`
		Class    string `json:"class"`
	} `json:"attempts"`
	ResponseTimeMS int64 `json:"response_time_ms"`
	raw            []byte
}

func (c *client) create(ctx context.Context, f generateFlags) (taskView, error) {
	body := map[string]any{"prompt": f.prompt}
	set := func(name, value string) {
		if value != "" {
			body[name] = value
		}
	}
	set("model", f.model)
	set("size", f.size)
	set("aspect_ratio", f.aspect)
	if f.count > 1 {
		body["n"] = f.count
	}
	if f.seed >= 0 {
		body["seed"] = f.seed
	}
	return c.call(ctx, http.MethodPost, "/api/generate", body)
}

// follow reads the task until it has ended, more slowly with time.
func (c *client) follow(ctx context.Context, t taskView, bar *progress) (taskView, error) {
	pause := 100 * time.Millisecond
	for !ended(t.Status) {
		bar.show(t.Status, t.Progress)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return t, fmt.Errorf("task %s is still %s: %w", t.ID, t.Status, ctx.Err())
		}
		pause = min(pause*5/4, time.Second)
		next, err := c.call(ctx, http.MethodGet, "/api/task/"+t.ID, nil)
		if err != nil {
			return t, err
		}
		t = next
	}
	bar.show(t.Status, 1)
	return t, nil
}

func ended(status string) bool { return status != "queued" && status != "processing" }

const maxTaskJSON = 4 << 20

// call sends one request and reads a task, or the problem, from the answer.
func (c *client) call(ctx context.Context, method, path string, body any) (taskView, error) {
	var t taskView
	var err error
	if t.raw, err = c.ask(ctx, method, path, body); err != nil {
		return t, err
	}
	if err := json.Unmarshal(t.raw, &t); err != nil {
		return t, fmt.Errorf("the gateway's answer is not a task: %w", err)
	}
	return t, nil
}

// ask sends one request and returns the answer's body, or the problem that it is.
func (c *client) ask(ctx context.Context, method, path string, body any) ([]byte, error) {
	content, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the gateway: %w", err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxTaskJSON))
	if err != nil {
		return nil, fmt.Errorf("read the gateway's answer: %w", err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return nil, problem(response.StatusCode, raw)
	}
	return raw, nil
}

// problem turns an error answer into a refusal that says what the gateway said.
func problem(status int, body []byte) error {
	var p struct {
		Detail string `json:"detail"`
		Code   string `json:"code"`
	}
	if json.Unmarshal(body, &p) != nil || p.Detail == "" {
		return fmt.Errorf("the gateway answered %d", status)
	}
	return &refusedError{fmt.Sprintf("%s (%s)", p.Detail, p.Code)}
}

// download writes a URL's content to a file, whole or not at all.
func (c *client) download(ctx context.Context, url, name string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("download: the gateway answered %d", response.StatusCode)
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".easel-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = io.Copy(file, response.Body)
	if err = errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Rename(file.Name(), name); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
