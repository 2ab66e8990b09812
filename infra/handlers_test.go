package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"easel/shared/env"
)

var pattern = regexp.MustCompile(`"((?:GET|POST|PUT|PATCH|DELETE) /[^"]*)"`)

// TestEveryRouteOfAHandlerIsARouteOfTheAPI reads the functions' sources, which the
// stack may not import: a route that only the local gateway has would be 404 when
// deployed, and one that no handler has would start a function for nothing.
func TestEveryRouteOfAHandlerIsARouteOfTheAPI(t *testing.T) {
	t.Parallel()
	for _, function := range []string{env.Generate, env.Prompt, env.Task, env.Webhook} {
		handled := map[string]bool{}
		files, err := filepath.Glob(filepath.Join("..", "functions", function, function+"api", "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no handler: %v", function, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, found := range pattern.FindAllStringSubmatch(string(text), -1) {
				handled[found[1]] = true
			}
		}
		for _, r := range routes() {
			if r.function != function {
				continue
			}
			if route := r.method + " " + r.path; !handled[route] {
				t.Errorf("%s does not serve %s", function, route)
			}
			delete(handled, r.method+" "+r.path)
		}
		for route := range handled {
			t.Errorf("the API has no %s of %s", route, function)
		}
	}
}
