package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"

	"easel/shared/env"
)

// newTables makes every table of [env.Tables] and returns them by their suffixes.
// It uses Table, not TableV2, whose template emulators of CloudFormation do not know.
func newTables(stack awscdk.Stack, c config) map[string]awsdynamodb.Table {
	tables := map[string]awsdynamodb.Table{}
	for _, definition := range env.Tables() {
		tables[definition.Suffix] = newTable(stack, c, definition)
	}
	return tables
}

func newTable(stack awscdk.Stack, c config, definition env.Table) awsdynamodb.Table {
	props := &awsdynamodb.TableProps{
		TableName:           jsii.String(definition.Name(c.name(""))),
		PartitionKey:        textKey(definition.PartitionKey),
		SortKey:             textKey(definition.SortKey),
		BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
		Encryption:          awsdynamodb.TableEncryption_AWS_MANAGED,
		TimeToLiveAttribute: jsii.String(definition.TTL),
		DeletionProtection:  jsii.Bool(c.prod() && definition.DeletionProtection),
		RemovalPolicy:       c.removal(),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(definition.PointInTimeRecovery),
		},
	}
	table := awsdynamodb.NewTable(stack, jsii.String("Table-"+definition.Suffix), props)
	for _, index := range definition.Indexes {
		table.AddGlobalSecondaryIndex(indexProps(index))
	}
	if !definition.PointInTimeRecovery {
		accept(table, finding{"AwsSolutions-DDB3", "what is in this table ages out by itself and can be lost without losing money or tasks; continuous backups would cost more than the data is worth"})
	}
	return table
}

func indexProps(index env.Index) *awsdynamodb.GlobalSecondaryIndexProps {
	props := &awsdynamodb.GlobalSecondaryIndexProps{
		IndexName:      jsii.String(index.Name),
		PartitionKey:   textKey(index.PartitionKey),
		SortKey:        textKey(index.SortKey),
		ProjectionType: awsdynamodb.ProjectionType(index.Projection),
	}
	if index.Projection == env.Include {
		props.NonKeyAttributes = jsii.Strings(index.Attributes...)
	}
	return props
}

func textKey(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
}

// removal is what happens to data when the stack is deleted.
func (c config) removal() awscdk.RemovalPolicy {
	if c.prod() {
		return awscdk.RemovalPolicy_RETAIN
	}
	return awscdk.RemovalPolicy_DESTROY
}
