package rehearsal_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"easel/shared/catalog"
	"easel/shared/env"
	"easel/shared/provider/simulator"
)

func TestAWorkerThatIsKilledLosesNothing(t *testing.T) {
	t.Parallel()
	const model = "flux-dev" // of one config, so that no other could help
	tests := []struct {
		name    string
		fault   simulator.Fault
		status  string
		submits int64
	}{
		// The job was accepted before: it must not be asked for again.
		{
			"while it fetches the result",
			simulator.Fault{Fault: simulator.SlowBody, On: simulator.OnFiles, DelayMS: 4000, Times: 1},
			"succeeded", 1,
		},
		// The job began, and nobody wrote down that it did: it is found again.
		{
			"while it reads the answer to its submit",
			simulator.Fault{Fault: simulator.SlowBody, DelayMS: 4000, Times: 1},
			"succeeded", 1,
		},
		// Nothing shows whether the job began: it is not risked twice, and costs nothing.
		{
			"while it submits",
			simulator.Fault{Fault: simulator.Hang, Times: 1},
			"expired", 0,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := deploy(t)
			s.limit(model, 20)
			s.fault(simulator.Replicate, tt.fault)
			id := s.submit(map[string]any{"prompt": "a lighthouse at dusk", "model": model})
			await(t, 15*time.Second, func() bool { return len(s.Calls(200*time.Millisecond)) > 0 })
			if s.Functions[env.Worker].KillBusy() == 0 {
				t.Fatal("no worker was in the middle of anything")
			}
			v := s.end(id, 2*time.Minute)
			if v.Status != tt.status {
				t.Fatalf("task = %+v", v)
			}
			if succeeded := v.Status == "succeeded"; succeeded != (v.Credits.Charged > 0) {
				t.Errorf("charged %d for a task that %s", v.Credits.Charged, v.Status)
			}
			s.paid(v.Credits.Charged)
			if got := s.Simulator.Stats(simulator.Replicate).Submits; got != tt.submits {
				t.Errorf("the provider accepted %d jobs, want %d", got, tt.submits)
			}
		})
	}
}

func TestARequestWhoseFunctionIsKilledIsFinishedByTheWorker(t *testing.T) {
	t.Parallel()
	const model = "flux-dev"
	s := deploy(t)
	s.fault(simulator.Replicate, simulator.Fault{Fault: simulator.SlowBody, DelayMS: 4000, Times: 1})
	gone := make(chan int, 1)
	go func() {
		response := s.open(http.MethodPost, "/api/generate", s.Key, map[string]any{"prompt": "a lighthouse", "model": model}, "Prefer", "wait=60")
		defer response.Body.Close()
		gone <- response.StatusCode
	}()
	await(t, 15*time.Second, func() bool { return len(s.Calls(200*time.Millisecond)) > 0 })
	if s.Functions[env.Generate].KillBusy() == 0 {
		t.Fatal("the function was not in the middle of the request")
	}
	if status := <-gone; status != http.StatusBadGateway {
		t.Errorf("the caller was answered %d", status)
	}
	var page struct{ Data []taskView }
	if err := json.Unmarshal(s.ask(http.MethodGet, "/api/task", s.Key, nil).body, &page); err != nil || len(page.Data) != 1 {
		t.Fatalf("tasks = %+v, %v", page, err)
	}
	v := s.end(page.Data[0].ID, 2*time.Minute)
	if len(s.file(v)) == 0 {
		t.Error("the output is empty")
	}
	s.paid(v.Credits.Charged)
	if got := s.Simulator.Stats(simulator.Replicate).Submits; got != 1 {
		t.Errorf("the provider accepted %d jobs", got)
	}
}

// limit gives a built-in model another deadline, before anything is asked of it.
func (s *stage) limit(name string, seconds int) {
	s.t.Helper()
	models, err := catalog.Builtin()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range models {
		if m.Name == name {
			m.DeadlineSeconds = seconds
			if err := s.Store.PutModel(s.t.Context(), m); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

func await(t *testing.T, within time.Duration, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); time.Now().Before(deadline); <-time.After(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("it did not happen within %s", within)
}
