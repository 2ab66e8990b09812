package dynamo

import (
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/env"
	"easel/shared/fault"
)

// list is one page of the items under one partition key, newest first.
type list struct {
	table *string
	// index is "" for the table itself.
	index           string
	partition, sort string
	// of is the partition key's value.
	of    string
	limit int
	// scan is how many rows a filtered page may read; 0 is limit.
	scan int
	// from, if set, is the lowest sort key of the page, and to the highest.
	from, to string
	equals   map[string]string
}

// filter keeps only rows whose attribute is value; "" keeps all.
func (l *list) filter(attribute, value string) {
	if value == "" {
		return
	}
	if l.equals == nil {
		l.equals = map[string]string{}
	}
	l.equals[attribute] = value
}

// list runs the page's one Query. The cursor is the sort key of the last row
// that was looked at and nothing else: the partition comes from the caller's
// own query, so a forged cursor reaches nothing that the query may not see.
func (s *Store) list(ctx context.Context, l list, cursor string) (rows []item, next string, err error) {
	last, err := openCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	out, err := s.db.Query(ctx, l.query(last), s.call)
	if err != nil {
		return nil, "", translate("list", err)
	}
	rows = out.Items
	if last != "" && len(rows) > 0 && textOf(rows[0], l.sort) == last {
		rows = rows[1:] // the range includes its end
	}
	if len(rows) > l.limit {
		rows = rows[:l.limit]
		return rows, sealCursor(textOf(rows[l.limit-1], l.sort)), nil
	}
	if len(out.LastEvaluatedKey) > 0 {
		next = sealCursor(textOf(out.LastEvaluatedKey, l.sort))
	}
	return rows, next, nil
}

func (l *list) query(last string) *dynamodb.QueryInput {
	low, high := l.from, l.to
	if low == "" {
		low = "0"
	}
	if high == "" {
		high = "9999"
	}
	rows := max(l.limit, l.scan) + 1 // one more tells whether there is a next page
	if last != "" {
		high = min(high, last)
		rows++ // the row of the cursor itself comes again
	}
	in := &dynamodb.QueryInput{
		TableName:                 l.table,
		KeyConditionExpression:    aws.String("#" + l.partition + " = :of AND #" + l.sort + " BETWEEN :low AND :high"),
		ExpressionAttributeNames:  names(l.partition, l.sort),
		ExpressionAttributeValues: item{":of": text(l.of), ":low": text(min(low, high)), ":high": text(high)},
		ScanIndexForward:          aws.Bool(false),
		Limit:                     aws.Int32(int32(rows)), //nolint:gosec // small
	}
	if l.index != "" {
		in.IndexName = aws.String(l.index)
	}
	conditions := make([]string, 0, len(l.equals))
	for attribute, value := range l.equals {
		conditions = append(conditions, "#"+attribute+" = :"+attribute)
		maps.Copy(in.ExpressionAttributeNames, names(attribute))
		in.ExpressionAttributeValues[":"+attribute] = text(value)
	}
	if len(conditions) > 0 {
		in.FilterExpression = aws.String(strings.Join(conditions, " AND "))
	}
	return in
}

// sealCursor makes a page's last sort key opaque.
func sealCursor(sort string) string { return base64.RawURLEncoding.EncodeToString([]byte(sort)) }

// openCursor returns the sort key in a cursor, "" for the first page. Anything
// that is not a time and an id is an InvalidInput error.
func openCursor(cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) > 1024 || len(raw) < len(sortable)+2 || raw[len(sortable)] != '#' {
		return "", badCursor()
	}
	if _, err := time.Parse(sortable, string(raw[:len(sortable)])); err != nil {
		return "", badCursor()
	}
	return string(raw), nil
}

func badCursor() error {
	return fault.Invalid("cursor", "must be the next_cursor of an earlier page of the same list, unchanged")
}

// fetch reads the whole items of at most 100 rows of an index, in their order.
// Items that are gone by now are left out.
func (s *Store) fetch(ctx context.Context, rows []item) ([]item, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	want := make([]item, len(rows))
	for n, row := range rows {
		want[n] = key(textOf(row, env.PartitionKey), textOf(row, env.SortKey))
	}
	found, err := s.batch(ctx, s.core(), want)
	if err != nil {
		return nil, translate("read a page", err)
	}
	items := make([]item, 0, len(rows))
	for _, row := range rows {
		if i, ok := found[primary(row)]; ok {
			items = append(items, i)
		}
	}
	return items, nil
}

// gather runs n queries at the same time and joins their rows.
func gather(n int, query func(int) ([]item, error)) ([]item, error) {
	parts, errs := make([][]item, n), make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { parts[i], errs[i] = query(i) })
	}
	group.Wait()
	return slices.Concat(parts...), errors.Join(errs...)
}

// batch reads at most 100 items by their keys, eventually consistent, and returns
// those that exist by their primary. 0.5 read units for each, per 4 KB.
func (s *Store) batch(ctx context.Context, table *string, want []item) (map[string]item, error) {
	found := make(map[string]item, len(want))
	err := s.write(ctx, func() error {
		for len(want) > 0 { // a large page comes in several answers
			out, err := s.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
				RequestItems: map[string]types.KeysAndAttributes{*table: {Keys: want}},
			}, s.call)
			if err != nil {
				return err
			}
			for _, i := range out.Responses[*table] {
				found[primary(i)] = i
			}
			want = out.UnprocessedKeys[*table].Keys
			if len(out.Responses[*table]) == 0 && len(want) > 0 {
				return &types.ProvisionedThroughputExceededException{}
			}
		}
		return nil
	})
	return found, err
}

// primary is the primary key of an item as one text.
func primary(i item) string {
	return textOf(i, env.PartitionKey) + "\n" + textOf(i, env.SortKey)
}
