package rehearsal_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"easel/rehearsal"
	"easel/shared/env"
)

// TestTheSameSourceGivesTheSameBytes builds a function again from a copy of the
// source in another folder, which is in no repository.
func TestTheSameSourceGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	first, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	copyTree(t, elsewhere, "go.mod", "go.sum", "shared", "functions/"+env.Webhook)
	out := t.TempDir()
	if err := rehearsal.Build(t.Context(), elsewhere, out, []string{env.Webhook}); err != nil {
		t.Fatal(err)
	}
	read := func(folder string) []byte {
		data, err := os.ReadFile(filepath.Join(folder, env.Webhook, "bootstrap"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if one, two := read(first), read(out); !bytes.Equal(one, two) {
		t.Errorf("%d and %d bytes of the same source differ", len(one), len(two))
	}
}

func copyTree(t *testing.T, to string, names ...string) {
	t.Helper()
	for _, name := range names {
		err := filepath.WalkDir(filepath.Join(root, name), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			relative, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			target := filepath.Join(to, relative)
			if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
				return err
			}
			return os.WriteFile(target, data, 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestNoFunctionLinksWhatItDoesNotNeed names what would make each binary larger
// and its start slower: packages whose use of reflection keeps every method alive,
// the SDK's search for configuration, and other functions' handlers.
func TestNoFunctionLinksWhatItDoesNotNeed(t *testing.T) {
	t.Parallel()
	for _, name := range env.Functions() {
		list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "lambda.norpc", "./functions/"+name)
		list.Dir = root
		output, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		linked := strings.Fields(string(output))
		for _, heavy := range []string{"net/rpc", "html/template", "testing", "github.com/aws/aws-sdk-go-v2/config", "easel/shared/provider/simulator"} {
			if slices.Contains(linked, heavy) {
				t.Errorf("%s links %s", name, heavy)
			}
		}
		for _, one := range linked {
			if owner, ok := strings.CutPrefix(one, "easel/functions/"); ok && !strings.HasPrefix(owner+"/", name+"/") {
				t.Errorf("%s links %s", name, one)
			}
		}
	}
}
