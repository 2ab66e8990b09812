package dynamo

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"easel/shared/drift"
	"easel/shared/env"
)

var _ drift.Store = (*Store)(nil)

// attrCursor is where the last check of books ended.
const attrCursor = "cursor"

// booksKey is the one item of the check of books.
func booksKey() item { return key("CHECK#books", "CHECK") }

// ClaimBooks takes the check of books until the given moment if it is due at now,
// and returns where the last one ended. When it is not due, ok is false and next
// says when it will be.
//
// Access: one conditional UpdateItem on CHECK#books; 1 write unit.
func (s *Store) ClaimBooks(ctx context.Context, now, until time.Time) (cursor string, ok bool, next time.Time, err error) {
	stored, ok, err := s.update(ctx, &dynamodb.UpdateItemInput{
		TableName: s.volatile(), Key: booksKey(),
		UpdateExpression:          aws.String("SET #next_ms = :until"),
		ConditionExpression:       aws.String("attribute_not_exists(#next_ms) OR #next_ms <= :now"),
		ExpressionAttributeNames:  names(attrNext),
		ExpressionAttributeValues: item{":now": number(now.UnixMilli()), ":until": number(until.UnixMilli())},
	})
	return textOf(stored, attrCursor), ok, time.UnixMilli(numberOf(stored, attrNext)), translate("claim the check of books", err)
}

// SaveBooks says where a check of books ended, and when the next one is due.
//
// Access: one PutItem on CHECK#books; 1 write unit.
func (s *Store) SaveBooks(ctx context.Context, cursor string, next time.Time) error {
	i := booksKey()
	i[attrCursor], i[attrNext] = text(cursor), number(next.UnixMilli())
	_, err := s.put(ctx, putPart(roleRecord, s.volatile(), i, "", nil, nil))
	return translate("write the check of books", err)
}

// Books returns the books of at most limit accounts, 1 to 100, in order of id
// from the cursor on, and the next cursor, "" after the last account.
//
// Access: as [Store.AccountRecords], then for each account as [Store.Book].
func (s *Store) Books(ctx context.Context, cursor string, limit, entries int) ([]drift.Book, string, error) {
	accounts, next, err := s.AccountRecords(ctx, "", cursor, limit)
	if err != nil {
		return nil, "", err
	}
	books := make([]drift.Book, 0, len(accounts))
	for _, a := range accounts {
		b, err := s.Book(ctx, a.ID, entries)
		if err != nil {
			return nil, "", err
		}
		books = append(books, b)
	}
	return books, next, nil
}

// Book returns an account's balance and the sum of its ledger, if that has at most
// so many entries. The parts are read one after the other: a transaction in
// between may make a book look wrong that is not.
//
// Access: one consistent Query on ACCT#id; 1 read unit per 4 KB, about ten entries.
func (s *Store) Book(ctx context.Context, account string, entries int) (drift.Book, error) {
	b := drift.Book{Account: account}
	out, err := s.db.Query(ctx, &dynamodb.QueryInput{
		TableName: s.core(), ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#pk = :pk AND #sk BETWEEN :first AND :last"),
		ExpressionAttributeNames:  names(env.PartitionKey, env.SortKey),
		ExpressionAttributeValues: item{":pk": text(accountPK(account)), ":first": text("BAL"), ":last": text("L#\x7f")},
		Limit:                     aws.Int32(int32(entries + 2)), //nolint:gosec // small
	}, s.call)
	if err != nil {
		return b, translate("read a book", err)
	}
	read := 0
	for _, i := range out.Items {
		if textOf(i, env.SortKey) == "BAL" {
			a, err := toAccount(i)
			if err != nil {
				return b, err
			}
			b.Balance = a.Balance
		}
		if !strings.HasPrefix(textOf(i, env.SortKey), "L#") {
			continue
		}
		e, err := toEntry(i)
		if err != nil {
			return b, err
		}
		read++
		b.Sum.Granted += e.Delta.Granted
		b.Sum.Available += e.Delta.Available
		b.Sum.Reserved += e.Delta.Reserved
		b.Sum.Spent += e.Delta.Spent
	}
	b.Whole = len(out.LastEvaluatedKey) == 0 && read <= entries
	return b, nil
}
