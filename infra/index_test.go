package main

import (
	"testing"

	"easel/shared/env"
)

// TestEveryIndexIsQueriedBySomebody holds the tables' definitions against the
// roles: an index that nobody may query costs writes for nothing, or its reader
// was forgotten.
func TestEveryIndexIsQueriedBySomebody(t *testing.T) {
	t.Parallel()
	tmpl := synthesized(t, stageProd)
	granted := map[string]bool{}
	for _, name := range env.Functions() {
		role := render(tmpl.one(t, "AWS::Lambda::Function", "FunctionName", "easel-prod-"+name).Properties["Role"])
		for _, statement := range statementsOf(t, tmpl, role) {
			for _, one := range list(at(statement, "Resource")) {
				granted[plain(render(one))] = true
			}
		}
	}
	for _, table := range env.Tables() {
		for _, index := range table.Indexes {
			if arn := "${Table" + table.Suffix + ".Arn}/index/" + index.Name; !granted[arn] {
				t.Errorf("no function may query %s", arn)
			}
		}
	}
}
