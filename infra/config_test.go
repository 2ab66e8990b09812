package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/shared/env"
)

func TestTheStageAloneIsEnough(t *testing.T) {
	t.Parallel()
	c, err := parseConfig(map[string]any{"stage": "prod", "@aws-cdk/aws-iam:minimizePolicies": true})
	if err != nil {
		t.Fatal(err)
	}
	if !c.prod() || !c.waf || c.logDays != 30 || c.memory[env.Webhook] != 256 || len(c.reserved) != 0 || c.revealKeys {
		t.Errorf("the defaults of prod are %+v", c)
	}
	if c.secretPrefix() != "easel/prod/" || c.name("core") != "easel-prod-core" {
		t.Errorf("names are %s and %s", c.secretPrefix(), c.name("core"))
	}
}

func TestValuesMayBeTextOrTyped(t *testing.T) {
	t.Parallel()
	for _, values := range []map[string]any{
		{"stage": "dev", "waf": "on", "logRetentionDays": "14", "memory": "512,worker=1024", "reservedConcurrency": " worker=9 "},
		{"stage": "dev", "waf": true, "logRetentionDays": 14.0, "memory": "512, worker=1024", "reservedConcurrency": "worker=9"},
	} {
		c, err := parseConfig(values)
		if err != nil {
			t.Fatal(err)
		}
		if !c.waf || c.logDays != 14 || c.memory[env.Task] != 512 || c.memory[env.Worker] != 1024 || c.reserved[env.Worker] != 9 || c.reserved[env.Task] != 0 {
			t.Errorf("%v became %+v", values, c)
		}
	}
}

func TestBadValuesAreNamed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		values map[string]any
		want   string
	}{
		"no stage":                {map[string]any{"stage": nil}, "stage: it must be one of dev, prod, as in: cdk deploy -c stage=dev"},
		"another stage":           {map[string]any{"stage": "staging"}, "stage: it must be one of"},
		"a typing error":          {map[string]any{"alarmMail": "a@b.example"}, "alarmMail: unknown; known are"},
		"no number":               {map[string]any{"assetRetentionDays": "ten"}, `assetRetentionDays: "ten" is not a whole number from 1 to 3650`},
		"half a day":              {map[string]any{"assetRetentionDays": 1.5}, "not a whole number"},
		"too much memory":         {map[string]any{"memory": "20000"}, "memory:"},
		"unknown function":        {map[string]any{"memory": "chat=512"}, `there is no function "chat"`},
		"unknown retention":       {map[string]any{"logRetentionDays": 31.0}, "logRetentionDays: it must be one of"},
		"no flag":                 {map[string]any{"waf": "maybe"}, "waf:"},
		"no address":              {map[string]any{"alarmEmail": "ops"}, "alarmEmail:"},
		"domain only":             {map[string]any{"domain": "a.example.com"}, "given together"},
		"certificate elsewhere":   {map[string]any{"consoleDomain": "a.example.com", "consoleCertificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/0"}, "us-east-1"},
		"issuer without TLS":      {map[string]any{"oidcIssuer": "http://a.example.com"}, "https"},
		"issuer with password":    {map[string]any{"oidcIssuer": "https://a:b@a.example.com"}, "credentials"},
		"issuer alone":            {map[string]any{"oidcIssuer": "https://a.example.com"}, "oidcClientId"},
		"starved worker":          {map[string]any{"workerConcurrency": "50", "reservedConcurrency": "worker=10"}, "below workerConcurrency"},
		"one group for both":      {map[string]any{"oidcAdminGroup": "ops", "oidcViewerGroup": "ops"}, "differ"},
		"callers without account": {map[string]any{"oidcCallerGroup": "makers"}, "oidcAccountClaim"},
		"a list":                  {map[string]any{"domain": []any{"a"}}, "domain: it must be a string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, set := test.values["stage"]; !set {
				test.values["stage"] = "dev"
			}
			_, err := parseConfig(test.values)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := parseConfig(map[string]any{"waf": "maybe", "burst": 1.0})
	for _, want := range []string{"stage", "waf", "burst: unknown"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
}

func TestATreeThatWasNotBuiltIsRefused(t *testing.T) {
	t.Parallel()
	f := files{functions: filepath.Join(t.TempDir(), "dist"), console: t.TempDir()}
	err := f.check()
	if err == nil || !strings.Contains(err.Error(), "make build") || !strings.Contains(err.Error(), "make web") {
		t.Fatalf("the error is %v", err)
	}
	if err := os.MkdirAll(filepath.Join(f.function(env.Task), "bootstrap"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := f.check(); !strings.Contains(err.Error(), "is no file") {
		t.Errorf("a folder was taken for a binary: %v", err)
	}
}
