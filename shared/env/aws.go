package env

import (
	"errors"
	"os"

	"easel/shared/secret"
)

// AWS is what Lambda tells a function of its role and region, and where the AWS
// services are.
type AWS struct {
	Region      string
	AccessKeyID string
	SecretKey   secret.Value
	// SessionToken is empty for a user's keys.
	SessionToken secret.Value
	// DynamoDB, S3, SQS and SecretsManager are other endpoints than AWS's own, as
	// for the AWS SDKs; empty is AWS.
	DynamoDB, S3, SQS, SecretsManager string
}

// LoadAWS reads the variables that every Lambda function has. Its error names
// every variable that is missing.
func LoadAWS() (AWS, error) { return loadAWS(os.LookupEnv) }

func loadAWS(lookup func(string) (string, bool)) (AWS, error) {
	r := &reader{lookup: lookup}
	a := AWS{
		Region: r.required("AWS_REGION"), AccessKeyID: r.required("AWS_ACCESS_KEY_ID"),
		SecretKey: secret.New(r.required("AWS_SECRET_ACCESS_KEY")), SessionToken: secret.New(r.text("AWS_SESSION_TOKEN")),
		DynamoDB: r.text(DynamoEndpoint), S3: r.text("AWS_ENDPOINT_URL_S3"), SQS: r.text("AWS_ENDPOINT_URL_SQS"),
		SecretsManager: r.text("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
	}
	return a, errors.Join(r.problems...)
}
