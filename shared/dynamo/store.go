// Package dynamo keeps the gateway's state in DynamoDB. It is the only store:
// the local mode speaks to an embedded engine through the same code and SDK.
//
// docs/data-model.md lists every access pattern with its key condition and cost.
// In the comments here a read unit is 4 KB read consistently (an eventually
// consistent read costs half), a write unit is 1 KB written, and a transaction
// doubles both. No method scans a table.
package dynamo

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"easel/shared/env"
)

// Options are what a store can be told. The zero value is ready to use.
type Options struct {
	// Prefix precedes the tables' names, with its separator: "easel-prod-".
	Prefix string
	// TaskTTL is how long an ended task is kept; 0 means 90 days.
	TaskTTL time.Duration
	// UsageTTL is how long a usage record is kept; 0 means 90 days.
	UsageTTL time.Duration
	// Counter, if set, counts the requests that the store makes.
	Counter *Counter
	// Tries is how often a write that met a conflict or throttling is tried; 0 means 8.
	Tries int
}

const (
	day            = 24 * time.Hour
	defaultTTL     = 90 * day
	defaultTries   = 8
	maxPage        = 100
	defaultPage    = 20
	maxFilteredRow = 500 // index rows that one filtered page may read: about 100 KB
)

// Store keeps tasks, accounts, keys, configs, models and usage records. It is
// safe for concurrent use and holds no state of its own.
type Store struct {
	db      *dynamodb.Client
	options Options
}

// New returns a store over the client's tables, which must exist; see
// [Store.CreateTables].
func New(client *dynamodb.Client, options Options) *Store {
	if options.TaskTTL == 0 {
		options.TaskTTL = defaultTTL
	}
	if options.UsageTTL == 0 {
		options.UsageTTL = defaultTTL
	}
	if options.Tries <= 0 {
		options.Tries = defaultTries
	}
	return &Store{db: client, options: options}
}

func (s *Store) core() *string     { return aws.String(s.options.Prefix + env.CoreTable) }
func (s *Store) volatile() *string { return aws.String(s.options.Prefix + env.VolatileTable) }
func (s *Store) usage() *string    { return aws.String(s.options.Prefix + env.UsageTable) }

// call is what every request of the store is made with.
func (s *Store) call(o *dynamodb.Options) {
	if s.options.Counter != nil {
		s.options.Counter.Install(o)
	}
}

// get reads one item; it is nil when there is none. 1 read unit per 4 KB, half
// of it when not consistent.
func (s *Store) get(ctx context.Context, table *string, key item, consistent bool) (item, error) {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: key, ConsistentRead: aws.Bool(consistent)}, s.call)
	if err != nil {
		return nil, translate("read", err)
	}
	return out.Item, nil
}

// newWriteID returns an unguessable name for one write. It is stored with what
// was written, so that a write whose answer was lost is recognised as ours.
func newWriteID() string { return rand.Text() }

// pageSize returns limit within 1 and 100; 0 or less means 20.
func pageSize(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, maxPage)
}
