package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFind(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	installed := filepath.Join(root, ".tools", "bin", program)
	inner := filepath.Join(root, "shared", "dynamo")
	for _, folder := range []string{filepath.Dir(installed), inner} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}

	if path, ok := findAbove(inner); ok && path == installed {
		t.Error("found an engine before it was installed")
	}
	if err := os.WriteFile(installed, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(installed); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("a file that cannot be run: error = %v, want ErrNotInstalled", err)
	}
	if err := os.Chmod(installed, 0o700); err != nil {
		t.Fatal(err)
	}
	if path, ok := findAbove(inner); !ok || path != installed {
		t.Errorf("findAbove = %q, %t; want %q", path, ok, installed)
	}
	if path, err := Find(installed); err != nil || path != installed {
		t.Errorf("Find = %q, %v; want the explicit path", path, err)
	}
}
