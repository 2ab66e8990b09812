package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"easel/shared/secret"
)

const fileName = "secrets.json"

// File keeps secrets for local mode in one JSON file that only its owner can
// read. They are not encrypted: whoever can read the file has them.
type File struct {
	path string // empty: memory only

	mu     sync.Mutex
	values map[string]string
}

// OpenFile returns the store in dir, which it creates; only one process may use
// dir. With an empty dir the secrets live in memory and end with the process.
func OpenFile(dir string) (*File, error) {
	f := &File{values: make(map[string]string)}
	if dir == "" {
		return f, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open secrets: %w", err)
	}
	f.path = filepath.Join(dir, fileName)
	data, err := os.ReadFile(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, nil
	case err != nil:
		return nil, fmt.Errorf("open secrets: %w", err)
	}
	if err := json.Unmarshal(data, &f.values); err != nil || f.values == nil {
		return nil, fmt.Errorf("open secrets: %s is damaged", f.path) // err could quote a secret
	}
	if err := os.Chmod(f.path, 0o600); err != nil { // it may have been copied here
		return nil, fmt.Errorf("open secrets: %w", err)
	}
	return f, nil
}

// Get implements [Store].
func (f *File) Get(_ context.Context, name string) (secret.Value, error) {
	if err := checkName(name); err != nil {
		return secret.Value{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	value := secret.New(f.values[name])
	if value.IsZero() {
		return secret.Value{}, fmt.Errorf("get secret %s: %w", name, ErrNotFound)
	}
	return value, nil
}

// Put implements [Store]. When it returns, the secret is on disk.
func (f *File) Put(_ context.Context, name string, value secret.Value) error {
	if err := checkPut(name, value); err != nil {
		return err
	}
	return f.change(func(values map[string]string) { values[name] = value.Reveal() })
}

// Delete implements [Store].
func (f *File) Delete(_ context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return f.change(func(values map[string]string) { delete(values, name) })
}

// change applies an edit on disk first and in memory after, so that both agree
// whatever fails.
func (f *File) change(edit func(map[string]string)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	edited := maps.Clone(f.values)
	edit(edited)
	if f.path != "" {
		if err := writeAtomically(f.path, edited); err != nil {
			return fmt.Errorf("write secrets: %w", err)
		}
	}
	f.values = edited
	return nil
}

// writeAtomically replaces the file by rename, so that a crash leaves either the
// old or the new one, whole.
func writeAtomically(path string, values map[string]string) error {
	data, err := json.MarshalIndent(values, "", "  ")
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(path), fileName+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(next.Name()) }() // gone already when all went well
	_, err = next.Write(data)
	if err == nil {
		err = next.Sync()
	}
	if closeErr := next.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(next.Name(), path)
}
