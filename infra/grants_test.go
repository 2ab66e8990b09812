package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"easel/shared/env"
)

// TestEachFunctionMayDoExactlyWhatIsWrittenDown compares each function's limits,
// environment and permissions in the prod template with testdata/<name>.golden.
// A change there is a change of what an attacker inside the function could do:
// read it, then run the test with -update.
func TestEachFunctionMayDoExactlyWhatIsWrittenDown(t *testing.T) {
	t.Parallel()
	tmpl := synthesized(t, stageProd)
	for _, name := range env.Functions() {
		got := describe(t, tmpl, name)
		path := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs from its golden file.\ngot:\n%s\nwant:\n%s", name, got, want)
		}
	}
}

func describe(t *testing.T, tmpl template, name string) string {
	t.Helper()
	p := tmpl.one(t, "AWS::Lambda::Function", "FunctionName", "easel-prod-"+name).Properties
	var b strings.Builder
	fmt.Fprintf(&b, "%v, %v, %v MB, %v seconds, tracing %v, logs %v\n", p["Runtime"], render(p["Architectures"]),
		p["MemorySize"], p["Timeout"], at(p, "TracingConfig", "Mode"), at(p, "LoggingConfig", "LogFormat"))
	variables, _ := at(p, "Environment", "Variables").(map[string]any)
	b.WriteString("\nenvironment\n")
	for _, variable := range slices.Sorted(maps.Keys(variables)) {
		fmt.Fprintf(&b, "  %s=%s\n", variable, plain(render(variables[variable])))
	}
	b.WriteString("\npermissions\n")
	for _, statement := range statementsOf(t, tmpl, render(at(p, "Role"))) {
		fmt.Fprintf(&b, "  %v %v\n", at(statement, "Effect"), at(statement, "Sid"))
		for _, action := range list(at(statement, "Action")) {
			fmt.Fprintf(&b, "    %v\n", action)
		}
		for _, one := range list(at(statement, "Resource")) {
			fmt.Fprintf(&b, "    on %s\n", plain(render(one)))
		}
		if condition := at(statement, "Condition"); condition != nil {
			fmt.Fprintf(&b, "    if %s\n", render(condition))
		}
	}
	return b.String()
}

// statementsOf returns the statements of the role that is referred to as in
// ${Id.Arn}, and fails when anything but the one inline policy adds to it.
func statementsOf(t *testing.T, tmpl template, role string) []any {
	t.Helper()
	id := strings.TrimSuffix(strings.TrimPrefix(role, "${"), ".Arn}")
	p := tmpl.Resources[id].Properties
	if inline := list(p["Policies"]); len(inline) != 1 || p["ManagedPolicyArns"] != nil {
		t.Fatalf("role %s has %d inline and %v managed policies", id, len(inline), p["ManagedPolicyArns"])
	}
	for name, policy := range tmpl.of("AWS::IAM::Policy") {
		if strings.Contains(render(policy.Properties["Roles"]), "${"+id+"}") {
			t.Errorf("policy %s adds to role %s", name, id)
		}
	}
	return list(at(list(p["Policies"])[0], "PolicyDocument", "Statement"))
}

var hashed = regexp.MustCompile(`\$\{([A-Za-z]+?)([0-9A-F]{8})(\.[A-Za-z]+)?\}`)

// plain leaves out the hashes that the CDK puts behind its ids.
func plain(text string) string { return hashed.ReplaceAllString(text, "$${$1$3}") }

// anyResource are the actions that AWS offers for no particular resource.
func anyResource() []string { return []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"} }

func TestNoWildcardWhereANameIsPossible(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		for _, id := range slices.Concat(roleIDs(tmpl, "Rolegenerate", "Roleprompt", "Roletask", "Rolewebhook", "Roleadmin", "Roleworker", "Roleschedule")) {
			for _, statement := range statementsOf(t, tmpl, "${"+id+".Arn}") {
				for _, action := range list(at(statement, "Action")) {
					if strings.Contains(render(action), "*") {
						t.Errorf("%s may do %v", id, action)
					}
				}
				for _, one := range list(at(statement, "Resource")) {
					if !named(stage, render(one), list(at(statement, "Action"))) {
						t.Errorf("%s: %v on %s", id, at(statement, "Action"), render(one))
					}
				}
			}
		}
	})
}

func roleIDs(tmpl template, prefixes ...string) []string {
	var ids []string
	for _, id := range sortedIDs(tmpl.of("AWS::IAM::Role")) {
		if slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(id, prefix) }) {
			ids = append(ids, id)
		}
	}
	return ids
}

var openEnds = regexp.MustCompile(`^(\$\{Assets[0-9A-F]+\.Arn\}/(in|out)/\*|.*:secretsmanager:.*:secret:easel/(dev|prod)/((config|endpoint)/\*|[a-z-]+-\?{6}))$`)

// named reports whether a resource is one named thing, or one of the few that get
// their names at run time below the deployment's prefix.
func named(stage, text string, actions []any) bool {
	if text == "*" {
		return !slices.ContainsFunc(actions, func(action any) bool { return !slices.Contains(anyResource(), render(action)) })
	}
	if !strings.ContainsAny(text, "*?") {
		return true
	}
	return openEnds.MatchString(text) && (!strings.Contains(text, "secret:") || strings.Contains(text, "easel/"+stage+"/"))
}

func TestOnlyAdminWritesConfigsAndKeys(t *testing.T) {
	t.Parallel()
	tmpl := synthesized(t, stageProd)
	for _, name := range env.Functions() {
		role := render(tmpl.one(t, "AWS::Lambda::Function", "FunctionName", "easel-prod-"+name).Properties["Role"])
		guarded, writes := false, false
		for _, statement := range statementsOf(t, tmpl, role) {
			action := render(at(statement, "Action"))
			if at(statement, "Effect") == "Deny" {
				keys := render(at(statement, "Condition", "ForAnyValue:StringLike", "dynamodb:LeadingKeys"))
				guarded = keys == env.ConfigPartition+" "+env.KeyPartitionPattern
			}
			if at(statement, "Sid") == "TableCore" {
				writes = strings.Contains(action, "dynamodb:PutItem") || strings.Contains(action, "dynamodb:UpdateItem")
			}
			// Callers make secrets for their own reports in generate, and reach no others.
			reach := list(at(statement, "Resource"))
			endpoints := name == env.Generate && len(reach) == 1 && strings.HasSuffix(render(reach[0]), "/"+env.EndpointSecrets+"*")
			if changesSecrets(action) && name != env.Admin && !endpoints {
				t.Errorf("%s may write secrets", name)
			}
		}
		if name != env.Admin && writes && !guarded {
			t.Errorf("%s may write configs and keys", name)
		}
		if name == env.Webhook && writes {
			t.Errorf("%s may write, though anybody may call it", name)
		}
	}
}

// changesSecrets reports whether the actions, as one text, change a secret.
func changesSecrets(actions string) bool {
	return slices.ContainsFunc([]string{"PutSecretValue", "CreateSecret", "DeleteSecret", "RestoreSecret", "UpdateSecret"}, func(one string) bool {
		return strings.Contains(actions, "secretsmanager:"+one)
	})
}

func TestNoSecretIsInAnEnvironment(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, _ string, tmpl template) {
		t.Helper()
		for id, function := range tmpl.of("AWS::Lambda::Function") {
			if text := render(at(function.Properties, "Environment")); strings.Contains(text, "resolve:secretsmanager") || strings.Contains(text, "${Secret") {
				t.Errorf("%s: %s", id, text)
			}
		}
	})
}
