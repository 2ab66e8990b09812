package dynamo

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"easel/shared/audit"
	"easel/shared/credits"
	"easel/shared/env"
	"easel/shared/journal"
)

// accountsByID is the partition of the open index that lists every account by id.
const accountsByID = "ACCOUNTS"

// AccountRecord returns the account and its version, or journal.ErrNotFound.
//
// Access: one consistent GetItem on ACCT#id/BAL; 1 read unit.
func (s *Store) AccountRecord(ctx context.Context, id string) (audit.Account, error) {
	i, err := s.get(ctx, s.core(), balanceKey(id), true)
	if err != nil {
		return audit.Account{}, err
	}
	if i == nil {
		return audit.Account{}, fmt.Errorf("dynamo: account %s: %w", id, journal.ErrNotFound)
	}
	return toAccountRecord(i)
}

func toAccountRecord(i item) (audit.Account, error) {
	account, err := toAccount(i)
	return audit.Account{Account: account, Version: versionOf(i)}, err
}

// AccountRecords returns a page of the accounts whose id begins with the prefix,
// in order of id, and the cursor of the next page, "" when there is none. limit
// is 1 to 100, 0 means 20.
//
// Access: one Query on gsi2 with gsi2pk = ACCOUNTS (0.5 read units per 4 KB, about
// 40 accounts), then one BatchGetItem of the page (0.5 units each).
func (s *Store) AccountRecords(ctx context.Context, prefix, cursor string, limit int) ([]audit.Account, string, error) {
	limit = pageSize(limit)
	low := prefix
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) > 1024 || cursor != "" && !strings.HasPrefix(string(raw), prefix) {
		return nil, "", badCursor()
	}
	if len(raw) > 0 {
		low = string(raw) + "\x01" // above the last id, and below every other
	}
	if low == "" {
		low = "\x01"
	}
	out, err := s.db.Query(ctx, &dynamodb.QueryInput{
		TableName: s.core(), IndexName: aws.String(env.OpenIndex),
		KeyConditionExpression:   aws.String("#gsi2pk = :of AND #gsi2sk BETWEEN :low AND :high"),
		ExpressionAttributeNames: names(env.OpenPartitionKey, env.OpenSortKey),
		ExpressionAttributeValues: item{
			":of": text(accountsByID), ":low": text(low), ":high": text(prefix + "\x7f"),
		},
		Limit: aws.Int32(int32(limit + 1)), //nolint:gosec // at most 101
	}, s.call)
	if err != nil {
		return nil, "", translate("list accounts", err)
	}
	rows, next := out.Items, ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = base64.RawURLEncoding.EncodeToString([]byte(textOf(rows[limit-1], env.OpenSortKey)))
	}
	items, err := s.fetch(ctx, rows)
	if err != nil {
		return nil, "", err
	}
	accounts := make([]audit.Account, 0, len(items))
	for _, i := range items {
		a, err := toAccountRecord(i)
		if err != nil {
			return nil, "", err
		}
		accounts = append(accounts, a)
	}
	return accounts, next, nil
}

// ModelRecords returns every model that an operator wrote, with its version, in
// order of name.
//
// Access: one consistent Query on CFG with sk beginning with MODEL#; 1 read unit per 4 KB.
func (s *Store) ModelRecords(ctx context.Context) ([]audit.Model, error) {
	var models []audit.Model
	pages := dynamodb.NewQueryPaginator(s.db, &dynamodb.QueryInput{
		TableName: s.core(), ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#pk = :of AND begins_with(#sk, :prefix)"),
		ExpressionAttributeNames:  names(env.PartitionKey, env.SortKey),
		ExpressionAttributeValues: item{":of": text(configPK), ":prefix": text(modelPrefix)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, s.call)
		if err != nil {
			return nil, translate("list models", err)
		}
		for _, i := range page.Items {
			m := audit.Model{Version: versionOf(i)}
			if err := getDoc(i, "model", &m.Model); err != nil {
				return nil, err
			}
			models = append(models, m)
		}
	}
	return models, nil
}

// TaskLedger returns the entries that a task made in its account's ledger, in the
// order in which they can happen.
//
// Access: one BatchGetItem of ACCT#account/L#task#hold, settle, release and late;
// 0.5 read units each.
func (s *Store) TaskLedger(ctx context.Context, account, taskID string) ([]credits.Entry, error) {
	reasons := []credits.Reason{credits.Hold, credits.Settle, credits.Release, credits.Late}
	rows := make([]item, len(reasons))
	for n, reason := range reasons {
		rows[n] = ledgerKey(credits.Entry{Account: account, ID: taskID + "#" + string(reason)})
	}
	items, err := s.fetch(ctx, rows)
	if err != nil {
		return nil, err
	}
	entries := make([]credits.Entry, 0, len(items))
	for _, i := range items {
		e, err := toEntry(i)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}
