package rehearsal

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"easel/shared/env"
)

// The types of resources that are read.
const (
	typeFunction = "AWS::Lambda::Function"
	typeMapping  = "AWS::Lambda::EventSourceMapping"
	typeAPI      = "AWS::ApiGateway::RestApi"
	typeResource = "AWS::ApiGateway::Resource"
	typeMethod   = "AWS::ApiGateway::Method"
	typeStage    = "AWS::ApiGateway::Stage"
	typeAnswer   = "AWS::ApiGateway::GatewayResponse"
	typeQueue    = "AWS::SQS::Queue"
	typeBucket   = "AWS::S3::Bucket"
	typeSchedule = "AWS::Scheduler::Schedule"
)

// Template is what the rehearsal reads from a CloudFormation template.
type Template struct {
	resources map[string]resource
	// values are what references mean, by logical id or "id.Attribute".
	values map[string]string
}

type resource struct {
	Type       string
	Properties map[string]any
}

// ErrTemplate is wrapped when a template lacks what the rehearsal needs.
var ErrTemplate = errors.New("template cannot be rehearsed")

// ReadTemplate reads a template from a JSON file.
func ReadTemplate(path string) (*Template, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the developer's own file
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	var document struct {
		Resources map[string]resource
	}
	if err := json.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	return &Template{resources: document.Resources, values: map[string]string{
		"AWS::AccountId": "111122223333", "AWS::Region": region, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
	}}, nil
}

// ids returns the logical ids of a type in order.
func (t *Template) ids(kind string) []string {
	var found []string
	for id, r := range t.resources {
		if r.Type == kind {
			found = append(found, id)
		}
	}
	slices.Sort(found)
	return found
}

// one returns the only resource of a type.
func (t *Template) one(kind string) (string, map[string]any, error) {
	ids := t.ids(kind)
	if len(ids) != 1 {
		return "", nil, fmt.Errorf("%w: it has %d of %s, not one", ErrTemplate, len(ids), kind)
	}
	return ids[0], t.resources[ids[0]].Properties, nil
}

// text renders a value: references and joins become text. A reference that
// nobody gave a value is its own name.
func (t *Template) text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case map[string]any:
		if name, ok := v["Ref"].(string); ok {
			return cmp.Or(t.values[name], name)
		}
		if path, ok := v["Fn::GetAtt"].([]any); ok {
			name := t.list(path, ".")
			return cmp.Or(t.values[name], name)
		}
		if join, ok := v["Fn::Join"].([]any); ok && len(join) == 2 {
			parts, _ := join[1].([]any)
			return t.list(parts, t.text(join[0]))
		}
	}
	return fmt.Sprint(value)
}

func (t *Template) list(values []any, separator string) string {
	texts := make([]string, 0, len(values))
	for _, v := range values {
		texts = append(texts, t.text(v))
	}
	return strings.Join(texts, separator)
}

// number returns a JSON number, or otherwise what is used without it.
func number(value any, otherwise int) int {
	if n, ok := value.(float64); ok {
		return int(n)
	}
	return otherwise
}

func at(value any, path ...string) any {
	for _, key := range path {
		inner, _ := value.(map[string]any)
		value = inner[key]
	}
	return value
}

// functionSpec is one function as the template describes it.
type functionSpec struct {
	name string
	// function is its name at Lambda.
	function string
	env      map[string]string
	timeout  time.Duration
	memoryMB int
}

// functions returns the gateway's functions by name; helpers that the CDK adds
// for itself have no [env.Function] and are left out.
func (t *Template) functions() map[string]functionSpec {
	specs := map[string]functionSpec{}
	for _, id := range t.ids(typeFunction) {
		properties := t.resources[id].Properties
		variables, _ := at(properties, "Environment", "Variables").(map[string]any)
		name := t.text(variables[env.Function])
		if name == "" {
			continue
		}
		s := functionSpec{
			name: name, function: t.text(properties["FunctionName"]), env: map[string]string{},
			timeout:  time.Duration(number(properties["Timeout"], 3)) * time.Second,
			memoryMB: number(properties["MemorySize"], 128),
		}
		for key, value := range variables {
			s.env[key] = t.text(value)
		}
		specs[name] = s
	}
	return specs
}

// route is one way into the API.
type route struct {
	method, path, function string
	stream                 bool
	timeout                time.Duration
}

// routes returns every route that a function serves.
func (t *Template) routes() []route {
	names := map[string]string{} // of functions, by logical id
	for _, id := range t.ids(typeFunction) {
		variables, _ := at(t.resources[id].Properties, "Environment", "Variables").(map[string]any)
		names[id] = t.text(variables[env.Function])
	}
	var found []route
	for _, id := range t.ids(typeMethod) {
		properties := t.resources[id].Properties
		integration, _ := properties["Integration"].(map[string]any)
		if integration["Type"] != "AWS_PROXY" {
			continue
		}
		r := route{
			method: t.text(properties["HttpMethod"]), path: cmp.Or(t.pathOf(properties["ResourceId"]), "/"),
			stream:  integration["ResponseTransferMode"] == "STREAM",
			timeout: time.Duration(number(integration["TimeoutInMillis"], 29_000)) * time.Millisecond,
		}
		uri := t.text(integration["Uri"])
		for _, function := range slices.Sorted(maps.Keys(names)) {
			if strings.Contains(uri, "/"+function+".Arn/") {
				r.function = names[function]
			}
		}
		found = append(found, r)
	}
	return found
}

// pathOf returns the path of an API resource, "" for the root.
func (t *Template) pathOf(reference any) string {
	id, _ := at(reference, "Ref").(string)
	r, ok := t.resources[id]
	if !ok || r.Type != typeResource {
		return ""
	}
	return t.pathOf(r.Properties["ParentId"]) + "/" + t.text(r.Properties["PathPart"])
}

// queueSpec is the worker's queue as the template describes it.
type queueSpec struct {
	id, name    string
	dead        string // the name of the queue of its dead letters
	visibility  time.Duration
	maxReceives int
	concurrency int
}

// queue returns the queue that feeds the worker.
func (t *Template) queue() (queueSpec, error) {
	_, mapping, err := t.one(typeMapping)
	if err != nil {
		return queueSpec{}, err
	}
	source, _ := at(mapping["EventSourceArn"], "Fn::GetAtt").([]any)
	if len(source) == 0 {
		return queueSpec{}, fmt.Errorf("%w: the event source is not a queue of the stack", ErrTemplate)
	}
	id := t.text(source[0])
	properties := t.resources[id].Properties
	if batch := number(mapping["BatchSize"], 10); batch != 1 {
		return queueSpec{}, fmt.Errorf("%w: batches of %d; only 1 is rehearsed", ErrTemplate, batch)
	}
	var dead string
	if target, _ := at(properties["RedrivePolicy"], "deadLetterTargetArn", "Fn::GetAtt").([]any); len(target) > 0 {
		dead = t.text(t.resources[t.text(target[0])].Properties["QueueName"])
	}
	return queueSpec{
		id: id, name: t.text(properties["QueueName"]), dead: dead,
		visibility:  time.Duration(number(properties["VisibilityTimeout"], 30)) * time.Second,
		maxReceives: number(at(properties["RedrivePolicy"], "maxReceiveCount"), 5),
		concurrency: number(at(mapping["ScalingConfig"], "MaximumConcurrency"), 2),
	}, nil
}
