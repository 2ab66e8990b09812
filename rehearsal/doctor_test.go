package rehearsal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"easel/shared/env"
)

// command builds the command once, as the functions are: it may reach this machine.
var command = sync.OnceValues(func() (string, error) {
	folder, err := binaries()
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "easel")
	build := exec.Command("go", "build", "-buildvcs=false", "-tags", "rehearsal", "-o", path, "./cmd/easel")
	build.Dir = root
	output, err := build.CombinedOutput()
	if err != nil {
		return "", errors.New(string(output))
	}
	return path, nil
})

// found is one line of the doctor's report.
type found struct{ Check, Status, Detail, Fix string }

// doctor runs `easel doctor` as an operator would, and returns its exit code.
func (s *stage) doctor(stageName string) (findings map[string]found, code int) {
	s.t.Helper()
	path, err := command()
	if err != nil {
		s.t.Fatal(err)
	}
	run := exec.CommandContext(s.t.Context(), path, "doctor", "-stage", stageName, "-json")
	run.Env = append(s.OperatorEnvironment(), "HOME="+s.t.TempDir(), "PATH="+os.Getenv("PATH")) //nolint:forbidigo // a program of its own
	var out, errs bytes.Buffer
	run.Stdout, run.Stderr = &out, &errs
	err = run.Run()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		s.t.Fatal(err)
	}
	var list []found
	if err := json.Unmarshal(out.Bytes(), &list); err != nil {
		s.t.Fatalf("%v: %s%s", err, out.String(), errs.String())
	}
	findings = map[string]found{}
	for _, f := range list {
		findings[f.Check] = f
		if strings.Contains(f.Detail, s.Simulator.WebhookSecret()) || strings.Contains(f.Detail, "simulated-") && strings.Contains(f.Detail, "-key") {
			s.t.Errorf("%s shows a secret: %s", f.Check, f.Detail)
		}
	}
	return findings, run.ProcessState.ExitCode()
}

func (s *stage) expect(findings map[string]found, check, status, detail string) {
	s.t.Helper()
	f, ok := findings[check]
	if !ok || f.Status != status || !strings.Contains(f.Detail, detail) || (status != "ok" && f.Fix == "" && check != "clock") {
		s.t.Errorf("%s = %+v, want %s with %q", check, f, status, detail)
	}
}

// move gives a config another address.
func (s *stage) move(id, baseURL string) {
	s.t.Helper()
	c, err := s.Store.Config(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	c.BaseURL = baseURL
	if err := s.Store.PutConfig(s.t.Context(), c, c.Version); err != nil {
		s.t.Fatal(err)
	}
}

// The doctor looks at one deployment, well and then broken in one way after another.
//
//nolint:paralleltest,tparallel // each part breaks the deployment further
func TestTheDoctorLooksAtADeployment(t *testing.T) {
	t.Parallel()
	s := deploy(t)
	t.Run("everything is well", func(t *testing.T) {
		s.end(s.submit(map[string]any{"prompt": "a lighthouse at dusk"}), time.Minute)
		findings, code := s.doctor("dev")
		if code != 0 {
			t.Errorf("exit code %d: %+v", code, findings)
		}
		for name, detail := range map[string]string{
			"environment": "easel-dev-admin is complete", "tables": "3 tables are active", "secrets": "can be read",
			"queue": "messages wait", "dead letters": "there are none", "bucket": "is there", "gateway": "answers in", "clock": "agrees",
			"config cfg_openai": "lists", "config cfg_replicate": "", "signature cfg_replicate": "and nothing else",
		} {
			s.expect(findings, name, "ok", detail)
		}
		s.expect(findings, "webhooks", "warn", "address of this machine")
	})
	t.Run("a stage that is not there", func(t *testing.T) {
		findings, code := s.doctor("prod")
		s.expect(findings, "environment", "fail", "there is no function easel-prod-admin")
		if code == 0 || len(findings) != 1 {
			t.Errorf("exit code %d: %+v", code, findings)
		}
	})
	t.Run("a webhook secret that was copied in part, and a provider that does not answer", func(t *testing.T) {
		s.PutSecret(env.ConfigSecrets+"cfg_replicate-webhook", "whsec_c29t")
		s.move("cfg_openai", "http://127.0.0.1:1/v1")
		findings, code := s.doctor("dev")
		if code == 0 {
			t.Error("the exit code is 0")
		}
		s.expect(findings, "config cfg_openai", "fail", "could not be reached")
		s.expect(findings, "signature cfg_replicate", "fail", "is refused")
	})
}
