package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"easel/shared/app"
	"easel/shared/dynamo"
	"easel/shared/env"
	"easel/shared/provider"
	"easel/shared/safehttp"
	"easel/shared/secret"
	"easel/shared/secrets"
	"easel/shared/settings"
)

// deployment is a deployed gateway seen from inside.
type deployment struct {
	env.Deployment

	store     *dynamo.Store
	secrets   secretReader
	providers map[string]provider.Provider
	queue     *sqs.Client
	bucket    *s3.Client
	client    *http.Client
}

// secretReader is the half of a secrets.Store that is needed.
type secretReader interface {
	Get(ctx context.Context, name string) (secret.Value, error)
}

// examineDeployment checks a deployment with the credentials of this process: the
// one of the stage, or, where stage is "", the one that the environment describes.
func examineDeployment(ctx context.Context, stage string) []finding {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return []finding{failure("environment", "give it AWS credentials and a region", "%v", err)}
	}
	d, found := describe(ctx, cfg, stage)
	if found.Status == verdictFail {
		return []finding{found}
	}
	client := app.CheckClient(checkTimeout)
	seen := &deployment{
		Deployment: d, client: client,
		store:     dynamo.New(dynamodb.NewFromConfig(cfg), dynamo.Options{Prefix: d.TablePrefix}),
		secrets:   secrets.NewManager(secretsmanager.NewFromConfig(cfg), secrets.ManagerOptions{Prefix: d.SecretPrefix}),
		providers: app.Providers(client), queue: sqs.NewFromConfig(cfg),
		bucket: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil }),
	}
	return append([]finding{found}, examine(ctx, seen.checks())...)
}

// describe finds out what the functions of the stage are told, by asking Lambda
// for the admin function, which is told everything.
func describe(ctx context.Context, cfg aws.Config, stage string) (env.Deployment, finding) {
	const check = "environment"
	if stage == "" {
		d, err := env.Load()
		if err != nil {
			return d, failure(check, "name a stage by -stage, or a gateway by -server", "%v", err)
		}
		return d, fine(check, "is complete, of stage %s", d.Stage)
	}
	name := env.FunctionName(stage, env.Admin)
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	out, err := lambda.NewFromConfig(cfg).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(name)})
	if _, missing := errors.AsType[*lambdatypes.ResourceNotFoundException](err); missing {
		return env.Deployment{}, failure(check, "correct -stage, AWS_REGION or AWS_PROFILE, or deploy the stack", "there is no function %s in %s", name, cfg.Region)
	}
	if err != nil {
		return env.Deployment{}, failure(check, "give it credentials that may read the function's configuration, and its region", "%s: %v", name, err)
	}
	var variables map[string]string
	if out.Environment != nil {
		variables = out.Environment.Variables
	}
	d, err := env.LoadFrom(variables)
	if err != nil {
		return d, failure(check, "deploy the stack again", "of %s: %v", name, err)
	}
	return d, fine(check, "of %s is complete", name)
}

func (d *deployment) checks() []check {
	return []check{
		d.checkTables, d.checkSecrets, d.checkQueue, d.checkBucket,
		checkHealth(d.client, d.PublicURL, time.Now), checkWebhook(d.client, d.PublicURL), d.checkSignatures, d.checkConfigs,
	}
}

func (d *deployment) checkTables(ctx context.Context) []finding {
	const fix = "deploy the stack, or run easel tables create"
	states, err := d.store.DescribeTables(ctx)
	if err != nil {
		return []finding{failure("tables", "check the credentials and the region", "%v", err)}
	}
	for i, want := range env.Tables() { // the states are in the same order
		s := states[i]
		if s.Status != "ACTIVE" && s.Status != "UPDATING" {
			return []finding{failure("tables", fix, "%s is %s", s.Name, s.Status)}
		}
		for _, index := range want.Indexes {
			if !slices.Contains(s.Indexes, index.Name) {
				return []finding{failure("tables", fix, "%s lacks the index %s", s.Name, index.Name)}
			}
		}
		if s.TTL != want.TTL {
			return []finding{failure("tables", "switch it on: aws dynamodb update-time-to-live", "nothing ages in %s: its time to live is off", s.Name)}
		}
	}
	return []finding{fine("tables", "%d tables are active, with their indexes and ageing", len(states))}
}

func (d *deployment) checkSecrets(ctx context.Context) []finding {
	names := map[string]string{
		env.WebhookSecret: "deploy the stack again; it makes this secret", env.AdminKeySecret: "deploy the stack again; it makes this secret",
	}
	if d.CloudflareGatewayURL != "" {
		names[env.CloudflareTokenSecret] = "make it as docs/deploy.md says, unless the gateway asks for no token"
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		_, err := d.secrets.Get(ctx, name)
		switch {
		case errors.Is(err, secrets.ErrNotFound) && name == env.CloudflareTokenSecret:
			return []finding{warning("secrets", names[name], "%s%s does not exist", d.SecretPrefix, name)}
		case err != nil:
			return []finding{failure("secrets", names[name], "%s%s: %v", d.SecretPrefix, name, err)}
		}
	}
	return []finding{fine("secrets", "the %d of the deployment can be read", len(names))}
}

// backlog is how many waiting messages are worth a warning.
const backlog = 1000

// checkQueue looks at the worker's queue and at the one of its dead letters.
func (d *deployment) checkQueue(ctx context.Context) []finding {
	waiting, redrive, err := d.depth(ctx, d.QueueURL)
	if err != nil {
		return []finding{failure("queue", "check "+env.QueueURL+" and the credentials", "%v", err)}
	}
	found := fine("queue", "%d messages wait", waiting)
	if waiting > backlog {
		found = warning("queue", "look at the worker's log and its concurrency", "%d messages wait for the worker", waiting)
	}
	return []finding{found, d.checkDeadLetters(ctx, redrive)}
}

func (d *deployment) checkDeadLetters(ctx context.Context, redrive string) finding {
	var policy struct {
		Target string `json:"deadLetterTargetArn"` //nolint:tagliatelle // the name of AWS
	}
	if err := json.Unmarshal([]byte(redrive), &policy); err != nil || policy.Target == "" {
		return warning("dead letters", "deploy the stack again", "the queue keeps no dead letters: a message that fails is tried for days")
	}
	name := policy.Target[strings.LastIndex(policy.Target, ":")+1:]
	dead, _, err := d.depth(ctx, d.QueueURL[:strings.LastIndex(d.QueueURL, "/")+1]+name)
	switch {
	case err != nil:
		return failure("dead letters", "check the credentials", "%s: %v", name, err)
	case dead > 0:
		return warning("dead letters", "read one, and the worker's log of its time; then redrive or purge them", "%d messages failed for good", dead)
	}
	return fine("dead letters", "there are none")
}

// depth returns how many messages wait in a queue, and its redrive policy.
func (d *deployment) depth(ctx context.Context, queueURL string) (waiting int, redrive string, err error) {
	const count, policy = sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameRedrivePolicy
	out, err := d.queue.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(queueURL), AttributeNames: []sqstypes.QueueAttributeName{count, policy},
	})
	if err != nil {
		return 0, "", err
	}
	waiting, err = strconv.Atoi(out.Attributes[string(count)])
	return waiting, out.Attributes[string(policy)], err
}

func (d *deployment) checkBucket(ctx context.Context) []finding {
	if _, err := d.bucket.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String(d.Bucket)}); err != nil {
		return []finding{failure("bucket", "check "+env.Bucket+" and the credentials", "%s: %v", d.Bucket, err)}
	}
	return []finding{fine("bucket", "%s is there", d.Bucket)}
}

// checkConfigs checks each active config with its own key, where the provider
// lists its models for nothing, and otherwise its address alone.
func (d *deployment) checkConfigs(ctx context.Context) []finding {
	configs, err := d.store.Configs(ctx)
	if err != nil {
		return []finding{failure("configs", "check the tables", "they cannot be listed: %v", err)}
	}
	var checks []check
	for _, c := range configs {
		if c.Active {
			checks = append(checks, func(ctx context.Context) []finding { return []finding{d.checkConfig(ctx, c)} })
		}
	}
	if len(checks) == 0 {
		return []finding{failure("configs", "add one in the console, or run easel config import", "none is active: every request will fail")}
	}
	return examine(ctx, checks)
}

func (d *deployment) checkConfig(ctx context.Context, c settings.Config) finding {
	name := "config " + c.ID
	key, err := d.secrets.Get(ctx, app.KeySecret(c.ID))
	if err != nil {
		return failure(name, "set its key in the console", "the key of %s cannot be read: %v", c.Name, err)
	}
	driver, ok := d.providers[c.Provider]
	if !ok {
		return failure(name, "correct its provider in the console", "there is no provider named %q", c.Provider)
	}
	if lister, ok := driver.(provider.Lister); ok {
		models, err := lister.Models(ctx, provider.Call{BaseURL: c.BaseURL, Endpoint: c.Endpoint, Key: key, Data: c.Data, Model: c.Model})
		if err != nil {
			return failure(name, "check its key and base URL in the console", "%s", secret.NewRedactor(key).String(err.Error()))
		}
		return fine(name, "%s lists %d models with the stored key", c.Name, len(models))
	}
	if err := checkReach(ctx, d.client, c.BaseURL); err != nil {
		fix := "correct its base URL, or open the way to it"
		if errors.Is(err, safehttp.ErrForbidden) {
			fix = "choose a public address"
		}
		return failure(name, fix, "%s cannot be reached: %v", c.BaseURL, err)
	}
	return fine(name, "%s answers at %s; its key was not tried", c.Name, c.BaseURL)
}
