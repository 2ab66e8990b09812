package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"easel/shared/dynamo/engine"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"easel": main})
}

// TestScripts runs the command as a user would; see testdata/script.
func TestScripts(t *testing.T) {
	t.Parallel()
	binary, err := engine.Find(os.Getenv("EASEL_DYNOXIDE")) //nolint:forbidigo // where make test put the engine
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("EASEL_DYNOXIDE", binary)
			e.Setenv("EASEL_SIMULATOR_LATENCY_MS", "0")
			return nil
		},
	})
}

func TestRunOfAnUnknownCommandIsWrongUsage(t *testing.T) {
	t.Parallel()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = null.Close() })
	if code := run(context.Background(), []string{"paint"}, console{in: null, out: null, err: null}); code != exitUsage {
		t.Errorf("exit code = %d, want %d", code, exitUsage)
	}
}
