package main

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"easel/shared/env"
)

var (
	update   = flag.Bool("update", false, "write the golden files instead of comparing with them")
	validate = flag.Bool("validate", false, "be the process in which TestTemplatesAreValid lets the CDK validate")
	// kernel is held while the CDK's process is spoken to: it takes one call at a time.
	kernel sync.Mutex
	// scratch is a folder for the whole run, because templates are made once and shared.
	scratch string
)

func TestMain(m *testing.M) {
	flag.Parse()
	scratch = must(os.MkdirTemp("", "easel-infra-"))
	m.Run()
	jsii.Close()
	_ = os.RemoveAll(scratch)
}

// The two deployments that the tests look at: nothing but the stage, and
// everything that can be set.
func bare() map[string]any { return map[string]any{"stage": "dev"} }

func full() map[string]any {
	return map[string]any{
		"stage": "prod", "domain": "api.example.com", "consoleDomain": "easel.example.com",
		"certificateArn":        "arn:aws:acm:eu-west-1:111122223333:certificate/0a",
		"consoleCertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/0b",
		"alarmEmail":            "ops@example.com", "memory": "256,worker=512", "reservedConcurrency": "generate=200,worker=80",
		"cloudflareGatewayUrl": "https://gateway.ai.cloudflare.com/v1/acct/gw",
		"oidcIssuer":           "https://login.example.com/", "oidcClientId": "easel", "oidcGroupClaim": "groups", "oidcAccountClaim": "account", "oidcCallerGroup": "makers",
		"priceCapMicroUsd": "2000000", "logRetentionDays": "90", "assetRetentionDays": "60", "waf": "true",
	}
}

// resource is one resource of a template.
type resource struct {
	Type, DeletionPolicy, UpdateReplacePolicy string
	Properties                                map[string]any
}

// template is what CloudFormation would get.
type template struct {
	Resources map[string]resource
	Outputs   map[string]any
}

// of returns the template's resources of a type, by logical id.
func (tmpl template) of(kind string) map[string]resource {
	found := map[string]resource{}
	for id, r := range tmpl.Resources {
		if r.Type == kind {
			found[id] = r
		}
	}
	return found
}

// one returns the resource of the kind whose property has the value.
func (tmpl template) one(t *testing.T, kind, property string, value any) resource {
	t.Helper()
	for _, r := range tmpl.of(kind) {
		if r.Properties[property] == value {
			return r
		}
	}
	t.Fatalf("the template has no %s with %s = %v", kind, property, value)
	return resource{}
}

var templates = map[string]func() template{
	"dev":  sync.OnceValue(func() template { return synthesize(bare()) }),
	"prod": sync.OnceValue(func() template { return synthesize(full()) }),
}

// synthesized returns the dev or prod template.
func synthesized(t *testing.T, stage string) template {
	t.Helper()
	needNode(t)
	return templates[stage]()
}

func needNode(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("the CDK needs Node")
	}
}

func synthesize(values map[string]any) template {
	kernel.Lock()
	defer kernel.Unlock()
	_, stack := build(values)
	text := must(json.Marshal(assertions.Template_FromStack(stack, nil).ToJSON()))
	var tmpl template
	if err := json.Unmarshal(text, &tmpl); err != nil {
		panic(err)
	}
	return tmpl
}

// build makes the app as main does, with cdk.json's context and placeholders for
// what is built elsewhere. The caller holds kernel.
func build(values map[string]any) (awscdk.App, awscdk.Stack) {
	app := awscdk.NewApp(&awscdk.AppProps{
		Context: new(withFlags(values)),
		Outdir:  jsii.String(must(os.MkdirTemp(scratch, "out-"))),
	})
	c := must(parseConfig(contextOf(app)))
	return app, newStack(app, c, must(placeholders()))
}

func withFlags(values map[string]any) map[string]any {
	var file struct {
		Context map[string]any `json:"context"`
	}
	if err := json.Unmarshal(must(os.ReadFile("cdk.json")), &file); err != nil {
		panic(err)
	}
	maps.Copy(file.Context, values)
	return file.Context
}

func placeholders() (files, error) {
	f := files{functions: filepath.Join(scratch, "dist"), console: filepath.Join(scratch, "console")}
	paths := append(make([]string, 0, 8), filepath.Join(f.console, "index.html"))
	for _, name := range env.Functions() {
		paths = append(paths, filepath.Join(f.function(name), "bootstrap"))
	}
	for _, path := range paths {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return f, err
		}
		if err := os.WriteFile(path, []byte(path), 0o755); err != nil {
			return f, err
		}
	}
	return f, f.check()
}

// must is for helpers that are shared between tests and so belong to none.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// render writes a template's value as text: references become ${Id} or
// ${Id.Attribute}, joins are joined.
func render(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []any:
		texts := make([]string, 0, len(v))
		for _, one := range v {
			texts = append(texts, render(one))
		}
		return strings.Join(texts, " ")
	case map[string]any:
		if ref, ok := v["Ref"].(string); ok {
			return "${" + ref + "}"
		}
		if attribute, ok := v["Fn::GetAtt"].([]any); ok {
			return "${" + strings.ReplaceAll(render(attribute), " ", ".") + "}"
		}
		if join, ok := v["Fn::Join"].([]any); ok {
			parts, _ := join[1].([]any)
			var b strings.Builder
			for n, part := range parts {
				if n > 0 {
					b.WriteString(render(join[0]))
				}
				b.WriteString(render(part))
			}
			return b.String()
		}
	}
	return string(must(json.Marshal(value)))
}

// list returns a value that may be one or many as many.
func list(value any) []any {
	if many, ok := value.([]any); ok {
		return many
	}
	if value == nil {
		return nil
	}
	return []any{value}
}

// at follows keys into nested properties; nil where there is nothing.
func at(value any, path ...string) any {
	for _, key := range path {
		inner, _ := value.(map[string]any)
		value = inner[key]
	}
	return value
}

// sortedIDs makes failures come in the same order each time.
func sortedIDs(resources map[string]resource) []string { return slices.Sorted(maps.Keys(resources)) }
