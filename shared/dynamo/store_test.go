package dynamo_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"easel/shared/dynamo"
	"easel/shared/dynamo/engine/enginetest"
	"easel/shared/storetest"
)

// newClient returns a client of the engine that the tests share.
func newClient(t *testing.T, options ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	keys := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
	})
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(enginetest.Endpoint(t)), Credentials: keys,
		Retryer: retry.AddWithMaxBackoffDelay(retry.NewStandard(), time.Millisecond),
	}, options...)
}

// newStore returns a store with empty tables of its own.
func newStore(t *testing.T, options dynamo.Options, client ...func(*dynamodb.Options)) *dynamo.Store {
	t.Helper()
	options.Prefix = enginetest.TablePrefix(t)
	if err := dynamo.New(newClient(t), options).CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	if options.Counter != nil {
		options.Counter.Reset()
	}
	return dynamo.New(newClient(t, client...), options)
}

func TestStore(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T) storetest.Store {
		t.Helper()
		return newStore(t, dynamo.Options{})
	}
	storetest.Run(t, open)
}
