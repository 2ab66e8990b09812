// Command mutants proves that the random histories of shared/lifecycle and
// shared/batch can fail:
// it breaks a copy of the module in many small ways, one at a time, and reports
// which of them the histories catch. The tree itself is never touched.
//
// Run it from the module's root: go run ./shared/lifecycle/mutants.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func main() {
	histories := flag.Int("histories", 5000, "how many histories may try to catch a mutant")
	only := flag.String("only", "", "run only the mutants whose name contains this")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *histories, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// run reports on every mutant and returns an error when one survived.
func run(ctx context.Context, histories int, only string) error {
	folder, err := os.MkdirTemp("", "easel-mutants-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if err := copyModule(".", folder); err != nil {
		return fmt.Errorf("copy the module: %w", err)
	}
	for _, s := range []suite{tasks(), batches()} {
		if out, ok, err := s.test(ctx, folder, histories); err != nil || !ok {
			return fmt.Errorf("the histories do not pass without a mutant: %w\n%s", err, out)
		}
	}
	survived, caught := 0, 0
	for _, m := range mutants() {
		if !strings.Contains(m.Name, only) {
			continue
		}
		started := time.Now()
		verdict, err := try(ctx, folder, m, histories)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		if verdict == "" {
			survived++
			verdict = "SURVIVED"
		} else {
			caught++
			verdict = "caught by: " + verdict
		}
		fmt.Printf("%-55s %4.0fs  %s\n", m.Name, time.Since(started).Seconds(), verdict)
	}
	fmt.Printf("%d mutants, %d caught, %d survived, at most %d histories each\n", caught+survived, caught, survived, histories)
	if survived > 0 {
		return fmt.Errorf("%d mutants survived", survived)
	}
	return nil
}

// try applies a mutant to the copy, runs the histories, and takes it back. It
// returns the first rule that was broken, "" when none was.
func try(ctx context.Context, folder string, m mutant, histories int) (verdict string, err error) {
	undo, err := m.breakIn(folder)
	defer func() { err = errors.Join(err, undo()) }()
	if err != nil {
		return "", err
	}
	out, ok, err := m.suite().test(ctx, folder, histories)
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	if ok {
		return "", nil
	}
	return firstViolation(out)
}

// breakIn writes the mutant into the copy; undo takes it back, also after an error.
func (m mutant) breakIn(folder string) (undo func() error, err error) {
	undo = func() error { return nil }
	path := filepath.Join(folder, m.File)
	original, err := os.ReadFile(path) //nolint:gosec // a file of the copy that was just made
	if err != nil {
		return undo, err
	}
	broken, err := m.apply(string(original))
	if err != nil {
		return undo, err
	}
	undo = func() error { return os.WriteFile(path, original, 0o600) }
	if err := os.WriteFile(path, []byte(broken), 0o600); err != nil || m.And == nil {
		return undo, err
	}
	other, err := m.And.breakIn(folder)
	first := undo
	return func() error { return errors.Join(other(), first()) }, err
}

// apply returns the source with the breakage in it.
func (m mutant) apply(source string) (string, error) {
	if n := strings.Count(source, m.Old); n != 1 {
		return "", fmt.Errorf("%s has %q %d times, want once", m.File, m.Old, n)
	}
	return strings.Replace(source, m.Old, m.New, 1), nil
}

// ofHistory is a broken rule in the output of the test.
var ofHistory = regexp.MustCompile(`history_test\.go:\d+: (history \d+: .*)`)

// firstViolation finds the broken rule in a failed run. A run that failed in another way,
// because the mutant does not compile or the test is broken itself, is an error.
func firstViolation(out string) (string, error) {
	found := ofHistory.FindStringSubmatch(out)
	if found == nil {
		return "", fmt.Errorf("the test failed, and not by a history:\n%s", out)
	}
	const enough = 150
	return found[1][:min(len(found[1]), enough)], nil
}

// suite is a test that runs random histories.
type suite struct {
	name, folder string
	// share is by how much its histories are fewer, because each takes longer.
	share int
}

func tasks() suite   { return suite{"TestChaosHistories", "./shared/lifecycle", 1} }
func batches() suite { return suite{"TestChaosBatches", "./shared/batch", 4} }

// suite is the one that must catch the mutant.
func (m mutant) suite() suite {
	if strings.HasPrefix(m.File, "shared/batch/") {
		return batches()
	}
	return tasks()
}

// test runs the histories in the copy. ok is false when they failed; err is about
// running them at all.
func (s suite) test(ctx context.Context, folder string, histories int) (out string, ok bool, err error) {
	const patience = 5 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	command := exec.CommandContext(ctx, "go", "test", "-count=1", "-timeout", "4m", "-run", "^"+s.name+"$", s.folder) //nolint:gosec // the names are this file's
	command.Dir = folder
	command.Env = append(command.Environ(), "EASEL_CHAOS_HISTORIES="+strconv.Itoa(max(1, histories/s.share)))
	var buffer bytes.Buffer
	command.Stdout, command.Stderr = &buffer, &buffer
	err = command.Run()
	if exit, failed := errors.AsType[*exec.ExitError](err); failed && exit.ExitCode() == 1 {
		return buffer.String(), false, nil
	}
	return buffer.String(), err == nil, err
}

// copyModule copies what the tests of shared are built from.
func copyModule(from, to string) error {
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := copyFile(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	root := filepath.Join(from, "shared")
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return copyFile(path, filepath.Join(to, path))
	})
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from) //nolint:gosec // a file of the module, found by walking it
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}
