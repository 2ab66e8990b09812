package main

import (
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"easel/shared/env"
)

// statements is what one role may do. Nothing else adds to a role: the CDK's own
// grants are switched off, because they give whole families of actions.
type statements []awsiam.PolicyStatement

func allow(sid string, actions []string, resources ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String(sid), Actions: jsii.Strings(actions...), Resources: jsii.Strings(resources...),
	})
}

// access is what a function does with a table.
type access int

const (
	read access = 1 << iota
	write
	remove
)

// actions returns DynamoDB's names for the access. A transaction needs the
// permissions of its parts and none of its own.
func (a access) actions() []string {
	var names []string
	if a&read != 0 {
		names = append(names, "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query")
	}
	if a&write != 0 {
		names = append(names, "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem")
	}
	if a&remove != 0 {
		names = append(names, "dynamodb:DeleteItem")
	}
	return names
}

// title turns "core" into "Core", for statement ids.
func title(word string) string {
	word = strings.ReplaceAll(word, "-", "")
	return strings.ToUpper(word[:1]) + word[1:]
}

// table grants access to a table and, by name, queries of its indexes.
func (p parts) table(suffix string, a access, indexes ...string) statements {
	granted := statements{allow("Table"+title(suffix), a.actions(), *p.tables[suffix].TableArn())}
	if len(indexes) > 0 {
		granted = append(granted, p.index(suffix, indexes...)...)
	}
	return granted
}

// index grants queries of a table's indexes, by name.
func (p parts) index(suffix string, names ...string) statements {
	arns := make([]string, 0, len(names))
	for _, name := range names {
		arns = append(arns, *p.tables[suffix].TableArn()+"/index/"+name)
	}
	return statements{allow("Index"+title(suffix), []string{"dynamodb:Query"}, arns...)}
}

// tasks grants what every function needs that moves tasks and money: the core
// table, the limits and idempotency records, and the usage log. It cannot write
// configs, models and keys, however wrong its code is.
func (p parts) tasks(indexes ...string) statements {
	guard := awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:       jsii.String("NeverConfigsOrKeys"),
		Effect:    awsiam.Effect_DENY,
		Actions:   jsii.Strings("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"),
		Resources: jsii.Strings(*p.tables[env.CoreTable].TableArn()),
		Conditions: &map[string]any{"ForAnyValue:StringLike": map[string]any{
			"dynamodb:LeadingKeys": []string{env.ConfigPartition, env.KeyPartitionPattern},
		}},
	})
	return slices.Concat(
		p.table(env.CoreTable, read|write, indexes...),
		statements{guard},
		p.table(env.VolatileTable, read|write|remove),
		p.table(env.UsageTable, read|write),
	)
}

// send grants to put work into the queue.
func (p parts) send() statements {
	return statements{allow("Send", []string{"sqs:SendMessage"}, *p.queues.work.QueueArn())}
}

// receive grants what Lambda's poller does with the queue in the worker's name.
func (p parts) receive() statements {
	return statements{allow("Receive", []string{
		"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes",
	}, *p.queues.work.QueueArn())}
}

// secrets grants actions on secrets by their names below the prefix. A name that
// ends in a slash stands for all below it, which are made at run time; for the
// others only the six characters are open that Secrets Manager appends.
func (p parts) secrets(sid string, actions []string, names ...string) statements {
	arns := make([]string, 0, len(names))
	for _, name := range names {
		if strings.HasSuffix(name, "/") {
			name += "*"
		} else {
			name += "-??????"
		}
		arns = append(arns, *p.stack.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("secretsmanager"), Resource: jsii.String("secret"),
			ArnFormat:    awscdk.ArnFormat_COLON_RESOURCE_NAME,
			ResourceName: jsii.String(p.config.secretPrefix() + name),
		}))
	}
	prefixed := make([]string, 0, len(actions))
	for _, action := range actions {
		prefixed = append(prefixed, "secretsmanager:"+action)
	}
	return statements{allow(sid, prefixed, arns...)}
}

// providerKeys grants to read what providers are called with.
func (p parts) providerKeys() statements {
	names := []string{env.ConfigSecrets}
	if p.config.cloudflareURL != "" {
		names = append(names, env.CloudflareTokenSecret)
	}
	return p.secrets("ProviderKeys", []string{"GetSecretValue"}, names...)
}

// files grants actions on the produced and uploaded files. Listing is there for
// one reason: without it S3 answers 403 for a file that has aged out, and nobody
// could tell that from a mistake.
func (p parts) files(actions ...string) statements {
	return statements{
		allow("Files", actions, objects(p.assets, "out/"), objects(p.assets, "in/")),
		allow("MissingFiles", []string{"s3:ListBucket"}, *p.assets.BucketArn()),
	}
}

// produce grants to keep produced files, where [parts.files] grants to read.
func (p parts) produce() statements {
	return statements{allow("Produced", []string{"s3:PutObject"}, objects(p.assets, "out/"))}
}

func objects(bucket awss3.IBucket, prefix string) string {
	return *bucket.ArnForObjects(jsii.String(prefix + "*"))
}

// newRole makes a function's role: what it was granted, its own log group, and
// traces, which have no resource to name.
func newRole(stack awscdk.Stack, name string, logs awslogs.ILogGroup, granted statements) awsiam.IRole {
	all := slices.Concat(granted, statements{
		allow("Logs", []string{"logs:CreateLogStream", "logs:PutLogEvents"}, *logs.LogGroupArn()),
		allow("Traces", []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, "*"),
	})
	role := awsiam.NewRole(stack, jsii.String("Role-"+name), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		Description: jsii.String("What Easel's function " + name + " may do"),
		InlinePolicies: &map[string]awsiam.PolicyDocument{
			"access": awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: (*[]awsiam.PolicyStatement)(&all)}),
		},
	})
	accept(role, finding{"AwsSolutions-IAM5", "the wildcards stand for log streams, traces, secrets and files that get their names at run time, each below the deployment's own prefix; the golden files in testdata list every one"})
	return role.WithoutPolicyUpdates(nil)
}
