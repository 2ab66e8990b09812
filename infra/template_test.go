package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"easel/shared/env"
)

// stages runs a fact for both templates.
func stages(t *testing.T, fact func(t *testing.T, stage string, tmpl template)) {
	t.Helper()
	for _, stage := range []string{stageDev, stageProd} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			fact(t, stage, synthesized(t, stage))
		})
	}
}

func TestTablesAreThoseOfTheOneDefinition(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		made := tmpl.of("AWS::DynamoDB::Table")
		if len(made) != len(env.Tables()) {
			t.Fatalf("the template has %d tables, the definition %d", len(made), len(env.Tables()))
		}
		for _, want := range env.Tables() {
			p := tmpl.one(t, "AWS::DynamoDB::Table", "TableName", want.Name("easel-"+stage+"-")).Properties
			checks := map[string][2]any{
				"billing":    {p["BillingMode"], "PAY_PER_REQUEST"},
				"keys":       {schema(p["KeySchema"]), want.PartitionKey + " HASH, " + want.SortKey + " RANGE"},
				"indexes":    {indexes(p["GlobalSecondaryIndexes"]), wantedIndexes(want)},
				"attributes": {attributes(p["AttributeDefinitions"]), strings.Join(slices.Sorted(slices.Values(want.KeyAttributes())), " ")},
				"ttl":        {at(p, "TimeToLiveSpecification", "AttributeName"), want.TTL},
				"encryption": {at(p, "SSESpecification", "SSEEnabled"), true},
				"backups":    {at(p, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"), want.PointInTimeRecovery},
				"protection": {p["DeletionProtectionEnabled"], want.DeletionProtection && stage == stageProd},
				"stream":     {p["StreamSpecification"] != nil, false}, // nobody would read it
			}
			for what, pair := range checks {
				if pair[0] != pair[1] {
					t.Errorf("table %s: %s is %v, want %v", want.Suffix, what, pair[0], pair[1])
				}
			}
		}
	})
}

func schema(value any) string {
	parts := make([]string, 0, 2)
	for _, key := range list(value) {
		parts = append(parts, fmt.Sprint(at(key, "AttributeName"), " ", at(key, "KeyType")))
	}
	return strings.Join(parts, ", ")
}

func attributes(value any) string {
	var names []string
	for _, definition := range list(value) {
		if at(definition, "AttributeType") != "S" {
			names = append(names, "not-a-string")
		}
		names = append(names, render(at(definition, "AttributeName")))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func indexes(value any) string {
	lines := make([]string, 0, 2)
	for _, index := range list(value) {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%v: %s %v %s", at(index, "IndexName"), schema(at(index, "KeySchema")),
			at(index, "Projection", "ProjectionType"), render(list(at(index, "Projection", "NonKeyAttributes"))))))
	}
	return strings.Join(lines, "; ")
}

func wantedIndexes(table env.Table) string {
	lines := make([]string, 0, 2)
	for _, index := range table.Indexes {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s: %s HASH, %s RANGE %s %s", index.Name, index.PartitionKey,
			index.SortKey, index.Projection, strings.Join(index.Attributes, " "))))
	}
	return strings.Join(lines, "; ")
}

// holdsData are the types of resources whose loss cannot be undone.
func holdsData() []string {
	return []string{
		"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::SQS::Queue",
		"AWS::Logs::LogGroup", "AWS::Cognito::UserPool",
	}
}

func TestProdRetainsItsDataAndDevLeavesNothing(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		want := map[string]string{stageDev: "Delete", stageProd: "Retain"}[stage]
		for _, kind := range holdsData() {
			for _, id := range sortedIDs(tmpl.of(kind)) {
				if got := tmpl.Resources[id]; got.DeletionPolicy != want || got.UpdateReplacePolicy != want {
					t.Errorf("%s %s: deleted %q, replaced %q, want %q", kind, id, got.DeletionPolicy, got.UpdateReplacePolicy, want)
				}
			}
		}
		if emptied := len(tmpl.of("Custom::S3AutoDeleteObjects")); (emptied == len(tmpl.of("AWS::S3::Bucket"))) != (stage == stageDev) {
			t.Errorf("%d buckets are emptied before their deletion", emptied)
		}
	})
}

func TestEveryBucketIsClosedEncryptedAndAsksForTLS(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, _ string, tmpl template) {
		t.Helper()
		policies := map[string]string{}
		for _, policy := range tmpl.of("AWS::S3::BucketPolicy") {
			policies[render(policy.Properties["Bucket"])] += render(policy.Properties["PolicyDocument"])
		}
		for id, bucket := range tmpl.of("AWS::S3::Bucket") {
			for _, door := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
				if at(bucket.Properties, "PublicAccessBlockConfiguration", door) != true {
					t.Errorf("bucket %s: %s is not set", id, door)
				}
			}
			if !strings.Contains(render(at(bucket.Properties, "BucketEncryption")), `"SSEAlgorithm":"AES256"`) {
				t.Errorf("bucket %s is not encrypted", id)
			}
			if policy := policies["${"+id+"}"]; !strings.Contains(policy, `"aws:SecureTransport":"false"`) || !strings.Contains(policy, `"s3:TlsVersion":1.2`) {
				t.Errorf("bucket %s takes requests without TLS 1.2: %s", id, policy)
			}
		}
	})
}

func TestProducedFilesExpireAndOnlyTheConsoleReadsThemInABrowser(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		var found bool
		for _, bucket := range tmpl.of("AWS::S3::Bucket") {
			if !strings.Contains(render(bucket.Properties["BucketName"]), "-assets-") {
				continue
			}
			found = true
			days := map[string]float64{stageDev: 7, stageProd: 60}[stage]
			rules := render(at(bucket.Properties, "LifecycleConfiguration", "Rules"))
			for _, want := range []string{
				fmt.Sprintf(`{"ExpirationInDays":%v,"Id":"produced","Prefix":"out/","Status":"Enabled"}`, days),
				`{"ExpirationInDays":2,"Id":"uploaded","Prefix":"in/","Status":"Enabled"}`,
				`"DaysAfterInitiation":1`,
			} {
				if !strings.Contains(rules, want) {
					t.Errorf("the lifecycle rules lack %s: %s", want, rules)
				}
			}
			cors := list(at(bucket.Properties, "CorsConfiguration", "CorsRules"))
			if len(cors) != 1 || strings.Contains(render(cors), `"*"`) || render(at(cors[0], "AllowedMethods")) != "GET HEAD" {
				t.Errorf("cross-origin rules are %s", render(cors))
			}
		}
		if !found {
			t.Fatal("there is no bucket for produced files")
		}
	})
}

func TestEveryQueueHasADeadLetterQueueOrIsOne(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		work := tmpl.one(t, "AWS::SQS::Queue", "QueueName", "easel-"+stage+"-work").Properties
		dead := tmpl.one(t, "AWS::SQS::Queue", "QueueName", "easel-"+stage+"-dead-letters").Properties
		if len(tmpl.of("AWS::SQS::Queue")) != 2 {
			t.Errorf("there are queues that this test does not know: %v", sortedIDs(tmpl.of("AWS::SQS::Queue")))
		}
		target := render(at(work, "RedrivePolicy", "deadLetterTargetArn"))
		if !strings.HasPrefix(target, "${DeadLetters") || at(work, "RedrivePolicy", "maxReceiveCount") != 5.0 {
			t.Errorf("redrive policy is %v", work["RedrivePolicy"])
		}
		if dead["MessageRetentionPeriod"] != float64(14*24*3600) {
			t.Errorf("dead letters are kept for %v seconds", dead["MessageRetentionPeriod"])
		}
		timeout, _ := tmpl.one(t, "AWS::Lambda::Function", "FunctionName", "easel-"+stage+"-worker").Properties["Timeout"].(float64)
		if visible, _ := work["VisibilityTimeout"].(float64); timeout == 0 || visible < 6*timeout {
			t.Errorf("messages come back after %v seconds, less than six times the worker's %v", visible, timeout)
		}
		for _, queue := range []map[string]any{work, dead} {
			if queue["SqsManagedSseEnabled"] != true {
				t.Errorf("queue %v is not encrypted", queue["QueueName"])
			}
		}
		if n := strings.Count(policies(tmpl, "AWS::SQS::QueuePolicy"), `"aws:SecureTransport":"false"`); n != 2 {
			t.Errorf("%d of 2 queues ask for TLS", n)
		}
	})
}

func policies(tmpl template, kind string) string {
	var b strings.Builder
	for _, id := range sortedIDs(tmpl.of(kind)) {
		b.WriteString(render(tmpl.Resources[id].Properties["PolicyDocument"]))
	}
	return b.String()
}

func TestEveryLogGroupEndsAndEveryFunctionHasOne(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		want := map[string]float64{stageDev: 7, stageProd: 90}[stage]
		for id, group := range tmpl.of("AWS::Logs::LogGroup") {
			if group.Properties["RetentionInDays"] != want {
				t.Errorf("log group %s is kept for %v days, want %v", id, group.Properties["RetentionInDays"], want)
			}
		}
		for _, name := range append(env.Functions(), "api-access") {
			tmpl.one(t, "AWS::Logs::LogGroup", "LogGroupName", "/easel/"+stage+"/"+name)
		}
	})
}

func TestSecretsAreGeneratedUnderTheStagesPrefix(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		names := make([]string, 0, 2)
		for _, secret := range tmpl.of("AWS::SecretsManager::Secret") {
			names = append(names, render(secret.Properties["Name"]))
			if secret.Properties["SecretString"] != nil || at(secret.Properties, "GenerateSecretString", "PasswordLength") != 44.0 {
				t.Errorf("secret %v is not generated", secret.Properties["Name"])
			}
		}
		slices.Sort(names)
		if want := []string{"easel/" + stage + "/" + env.AdminKeySecret, "easel/" + stage + "/" + env.WebhookSecret}; !slices.Equal(names, want) {
			t.Errorf("secrets are %v, want %v", names, want)
		}
	})
}

func TestTheWorkerIsFedByTheQueueAndEveryMinute(t *testing.T) {
	t.Parallel()
	stages(t, func(t *testing.T, stage string, tmpl template) {
		t.Helper()
		mapping := tmpl.one(t, "AWS::Lambda::EventSourceMapping", "BatchSize", 1.0).Properties
		if !slices.Contains(list(mapping["FunctionResponseTypes"]), any("ReportBatchItemFailures")) || at(mapping, "ScalingConfig", "MaximumConcurrency") == nil {
			t.Errorf("the worker's messages: %v", mapping)
		}
		if !strings.HasPrefix(render(mapping["FunctionName"]), "${Functionworker") {
			t.Errorf("the queue feeds %s", render(mapping["FunctionName"]))
		}
		schedule := tmpl.one(t, "AWS::Scheduler::Schedule", "ScheduleExpression", "rate(1 minute)").Properties
		if !strings.HasPrefix(render(at(schedule, "Target", "Arn")), "${Functionworker") {
			t.Errorf("the schedule starts %s", render(at(schedule, "Target", "Arn")))
		}
		var event struct{ Source, Time string }
		if err := json.Unmarshal([]byte(render(at(schedule, "Target", "Input"))), &event); err != nil || event.Source != "aws.scheduler" || event.Time != "<aws.scheduler.scheduled-time>" {
			t.Errorf("the schedule's event is %v, %v", at(schedule, "Target", "Input"), err)
		}
		worker := tmpl.one(t, "AWS::Lambda::Function", "FunctionName", "easel-"+stage+"-worker").Properties
		if worker["RecursiveLoop"] != "Allow" {
			t.Error("Lambda would stop a task that is polled for long, as a loop")
		}
	})
}

func TestContextReachesTheFunctions(t *testing.T) {
	t.Parallel()
	prod := synthesized(t, stageProd)
	worker := prod.one(t, "AWS::Lambda::Function", "FunctionName", "easel-prod-worker").Properties
	generate := prod.one(t, "AWS::Lambda::Function", "FunctionName", "easel-prod-generate").Properties
	for what, pair := range map[string][2]any{
		"worker's memory":        {worker["MemorySize"], 512.0},
		"worker's reservation":   {worker["ReservedConcurrentExecutions"], 80.0},
		"generate's memory":      {generate["MemorySize"], 256.0},
		"generate's reservation": {generate["ReservedConcurrentExecutions"], 200.0},
		"price cap":              {at(worker, "Environment", "Variables", env.PriceCap), "2000000"},
		"Cloudflare":             {at(worker, "Environment", "Variables", env.CloudflareGatewayURL), "https://gateway.ai.cloudflare.com/v1/acct/gw"},
		"public URL":             {at(worker, "Environment", "Variables", env.PublicURL), "https://api.example.com"},
		"issuer":                 {at(generate, "Environment", "Variables", env.OIDCIssuer), "https://login.example.com/"},
		"user pools":             {len(prod.of("AWS::Cognito::UserPool")), 0},
		"user pools of dev":      {len(synthesized(t, stageDev).of("AWS::Cognito::UserPool")), 1},
		"firewalls":              {len(prod.of("AWS::WAFv2::WebACLAssociation")), 1},
		"firewalls of dev":       {len(synthesized(t, stageDev).of("AWS::WAFv2::WebACL")), 0},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %v, want %v", what, pair[0], pair[1])
		}
	}
}

func TestStacksAreTheSameEachTime(t *testing.T) {
	t.Parallel()
	first, again := synthesized(t, stageDev), synthesize(bare())
	if !slices.Equal(slices.Sorted(maps.Keys(first.Resources)), slices.Sorted(maps.Keys(again.Resources))) {
		t.Error("logical ids differ between two runs; a deployment would replace resources")
	}
}
