package main

import (
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"easel/shared/env"
)

// parts are what functions are given access to.
type parts struct {
	stack  awscdk.Stack
	config config
	code   files
	tables map[string]awsdynamodb.Table
	queues queues
	assets awss3.IBucket
	login  login
	// apiURL is the API's base URL.
	apiURL string
}

// spec is one function: how long it may run, how it answers, and what it may do.
type spec struct {
	name, summary string
	seconds       int
	// mode is the form of its answers; "" for one that answers nobody.
	mode    string
	granted statements
}

// syncSeconds is how long a request may wait for its result: the longest
// Prefer: wait, 300 seconds, and time to settle and answer.
const syncSeconds = 330

// specs describes every function, by name.
func (p parts) specs() map[string]spec {
	specs := map[string]spec{}
	for _, s := range []spec{p.generate(), p.prompt(), p.task(), p.webhook(), p.admin(), p.worker()} {
		specs[s.name] = s
	}
	return specs
}

// newFunctions makes every function, by name.
func newFunctions(p parts, specs map[string]spec) map[string]awslambda.Function {
	made := map[string]awslambda.Function{}
	for _, name := range env.Functions() {
		made[name] = newFunction(p, specs[name])
	}
	return made
}

func (p parts) generate() spec {
	return spec{
		name: env.Generate, summary: "Takes image and video requests in", seconds: syncSeconds, mode: env.ResponseStream,
		granted: slices.Concat(
			p.tasks(env.ListIndex), // lists ledgers and videos
			p.send(),
			p.providerKeys(), // a request that waits is served here
			// Callers make secrets for their own reports here; only the worker reads them.
			p.secrets("EndpointWrites", []string{"CreateSecret", "PutSecretValue", "DeleteSecret"}, env.EndpointSecrets),
			p.files("s3:PutObject", "s3:GetObject"),
		),
	}
}

func (p parts) prompt() spec {
	return spec{
		name: env.Prompt, summary: "Answers text requests", seconds: syncSeconds, mode: env.ResponseStream,
		granted: slices.Concat(p.tasks(), p.send(), p.providerKeys()),
	}
}

func (p parts) task() spec {
	return spec{
		// Five minutes of one event stream; the caller then resumes it with Last-Event-ID.
		name: env.Task, summary: "Shows, follows and cancels tasks", seconds: 300, mode: env.ResponseStream,
		granted: slices.Concat(
			p.tasks(env.ListIndex),
			p.send(), // the worker cancels at the provider
			p.files("s3:GetObject"),
		),
	}
}

func (p parts) webhook() spec {
	return spec{
		// The one function that takes anybody's word until a signature is checked, so
		// it can change nothing: it reads the task and wakes the worker.
		name: env.Webhook, summary: "Verifies what providers report, and wakes the worker", seconds: 25, mode: env.ResponseBuffered,
		granted: slices.Concat(
			p.table(env.CoreTable, read),
			p.send(),
			p.secrets("ProviderKeys", []string{"GetSecretValue"}, env.ConfigSecrets),
		),
	}
}

func (p parts) admin() spec {
	everything := read | write | remove
	return spec{
		// Streams because the test of a config makes a real call, longer than the 29
		// seconds of a buffered answer.
		name: env.Admin, summary: "Serves the console", seconds: syncSeconds, mode: env.ResponseStream,
		granted: slices.Concat(
			p.table(env.CoreTable, everything, env.ListIndex, env.OpenIndex),
			p.table(env.VolatileTable, everything),
			p.table(env.UsageTable, read|write, env.ListIndex),
			p.send(),
			p.secrets("AdminReads", []string{"GetSecretValue"}, p.adminReads()...),
			p.secrets("AdminWrites",
				[]string{"CreateSecret", "PutSecretValue", "DeleteSecret", "RestoreSecret"},
				env.ConfigSecrets, env.EndpointSecrets),
			p.files("s3:GetObject"),
			p.produce(), // the test of a config keeps what it made
		),
	}
}

func (p parts) adminReads() []string {
	names := []string{env.ConfigSecrets, env.EndpointSecrets, env.AdminKeySecret}
	if p.config.cloudflareURL != "" {
		names = append(names, env.CloudflareTokenSecret)
	}
	return names
}

func (p parts) worker() spec {
	return spec{
		name: env.Worker, summary: "Drives tasks to their end", seconds: workerSeconds,
		granted: slices.Concat(
			p.tasks(env.ListIndex, env.OpenIndex),  // what is due, and every account's balance
			p.index(env.UsageTable, env.OpenIndex), // what is not yet counted
			p.send(),
			p.receive(),
			p.providerKeys(),
			p.secrets("Signing", []string{"GetSecretValue"}, env.WebhookSecret, env.EndpointSecrets),
			p.files("s3:PutObject", "s3:GetObject"),
		),
	}
}

func newFunction(p parts, s spec) awslambda.Function {
	logs := newLogGroup(p.stack, p.config, s.name)
	props := &awslambda.FunctionProps{
		FunctionName:          jsii.String(env.FunctionName(p.config.stage, s.name)),
		Description:           jsii.String(s.summary),
		Runtime:               awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:          awslambda.Architecture_ARM_64(),
		Handler:               jsii.String("bootstrap"),
		Code:                  awslambda.Code_FromAsset(jsii.String(p.code.function(s.name)), nil),
		Role:                  newRole(p.stack, s.name, logs, s.granted),
		Timeout:               awscdk.Duration_Seconds(jsii.Number(s.seconds)),
		MemorySize:            jsii.Number(p.config.memory[s.name]),
		Tracing:               awslambda.Tracing_ACTIVE,
		LogGroup:              logs,
		LoggingFormat:         awslambda.LoggingFormat_JSON,
		ApplicationLogLevelV2: awslambda.ApplicationLogLevel_INFO,
		SystemLogLevelV2:      awslambda.SystemLogLevel_WARN,
		Environment:           p.environment(s),
	}
	if limit := p.config.reserved[s.name]; limit > 0 {
		props.ReservedConcurrentExecutions = jsii.Number(limit)
	}
	if s.name == env.Worker {
		// A task that is polled sends the worker a message after each look. Lambda
		// would take that for a runaway loop and stop it after sixteen.
		props.RecursiveLoop = awslambda.RecursiveLoop_ALLOW
		// A tick that failed or came late is replaced by the next one.
		props.RetryAttempts = jsii.Number(0)
		props.MaxEventAge = awscdk.Duration_Seconds(jsii.Number(60))
	}
	return awslambda.NewFunction(p.stack, jsii.String("Function-"+s.name), props)
}

// environment is what a function is told. No value is a secret.
func (p parts) environment(s spec) *map[string]*string {
	c := p.config
	values := map[string]string{
		env.Stage:              c.stage,
		env.Function:           s.name,
		env.TablePrefix:        c.name(""),
		env.Bucket:             *p.assets.BucketName(),
		env.QueueURL:           *p.queues.work.QueueUrl(),
		env.SecretPrefix:       c.secretPrefix(),
		env.PublicURL:          p.apiURL,
		env.TaskRetentionDays:  strconv.Itoa(c.taskDays),
		env.UsageRetentionDays: strconv.Itoa(c.usageDays),
		env.PriceCap:           strconv.Itoa(c.priceCap),
	}
	if s.mode != "" {
		values[env.ResponseMode] = s.mode
	}
	if c.cloudflareURL != "" {
		values[env.CloudflareGatewayURL] = c.cloudflareURL
	}
	if s.name == env.Admin {
		values[env.RevealKeys] = strconv.FormatBool(c.revealKeys)
	}
	if authenticates(s.name) {
		maps.Copy(values, p.login.environment(c))
	}
	pointers := make(map[string]*string, len(values))
	for name, value := range values {
		pointers[name] = jsii.String(value)
	}
	return &pointers
}

// authenticates reports whether the function takes tokens of persons.
func authenticates(name string) bool { return name != env.Webhook && name != env.Worker }
