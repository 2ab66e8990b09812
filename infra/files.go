package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"easel/shared/env"
)

// files says where the built parts are that the stack uploads.
type files struct {
	// functions holds <name>/bootstrap for each function.
	functions string
	// console holds the console's index.html and what it loads.
	console string
}

// function returns the folder that becomes the function's zip file.
func (f files) function(name string) string { return filepath.Join(f.functions, name) }

// check refuses a tree that was not built: a stack without code would deploy and
// then answer every request with an error.
func (f files) check() error {
	missing := make([]error, 0, len(env.Functions())+1)
	for _, name := range env.Functions() {
		missing = append(missing, isFile(filepath.Join(f.function(name), "bootstrap"), "make build"))
	}
	missing = append(missing, isFile(filepath.Join(f.console, "index.html"), "make web"))
	return errors.Join(missing...)
}

func isFile(path, remedy string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("%w; run %s", err, remedy)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file; run %s", path, remedy)
	}
	return nil
}
