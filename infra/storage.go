package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"easel/shared/env"
)

// workerSeconds is how long the worker may take for one message: the longest
// timeout of a config, 300 seconds, and time to copy and settle what came.
const workerSeconds = 360

// uploadDays is how long callers' own pictures are kept: longer than any task
// lives, and long enough for an operator to try one again.
const uploadDays = 2

// assetsBucketName is known before the bucket exists, because the console's
// security policy names it and the bucket in turn names the console.
func assetsBucketName(stack awscdk.Stack, c config) string {
	return c.name("assets-" + *stack.Account() + "-" + *stack.Region())
}

// newAssets makes the bucket for produced files. Everything below out/ and in/
// ages out; whoever wants to keep a picture copies it.
func newAssets(stack awscdk.Stack, c config, consoleOrigin string) awss3.Bucket {
	bucket := awss3.NewBucket(stack, jsii.String("Assets"), &awss3.BucketProps{
		BucketName:        jsii.String(assetsBucketName(stack, c)),
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		MinimumTLSVersion: jsii.Number(1.2),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		RemovalPolicy:     c.removal(),
		AutoDeleteObjects: jsii.Bool(!c.prod()),
		Cors: &[]*awss3.CorsRule{{
			AllowedMethods: &[]awss3.HttpMethods{awss3.HttpMethods_GET, awss3.HttpMethods_HEAD},
			AllowedOrigins: jsii.Strings(consoleOrigin),
			ExposedHeaders: jsii.Strings("Content-Length", "Content-Type", "ETag"),
			MaxAge:         jsii.Number(3600),
		}},
		LifecycleRules: &[]*awss3.LifecycleRule{
			expire("produced", "out/", c.assetDays),
			expire("uploaded", "in/", uploadDays),
			{
				Id:                                  jsii.String("unfinished"),
				AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
			},
		},
	})
	accept(bucket, finding{"AwsSolutions-S1", "every object is read by a signed URL that a function made and logged; access logs would store those URLs, which are credentials while they last"})
	return bucket
}

func expire(id, prefix string, days int) *awss3.LifecycleRule {
	return &awss3.LifecycleRule{
		Id: jsii.String(id), Prefix: jsii.String(prefix),
		Expiration: awscdk.Duration_Days(jsii.Number(days)),
	}
}

// queues are the worker's queue and where its hopeless messages end.
type queues struct{ work, dead awssqs.Queue }

// newQueues makes both queues. A message that a crashed worker held comes back
// after six of its timeouts, as Lambda wants; the schedule finds the task
// of such a message within a minute, so nobody waits for that.
func newQueues(stack awscdk.Stack, c config) queues {
	dead := awssqs.NewQueue(stack, jsii.String("DeadLetters"), &awssqs.QueueProps{
		QueueName:       jsii.String(c.name("dead-letters")),
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:      jsii.Bool(true),
		RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
		RemovalPolicy:   c.removal(),
	})
	work := awssqs.NewQueue(stack, jsii.String("Work"), &awssqs.QueueProps{
		QueueName:         jsii.String(c.name("work")),
		Encryption:        awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		RetentionPeriod:   awscdk.Duration_Days(jsii.Number(4)),
		VisibilityTimeout: awscdk.Duration_Seconds(jsii.Number(6 * workerSeconds)),
		DeadLetterQueue:   &awssqs.DeadLetterQueue{Queue: dead, MaxReceiveCount: jsii.Number(5)},
		RemovalPolicy:     c.removal(),
	})
	return queues{work: work, dead: dead}
}

// newSecrets makes the secrets that exist from the start. Providers' keys come
// later, through the admin function.
func newSecrets(stack awscdk.Stack, c config) {
	newSecret(stack, c, env.WebhookSecret, "Signs Easel's webhooks to callers")
	newSecret(stack, c, env.AdminKeySecret, "Secret part of Easel's first admin key")
}

func newSecret(stack awscdk.Stack, c config, name, purpose string) {
	secret := awssecretsmanager.NewSecret(stack, jsii.String("Secret-"+name), &awssecretsmanager.SecretProps{
		SecretName:  jsii.String(c.secretPrefix() + name),
		Description: jsii.String(purpose),
		GenerateSecretString: &awssecretsmanager.SecretStringGenerator{
			PasswordLength: jsii.Number(44), ExcludePunctuation: jsii.Bool(true),
		},
		RemovalPolicy: c.removal(),
	})
	accept(secret, finding{"AwsSolutions-SMG4", "it is rotated as docs/deploy.md says, with an overlap that callers can follow; a blind rotation would break them"})
}

// newLogGroup makes a log group with an end. id is also the last part of its name.
func newLogGroup(stack awscdk.Stack, c config, id string) awslogs.LogGroup {
	return awslogs.NewLogGroup(stack, jsii.String("Logs-"+id), &awslogs.LogGroupProps{
		LogGroupName:  jsii.String("/easel/" + c.stage + "/" + id),
		Retention:     logRetentions()[c.logDays],
		RemovalPolicy: c.removal(),
	})
}
