package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestEveryMutantStillApplies keeps the list in step with the code that it breaks.
func TestEveryMutantStillApplies(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, m := range mutants() {
		if names[m.Name] {
			t.Errorf("there are two mutants named %q", m.Name)
		}
		names[m.Name] = true
		for part := &m; part != nil; part = part.And {
			source, err := os.ReadFile(filepath.Join("..", "..", "..", part.File))
			if err != nil {
				t.Fatal(err)
			}
			if broken, err := part.apply(string(source)); err != nil || broken == string(source) {
				t.Errorf("%s: %v", m.Name, err)
			}
		}
	}
	if len(names) < 10 {
		t.Errorf("%d mutants are too few to prove anything", len(names))
	}
}

func TestTheFirstViolationIsFound(t *testing.T) {
	t.Parallel()
	got, err := firstViolation("x\n    history_test.go:62: history 12: task t is lost\nFAIL\n")
	if err != nil || got != "history 12: task t is lost" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := firstViolation("# easel/shared/lifecycle\n./moves.go:1:1: syntax error\nFAIL\n"); err == nil {
		t.Error("a mutant that does not compile was counted as caught")
	}
}
