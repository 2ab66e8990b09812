package rehearsal

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build builds the functions' bootstrap binaries into folder, with the flags of
// `make build` but for this machine, and with the build tag that lets them call
// simulated providers on it. root is the module's folder.
func Build(ctx context.Context, root, folder string, functions []string) error {
	for _, name := range functions {
		command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", //nolint:gosec // names of our own functions
			"-tags", "lambda.norpc,rehearsal", "-ldflags", "-s -w -buildid=",
			"-o", filepath.Join(folder, name, "bootstrap"), "./functions/"+name)
		command.Dir, command.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("build function %s: %w\n%s", name, err, output)
		}
	}
	return nil
}
