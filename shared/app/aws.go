package app

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"easel/shared/env"
)

// clients are a function's AWS clients. They are made from the variables that
// every Lambda function has. The SDK's own config module would also find
// profiles, SSO and instance roles, which a function never has; leaving it out
// saves about 2 MB of every binary and its start-up work.
type clients struct {
	dynamo  *dynamodb.Client
	s3      *s3.Client
	sqs     *sqs.Client
	secrets *secretsmanager.Client
}

func newClients(a env.AWS) clients {
	config := aws.Config{
		Region: a.Region, HTTPClient: awshttp.NewBuildableClient(),
		Retryer: func() aws.Retryer { return retry.NewStandard() },
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID: a.AccessKeyID, SecretAccessKey: a.SecretKey.Reveal(), SessionToken: a.SessionToken.Reveal(),
				Source: "environment",
			}, nil
		}),
	}
	return clients{
		dynamo:  dynamodb.NewFromConfig(config, func(o *dynamodb.Options) { o.BaseEndpoint = serviceURL(a.DynamoDB) }),
		s3:      s3.NewFromConfig(config, func(o *s3.Options) { o.BaseEndpoint = serviceURL(a.S3) }),
		sqs:     sqs.NewFromConfig(config, func(o *sqs.Options) { o.BaseEndpoint = serviceURL(a.SQS) }),
		secrets: secretsmanager.NewFromConfig(config, func(o *secretsmanager.Options) { o.BaseEndpoint = serviceURL(a.SecretsManager) }),
	}
}

// serviceURL is nil for AWS itself.
func serviceURL(url string) *string {
	if url == "" {
		return nil
	}
	return &url
}
