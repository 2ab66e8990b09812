package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// rehearsed are the properties of the template that the rehearsal is wired by.
func rehearsed() map[string][]string {
	return map[string][]string{
		"AWS::Lambda::Function":            {"FunctionName", "Environment", "Timeout", "MemorySize"},
		"AWS::Lambda::EventSourceMapping":  {"FunctionName", "EventSourceArn", "BatchSize", "ScalingConfig", "FunctionResponseTypes"},
		"AWS::ApiGateway::RestApi":         {"Name", "BinaryMediaTypes"},
		"AWS::ApiGateway::Resource":        {"ParentId", "PathPart"},
		"AWS::ApiGateway::Method":          {"HttpMethod", "ResourceId", "AuthorizationType", "Integration"},
		"AWS::ApiGateway::Stage":           {"StageName"},
		"AWS::ApiGateway::GatewayResponse": {"ResponseType", "StatusCode", "ResponseParameters", "ResponseTemplates"},
		"AWS::SQS::Queue":                  {"QueueName", "VisibilityTimeout", "RedrivePolicy"},
		"AWS::S3::Bucket":                  {"BucketName"},
		"AWS::Scheduler::Schedule":         {"ScheduleExpression", "Target"},
	}
}

// TestTheRehearsalIsWiredByThisTemplate compares what the rehearsal reads with
// the template of a bare deployment. A difference is one that the rehearsal has to
// see: run the test with -update, and then make rehearsal.
func TestTheRehearsalIsWiredByThisTemplate(t *testing.T) {
	t.Parallel()
	kept := map[string]map[string]any{}
	for id, r := range synthesized(t, "dev").Resources {
		names, ok := rehearsed()[r.Type]
		if !ok {
			continue
		}
		properties := map[string]any{}
		for _, name := range names {
			if value, ok := r.Properties[name]; ok {
				properties[name] = value
			}
		}
		kept[id] = map[string]any{"Type": r.Type, "Properties": properties}
	}
	got, err := json.MarshalIndent(map[string]any{"Resources": kept}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join("..", "rehearsal", "testdata", "template.json")
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the stack makes now: run this test with -update, then make rehearsal", path)
	}
}
