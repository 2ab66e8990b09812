package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/catalog"
	"easel/shared/dynamo/engine"
	"easel/shared/secret"
)

const (
	killAPIKey   = "esl_killedcaller_" + "0123456789abcdefghijklmnopqrstuvwxyz"
	killAdminKey = "esl_killedadmin0_" + "0123456789abcdefghijklmnopqrstuvwxyz"
)

// mortal is a gateway in a process of its own that a test kills and starts again.
type mortal struct {
	t                      *testing.T
	binary, data, addr, db string
	process                *exec.Cmd
}

// TestKilledGatewayLosesNothing kills `easel serve` at random moments while
// callers send requests, and checks after the last start that every accepted task
// ends, that the account adds up, and that no provider was asked twice.
func TestKilledGatewayLosesNothing(t *testing.T) {
	t.Parallel()
	g := newMortal(t)
	g.prepare()
	accepted := map[string]string{} // task by prompt
	models := killedModels()
	for round := range 4 {
		g.start()
		var all sync.WaitGroup
		var mu sync.Mutex
		for i := range 8 {
			prompt := fmt.Sprintf("round %d picture %d", round, i)
			all.Go(func() {
				if id := g.submit(models[i%len(models)], prompt); id != "" {
					mu.Lock()
					defer mu.Unlock()
					accepted[prompt] = id
				}
			})
		}
		<-time.After(time.Duration(rand.IntN(700)) * time.Millisecond)
		g.kill()
		all.Wait()
	}
	g.start()
	defer g.kill()
	if len(accepted) == 0 {
		t.Fatal("no task was accepted before a kill")
	}
	var charged int64
	statuses := map[string]int{}
	for _, id := range accepted {
		v := g.ended(id)
		charged += v.Credits.Charged
		statuses[v.Status]++
	}
	t.Logf("%d tasks accepted, ended as %v", len(accepted), statuses)
	g.checkBalance(charged)
	g.checkSubmits()
}

func newMortal(t *testing.T) *mortal {
	t.Helper()
	folder := t.TempDir()
	db, err := engine.Find(os.Getenv("EASEL_DYNOXIDE")) //nolint:forbidigo // where make test put the engine
	if err != nil {
		t.Fatal(err)
	}
	g := &mortal{t: t, binary: filepath.Join(folder, "easel"), data: filepath.Join(folder, "data"), db: db}
	build := exec.Command("go", "build", "-o", g.binary, "easel/cmd/easel")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.addr = listener.Addr().String()
	_ = listener.Close()
	return g
}

// killedModels are those that the test asks for.
func killedModels() []string { return []string{"flux-dev", "auto", "flux-schnell", "pika-2.2"} }

// prepare gives the models short deadlines: a call that was killed before or
// while it was sent has an unknown outcome, and its task waits for that.
func (g *mortal) prepare() {
	g.t.Helper()
	options := local.Options{}
	options.Addr, options.Data, options.Engine = g.addr, g.data, g.db
	options.APIKey, options.AdminKey = secret.New(killAPIKey), secret.New(killAdminKey)
	gateway, err := local.Start(g.t.Context(), options)
	if err != nil {
		g.t.Fatal(err)
	}
	models, err := catalog.Builtin()
	if err != nil {
		g.t.Fatal(err)
	}
	for _, m := range models {
		if slices.Contains(killedModels(), m.Name) {
			if m.DeadlineSeconds = 120; m.Name == "auto" {
				m.DeadlineSeconds = 10 // its calls are synchronous: many of them are lost
			}
			if err := gateway.App.Store.PutModel(g.t.Context(), m); err != nil {
				g.t.Fatal(err)
			}
		}
	}
	if err := gateway.Close(); err != nil {
		g.t.Fatal(err)
	}
}

func (g *mortal) start() {
	g.t.Helper()
	g.process = exec.Command(g.binary, "serve")
	g.process.Env = append(os.Environ(), "EASEL_DATA="+g.data, "EASEL_ADDR="+g.addr, "EASEL_API_KEY="+killAPIKey,
		"EASEL_ADMIN_KEY="+killAdminKey, "EASEL_DYNOXIDE="+g.db, "EASEL_SIMULATOR_LATENCY_MS=250")
	if err := g.process.Start(); err != nil {
		g.t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		response, err := http.Get("http://" + g.addr + "/healthz")
		if err == nil {
			_ = response.Body.Close()
			return
		}
	}
	g.t.Fatal("the gateway did not start in time")
}

func (g *mortal) kill() {
	_ = g.process.Process.Kill()
	_ = g.process.Wait()
}

func (g *mortal) request(method, path, key string, body any) (int, []byte, error) {
	content, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	request, err := http.NewRequest(method, "http://"+g.addr+path, bytes.NewReader(content))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// submit returns the task's id, "" when the gateway died before it answered.
func (g *mortal) submit(model, prompt string) string {
	_, answer, err := g.request(http.MethodPost, "/api/generate", killAPIKey, map[string]any{"model": model, "prompt": prompt})
	if err != nil {
		return ""
	}
	var v taskView
	if json.Unmarshal(answer, &v) != nil {
		return ""
	}
	return v.ID
}

func (g *mortal) ended(id string) taskView {
	g.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); <-time.After(50 * time.Millisecond) {
		status, answer, err := g.request(http.MethodGet, "/api/task/"+id, killAPIKey, nil)
		if err != nil || status != http.StatusOK {
			g.t.Fatalf("task %s: %d %v %s", id, status, err, answer)
		}
		var v taskView
		if err := json.Unmarshal(answer, &v); err != nil {
			g.t.Fatal(err)
		}
		if ended(v.Status) {
			return v
		}
	}
	g.t.Fatalf("task %s did not end", id)
	return taskView{}
}

// checkBalance compares the account with its tasks. A task whose caller never got
// an answer is in the account too, so every task of the account is counted.
func (g *mortal) checkBalance(atLeast int64) {
	g.t.Helper()
	var page struct {
		Data []taskView `json:"data"`
		Next string     `json:"next_cursor"`
	}
	var charged int64
	for cursor := ""; ; cursor = page.Next {
		_, answer, err := g.request(http.MethodGet, "/api/task?limit=100&cursor="+cursor, killAPIKey, nil)
		if err != nil {
			g.t.Fatal(err)
		}
		page.Next = ""
		if err := json.Unmarshal(answer, &page); err != nil {
			g.t.Fatal(err)
		}
		for _, v := range page.Data {
			charged += g.ended(v.ID).Credits.Charged
		}
		if page.Next == "" {
			break
		}
	}
	_, answer, err := g.request(http.MethodGet, "/api/account", killAPIKey, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	var b struct{ Granted, Available, Reserved, Spent int64 }
	if err := json.Unmarshal(answer, &b); err != nil {
		g.t.Fatal(err)
	}
	if b.Granted != b.Available+b.Reserved+b.Spent || b.Reserved != 0 || b.Spent != charged || charged < atLeast {
		g.t.Errorf("the account says %+v, its tasks were charged %d", b, charged)
	}
}

// checkSubmits asks the simulated Replicate, which remembers over restarts, how
// often it was asked for each prompt.
func (g *mortal) checkSubmits() {
	g.t.Helper()
	var list struct {
		Results []struct {
			Input struct {
				Prompt string `json:"prompt"`
			} `json:"input"`
		} `json:"results"`
		Next string `json:"next"`
	}
	asked := map[string]int{}
	for path := "/simulated/replicate/v1/predictions"; path != ""; {
		_, answer, err := g.request(http.MethodGet, path, "any", nil)
		if err != nil {
			g.t.Fatal(err)
		}
		list.Next, list.Results = "", nil
		if err := json.Unmarshal(answer, &list); err != nil {
			g.t.Fatalf("%v in %s", err, answer)
		}
		for _, p := range list.Results {
			asked[p.Input.Prompt]++
		}
		path = strings.TrimPrefix(list.Next, "http://"+g.addr)
	}
	for prompt, n := range asked {
		if n > 1 {
			g.t.Errorf("Replicate was asked %d times for %q", n, prompt)
		}
	}
}
