package chaos_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/credits"
	"easel/shared/provider/simulator"
)

// patience is how long a test waits for what must come: far more than a loaded
// machine needs.
const patience = 5 * time.Minute

// gateway is a running gateway and how a test talks to it.
type gateway struct {
	*local.Gateway
	t      *testing.T
	client *http.Client
}

// start runs a gateway whose simulated providers answer at once, with changed options.
func start(t *testing.T, change func(*local.Options)) *gateway {
	t.Helper()
	options, err := local.FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	instant := time.Duration(0)
	options.Addr, options.Data, options.SimulatorLatency = "127.0.0.1:0", "", &instant
	options.SweepEvery, options.Draft = 100*time.Millisecond, true
	change(&options)
	g, err := local.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	const connections = 128
	return &gateway{g, t, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}}
}

// view is a task as its caller sees it.
type view struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Credits struct {
		Reserved int64 `json:"reserved"`
		Charged  int64 `json:"charged"`
	} `json:"credits"`
	FinishedAt time.Time `json:"finished_at"`
	Outputs    []struct {
		SHA256 string `json:"sha256"`
	} `json:"outputs"`
	Attempts []struct {
		Config   string `json:"config"`
		Provider string `json:"provider"`
		Outcome  string `json:"outcome"`
		Class    string `json:"class"`
	} `json:"attempts"`
}

func (v view) ended() bool { return v.Status != "queued" && v.Status != "processing" }

// call sends a request with the key and returns the status and the body.
func (g *gateway) call(key, method, path string, body any, headers ...string) (int, []byte) {
	g.t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		g.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(g.t.Context(), method, g.URL+path, bytes.NewReader(content))
	if err != nil {
		g.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := g.client.Do(request)
	if err != nil {
		g.t.Error(err)
		return 0, nil
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		g.t.Error(err)
	}
	return response.StatusCode, answer
}

// ask creates a task that the worker carries out.
func (g *gateway) ask(body map[string]any) view {
	g.t.Helper()
	status, answer := g.call(g.APIKey, http.MethodPost, "/api/generate", body, "Prefer", "respond-async")
	v := g.parse(answer)
	if status != http.StatusAccepted {
		g.t.Fatalf("generate answered %d: %s", status, answer)
	}
	return v
}

func (g *gateway) parse(body []byte) view {
	g.t.Helper()
	var v view
	if err := json.Unmarshal(body, &v); err != nil {
		g.t.Fatalf("%v in %s", err, body)
	}
	return v
}

func (g *gateway) task(id string) view {
	g.t.Helper()
	_, answer := g.call(g.APIKey, http.MethodGet, "/api/task/"+id, nil)
	return g.parse(answer)
}

// until reads the task until it is as wanted.
func (g *gateway) until(id string, wanted func(view) bool) view {
	g.t.Helper()
	var v view
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		if v = g.task(id); wanted(v) {
			return v
		}
	}
	g.t.Fatalf("task %s is still %+v after a minute", id, v)
	return v
}

type balance struct{ Granted, Available, Reserved, Spent int64 }

func (g *gateway) balance() balance {
	g.t.Helper()
	var b balance
	_, answer := g.call(g.APIKey, http.MethodGet, "/api/account", nil)
	if err := json.Unmarshal(answer, &b); err != nil {
		g.t.Fatal(err)
	}
	if b.Granted != b.Available+b.Reserved+b.Spent {
		g.t.Fatalf("the balance does not add up: %+v", b)
	}
	return b
}

// grant gives the caller's account more credits.
func (g *gateway) grant(amount int64) {
	g.t.Helper()
	if err := g.App.Store.Post(g.t.Context(), credits.ForGrant(g.Account, "chaos", amount, "", "test", time.Now())); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) fault(provider string, f simulator.Fault) {
	g.t.Helper()
	if err := g.Simulator.SetFault(provider, f); err != nil {
		g.t.Fatal(err)
	}
}

// pictures returns a model of pictures for each provider that sends webhooks:
// videos take long to draw. fal's is served by Replicate too, so fal goes first.
func (g *gateway) pictures() map[string]string {
	g.t.Helper()
	config, err := g.App.Store.Config(g.t.Context(), "cfg_fal_image")
	if err != nil {
		g.t.Fatal(err)
	}
	config.Priority = -1
	if err := g.App.Store.PutConfig(g.t.Context(), config, config.Version); err != nil {
		g.t.Fatal(err)
	}
	g.App.Views.Forget()
	return map[string]string{simulator.Replicate: "flux-pro", simulator.Fal: "flux-schnell"}
}
