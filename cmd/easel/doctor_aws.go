package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
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

// examineDeployment checks a deployment by the environment and credentials of
// this process.
func examineDeployment(ctx context.Context) []finding {
	d, err := env.Load()
	if err != nil {
		return []finding{failure("environment", "give it the variables of one of the functions, as docs/deploy.md shows", "%v", err)}
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return []finding{failure("environment", "give it AWS credentials and a region", "%v", err)}
	}
	client := safehttp.New(safehttp.Options{AnyPort: true, NoRedirect: true, Timeout: checkTimeout})
	found := &deployment{
		Deployment: d, client: client,
		store:     dynamo.New(dynamodb.NewFromConfig(cfg), dynamo.Options{Prefix: d.TablePrefix}),
		secrets:   secrets.NewManager(secretsmanager.NewFromConfig(cfg), secrets.ManagerOptions{Prefix: d.SecretPrefix}),
		providers: app.Providers(client), queue: sqs.NewFromConfig(cfg), bucket: s3.NewFromConfig(cfg),
	}
	return append([]finding{fine("environment", "is complete, of stage %s", d.Stage)}, examine(ctx, found.checks())...)
}

func (d *deployment) checks() []check {
	return []check{
		d.checkTables, d.checkSecrets, d.checkQueue, d.checkBucket,
		checkHealth(d.client, d.PublicURL, time.Now), checkWebhook(d.client, d.PublicURL), d.checkConfigs,
	}
}

func (d *deployment) checkTables(ctx context.Context) []finding {
	states, err := d.store.DescribeTables(ctx)
	if err != nil {
		return []finding{failure("tables", "check the credentials and the region", "%v", err)}
	}
	for _, s := range states {
		if s.Status != "ACTIVE" && s.Status != "UPDATING" {
			return []finding{failure("tables", "deploy the stack, or run easel tables create", "%s is %s", s.Name, s.Status)}
		}
	}
	return []finding{fine("tables", "%d tables are active", len(states))}
}

func (d *deployment) checkSecrets(ctx context.Context) []finding {
	for _, name := range []string{env.WebhookSecret, env.AdminKeySecret} {
		if _, err := d.secrets.Get(ctx, name); err != nil {
			return []finding{failure("secrets", "deploy the stack again; it makes this secret", "%s%s: %v", d.SecretPrefix, name, err)}
		}
	}
	return []finding{fine("secrets", "the signing secret and the admin's key can be read")}
}

// backlog is how many waiting messages are worth a warning.
const backlog = 1000

func (d *deployment) checkQueue(ctx context.Context) []finding {
	out, err := d.queue.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl:       aws.String(d.QueueURL),
		AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameApproximateNumberOfMessages},
	})
	if err != nil {
		return []finding{failure("queue", "check "+env.QueueURL+" and the credentials", "%v", err)}
	}
	waiting, err := strconv.Atoi(out.Attributes[string(sqstypes.QueueAttributeNameApproximateNumberOfMessages)])
	if err == nil && waiting > backlog {
		return []finding{warning("queue", "look at the worker's log and its concurrency", "%d messages wait for the worker", waiting)}
	}
	return []finding{fine("queue", "%d messages wait", waiting)}
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
