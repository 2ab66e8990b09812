package engine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrNotInstalled says that there is no engine on this machine, and what to do.
var ErrNotInstalled = errors.New("the embedded DynamoDB engine is not installed: run `make engine`, " +
	"or set AWS_ENDPOINT_URL_DYNAMODB to use another DynamoDB")

// program is the engine's name on PATH and in the tools folder.
const program = "dynoxide"

// Find returns the path of the engine's program. An explicit path must be one;
// where it is empty the places are .tools/bin in the working folder and in each
// folder above it, where `make engine` puts the program, and then PATH. The error
// matches ErrNotInstalled.
func Find(explicit string) (string, error) {
	if explicit != "" {
		if !executable(explicit) {
			return "", fmt.Errorf("%s is not a program: %w", explicit, ErrNotInstalled)
		}
		return explicit, nil
	}
	folder, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the engine: %w", err)
	}
	if path, ok := findAbove(folder); ok {
		return path, nil
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%w (%w)", ErrNotInstalled, err)
	}
	return path, nil
}

// findAbove looks into .tools/bin of the folder and of each one above it.
func findAbove(folder string) (string, bool) {
	for {
		path := filepath.Join(folder, ".tools", "bin", program)
		if executable(path) {
			return path, true
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", false
		}
		folder = parent
	}
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}
