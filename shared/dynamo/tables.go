package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/env"
)

const (
	tableWait = 2 * time.Minute
	tablePoll = 250 * time.Millisecond
)

// TableState is what DynamoDB says about one table.
type TableState struct {
	Name string `json:"name"`
	// Status is DynamoDB's word, such as ACTIVE, or MISSING.
	Status string `json:"status"`
	// Items and Bytes are DynamoDB's own counts, which lag by hours.
	Items   int64    `json:"items"`
	Bytes   int64    `json:"bytes"`
	Indexes []string `json:"indexes,omitempty"`
	// TTL is the attribute by which items age, "" when that is off.
	TTL string `json:"ttl,omitempty"`
}

// CreateTables makes every table of [env.Tables] that is missing, waits until
// each is ready, at most two minutes, and turns the ageing of items on. Tables
// that exist are left as they are, so it may be called at every start. It leaves
// backups and deletion protection to the stack.
func (s *Store) CreateTables(ctx context.Context) error {
	for _, table := range env.Tables() {
		if err := s.createTable(ctx, table); err != nil {
			return fmt.Errorf("dynamo: create table %s: %w", table.Name(s.options.Prefix), err)
		}
	}
	return nil
}

func (s *Store) createTable(ctx context.Context, table env.Table) error {
	name := aws.String(table.Name(s.options.Prefix))
	state, err := s.describe(ctx, table)
	if err != nil {
		return err
	}
	if state.Status == missing {
		var exists *types.ResourceInUseException // somebody else makes it right now
		if _, err := s.db.CreateTable(ctx, definition(table, name), s.call); err != nil && !errors.As(err, &exists) {
			return err
		}
	}
	if state.Status != string(types.TableStatusActive) {
		waiter := dynamodb.NewTableExistsWaiter(s.db, func(o *dynamodb.TableExistsWaiterOptions) {
			o.MinDelay, o.MaxDelay = tablePoll, 4*tablePoll
		})
		if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: name}, tableWait); err != nil {
			return err
		}
	}
	if state.TTL != "" || table.TTL == "" {
		return nil
	}
	return s.enableTTL(ctx, name, table.TTL)
}

func (s *Store) enableTTL(ctx context.Context, name *string, attribute string) error {
	_, err := s.db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(attribute), Enabled: aws.Bool(true)},
	}, s.call)
	return err
}

func definition(table env.Table, name *string) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName: name, BillingMode: types.BillingModePayPerRequest,
		KeySchema: keySchema(table.PartitionKey, table.SortKey),
	}
	for _, attribute := range table.KeyAttributes() {
		in.AttributeDefinitions = append(in.AttributeDefinitions,
			types.AttributeDefinition{AttributeName: aws.String(attribute), AttributeType: types.ScalarAttributeTypeS})
	}
	for _, index := range table.Indexes {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(index.Name),
			KeySchema: keySchema(index.PartitionKey, index.SortKey),
			Projection: &types.Projection{
				ProjectionType: types.ProjectionType(index.Projection), NonKeyAttributes: index.Attributes,
			},
		})
	}
	return in
}

func keySchema(partition, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: aws.String(partition), KeyType: types.KeyTypeHash},
		{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange},
	}
}

const missing = "MISSING"

// DescribeTables says how each table is. A table that does not exist is listed
// with the status MISSING and is not an error.
func (s *Store) DescribeTables(ctx context.Context) ([]TableState, error) {
	tables := env.Tables()
	states := make([]TableState, 0, len(tables))
	for _, table := range tables {
		state, err := s.describe(ctx, table)
		if err != nil {
			return nil, fmt.Errorf("dynamo: describe table %s: %w", table.Name(s.options.Prefix), err)
		}
		states = append(states, state)
	}
	return states, nil
}

func (s *Store) describe(ctx context.Context, table env.Table) (TableState, error) {
	state := TableState{Name: table.Name(s.options.Prefix), Status: missing}
	out, err := s.db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(state.Name)}, s.call)
	var absent *types.ResourceNotFoundException
	if errors.As(err, &absent) {
		return state, nil
	}
	if err != nil {
		return state, err
	}
	state.Status = string(out.Table.TableStatus)
	state.Items, state.Bytes = aws.ToInt64(out.Table.ItemCount), aws.ToInt64(out.Table.TableSizeBytes)
	for _, index := range out.Table.GlobalSecondaryIndexes {
		state.Indexes = append(state.Indexes, aws.ToString(index.IndexName))
	}
	ttl, err := s.db.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: aws.String(state.Name)}, s.call)
	if err != nil {
		return state, err
	}
	if d := ttl.TimeToLiveDescription; d != nil && (d.TimeToLiveStatus == types.TimeToLiveStatusEnabled || d.TimeToLiveStatus == types.TimeToLiveStatusEnabling) {
		state.TTL = aws.ToString(d.AttributeName)
	}
	return state, nil
}
