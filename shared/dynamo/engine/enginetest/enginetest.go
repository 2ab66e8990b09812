// Package enginetest lends tests a running DynamoDB-compatible engine.
package enginetest

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"easel/shared/dynamo/engine"
)

// shared starts the test binary's one engine on first use. It keeps its tables in
// memory and ends with the test binary, so nothing is left behind.
//
//nolint:gochecknoglobals // one engine per test binary is the point; it is never changed
var shared = sync.OnceValues(func() (string, error) {
	started, err := engine.Start(context.Background(), engine.Options{
		Binary: os.Getenv("EASEL_DYNOXIDE"), //nolint:forbidigo // a test harness has no main to read it
		Memory: true,
	})
	if err != nil {
		return "", err
	}
	return started.Endpoint(), nil
})

// Endpoint returns the base URL of an engine that all tests of this test binary
// share: AWS_ENDPOINT_URL_DYNAMODB where it is set, otherwise an embedded engine
// that the first call starts. Tests keep apart by the names of their tables; see
// TablePrefix.
//
// The test fails when no engine is installed, because a store that nobody tested
// must not look tested. With EASEL_SKIP_ENGINE=1 it is skipped instead.
func Endpoint(t testing.TB) string {
	t.Helper()
	//nolint:forbidigo // a test harness has no main to read the environment
	if url := os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"); url != "" {
		return url
	}
	url, err := shared()
	//nolint:forbidigo // a test harness has no main to read the environment
	if errors.Is(err, engine.ErrNotInstalled) && os.Getenv("EASEL_SKIP_ENGINE") == "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// TablePrefix returns a prefix for the names of the tables of one test, different
// at every call, also between test binaries that share one DynamoDB.
func TablePrefix(t testing.TB) string {
	t.Helper()
	return "test-" + strings.ToLower(rand.Text()[:12]) + "-"
}
