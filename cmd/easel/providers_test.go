package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/shared/catalog"
	"easel/shared/generation"
)

// TestTheDocumentIsNotStale is `easel providers -check docs/providers.md`.
func TestTheDocumentIsNotStale(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	if err := providers(t.Context(), console{out: &said, err: &said}, []string{"-check", "../../docs/providers.md"}); err != nil {
		t.Fatal(err)
	}
}

func TestAStaleDocumentIsFoundAndBroughtUpToDate(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "providers.md")
	stale := bytes.Replace(document, []byte("| `flux-dev` | 10 per image"), []byte("| `flux-dev` | 11 per image"), 1)
	if err := os.WriteFile(path, stale, 0o600); err != nil {
		t.Fatal(err)
	}
	c := console{out: &bytes.Buffer{}, err: &bytes.Buffer{}}
	if err := providers(t.Context(), c, []string{"-check", path}); err == nil || !strings.Contains(err.Error(), ": image;") {
		t.Fatalf("error = %v, want one that names the table of images", err)
	}
	if err := providers(t.Context(), c, []string{"-write", path}); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, document) {
		t.Errorf("the table was not brought up to date, or more than it changed: %v", err)
	}
}

func TestADocumentWithoutItsLinesIsAnError(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "empty.md")
	if err := os.WriteFile(path, []byte("# Nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := providers(t.Context(), console{out: &bytes.Buffer{}, err: &bytes.Buffer{}}, []string{"-check", path})
	if err == nil || !strings.Contains(err.Error(), "easel providers: providers") {
		t.Errorf("error = %v, want one that names the line", err)
	}
}

func TestTablesHoldEveryProviderAndListedModel(t *testing.T) {
	t.Parallel()
	models, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]string{}
	for _, table := range documentTables(drivers(), models) {
		tables[table.name] = table.body
	}
	for _, p := range drivers() {
		if name := p.Describe().Name; !strings.Contains(tables["providers"], "| `"+name+"` |") {
			t.Errorf("no line for provider %s", name)
		}
	}
	for _, m := range models {
		if !strings.Contains(tables[string(m.Kind)], "| `"+m.Name+"` |") {
			t.Errorf("no line for model %s", m.Name)
		}
	}
	if !strings.Contains(tables[string(generation.Image)], "~~dall-e-3~~ 2026-05-12") {
		t.Error("a retired name is not marked")
	}
}
