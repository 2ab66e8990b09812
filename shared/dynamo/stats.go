package dynamo

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/stats"
)

// Cells are kept under ROLL#bucket#dimension in order of time, key and kind, so
// that one Query reads a window of a dimension. Accounts may be many: each has a
// partition of its own, ROLL#bucket#account#id, and gsi1 lists all of them in
// order of time.
const (
	cellCalls     = "calls"
	cellSucceeded = "succeeded"
	cellFailed    = "failed"
	cellCredits   = "credits"
	cellCost      = "cost"
	cellLosses    = "losses"
	cellLatency   = "latency"
	latencyPrefix = "h" // h12: calls in latency bucket 12
	errorPrefix   = "e_"

	attrKey = "key"
	// maxCellPages bounds one reading of cells, each page being 1 MB, about 2,500
	// cells. Only accounts can be so many.
	maxCellPages = 40
	bucketForm   = "2006-01-02T15:04Z"
)

// cellKey names one stored cell.
type cellKey struct {
	bucket    stats.Bucket
	dimension stats.Dimension
	key       string
	kind      generation.Kind
	at        int64 // the bucket's beginning, seconds since 1970
}

// cellsOf returns the cells that a part is counted in: one per bucket size.
func cellsOf(p stats.Part) []cellKey {
	buckets := stats.Buckets(p.Dimension)
	cells := make([]cellKey, len(buckets))
	for i, b := range buckets {
		cells[i] = cellKey{b, p.Dimension, p.Key, p.Kind, b.Start(p.At).Unix()}
	}
	return cells
}

func cellPartition(b stats.Bucket, d stats.Dimension) string {
	return "ROLL#" + string(b) + "#" + string(d)
}

func bucketStamp(t time.Time) string { return t.UTC().Format(bucketForm) }

func (k cellKey) primary() (pk, sk string) {
	pk = cellPartition(k.bucket, k.dimension)
	sk = bucketStamp(time.Unix(k.at, 0)) + "#" + k.key + "#" + string(k.kind)
	if k.dimension == stats.ByAccount {
		pk += "#" + k.key
	}
	return pk, sk
}

// cellPart adds to a cell, which it makes when there is none.
func (s *Store) cellPart(k cellKey, c stats.Cell) part {
	pk, sk := k.primary()
	ttl := cellTTL
	if k.bucket == stats.Day || k.bucket == stats.Month {
		ttl = longTTL
	}
	set := item{
		attrKey: text(k.key), attrKind: text(string(k.kind)),
		env.TTLAttribute: expiry(time.Unix(k.at, 0).Add(ttl)),
	}
	if k.dimension == stats.ByAccount {
		set[env.ListPartitionKey], set[env.ListSortKey] = text(cellPartition(k.bucket, k.dimension)), text(sk)
	}
	expression, used, values := setting(set)
	adds := make([]string, 0, 8)
	for name, n := range amounts(c) {
		adds = append(adds, "#"+name+" :"+name)
		used["#"+name], values[":"+name] = name, number(n)
	}
	return part{role: rollRole - 1, write: types.TransactWriteItem{Update: &types.Update{
		TableName: s.usage(), Key: key(pk, sk),
		UpdateExpression:         aws.String("SET " + expression + " ADD " + strings.Join(adds, ", ")),
		ExpressionAttributeNames: used, ExpressionAttributeValues: values,
	}}}
}

// amounts returns the parts of a cell that are not zero by their attribute.
func amounts(c stats.Cell) map[string]int64 {
	m := map[string]int64{}
	for name, n := range map[string]int64{
		cellCalls: c.Calls, cellSucceeded: c.Succeeded, cellFailed: c.Failed, cellCredits: c.Credits,
		cellCost: c.CostMicroUSD, cellLosses: c.Losses, cellLatency: c.LatencyMS,
	} {
		if n != 0 {
			m[name] = n
		}
	}
	for k, n := range c.Latencies {
		m[latencyPrefix+strconv.Itoa(k)] = n
	}
	for class, n := range c.Errors {
		m[errorPrefix+string(class)] = n
	}
	return m
}

func toRow(i item) (stats.Row, error) {
	r := stats.Row{Key: textOf(i, attrKey), Kind: generation.Kind(textOf(i, attrKind))}
	begin, _, _ := strings.Cut(textOf(i, env.SortKey), "#")
	at, err := time.Parse(bucketForm, begin)
	if err != nil {
		return r, fmt.Errorf("dynamo: cell at %q: %w", begin, err)
	}
	r.At = at
	r.Cell = stats.Cell{
		Calls: numberOf(i, cellCalls), Succeeded: numberOf(i, cellSucceeded), Failed: numberOf(i, cellFailed),
		Credits: numberOf(i, cellCredits), CostMicroUSD: numberOf(i, cellCost),
		Losses: numberOf(i, cellLosses), LatencyMS: numberOf(i, cellLatency),
	}
	for name := range i {
		n := numberOf(i, name)
		class, isClass := strings.CutPrefix(name, errorPrefix)
		bucket, err := strconv.Atoi(strings.TrimPrefix(name, latencyPrefix))
		switch {
		case n == 0: // an attribute that is no count, or that was taken back
		case isClass:
			r.Cell = r.Cell.Add(stats.Cell{Errors: map[fault.Class]int64{fault.Class(class): n}})
		case err == nil && strings.HasPrefix(name, latencyPrefix):
			r.Cell = r.Cell.Add(stats.Cell{Latencies: map[int]int64{bucket: n}})
		}
	}
	return r, nil
}

// Cells returns the stored cells of the selection, in order of time. It returns
// an InvalidInput error about "by" when they are more than 40 MB.
//
// Access: one Query on ROLL#bucket#dimension, for one account on
// ROLL#bucket#account#id, for all accounts on gsi1; 0.5 read units per 4 KB, about
// ten cells, and one round trip per 1 MB, about 2,500 cells.
func (s *Store) Cells(ctx context.Context, sel stats.Selection) ([]stats.Row, error) {
	in := &dynamodb.QueryInput{TableName: s.usage()}
	partition, sort := env.PartitionKey, env.SortKey
	of := cellPartition(sel.Bucket, sel.Dimension)
	switch {
	case sel.Dimension == stats.ByAccount && sel.Key != "":
		of += "#" + sel.Key
	case sel.Dimension == stats.ByAccount:
		in.IndexName, partition, sort = aws.String(env.ListIndex), env.ListPartitionKey, env.ListSortKey
	}
	in.KeyConditionExpression = aws.String("#" + partition + " = :of AND #" + sort + " BETWEEN :low AND :high")
	in.ExpressionAttributeNames = names(partition, sort)
	// A sort key is a time, '#' and a key, so the bare time To is below all that begin at To.
	in.ExpressionAttributeValues = item{":of": text(of), ":low": text(bucketStamp(sel.From)), ":high": text(bucketStamp(sel.To))}
	var rows []stats.Row
	pages := dynamodb.NewQueryPaginator(s.db, in)
	for n := 0; pages.HasMorePages(); n++ {
		if n == maxCellPages {
			return nil, fault.Invalid("by", "gives too many %ss in this window; choose a shorter window or a longer bucket", sel.Dimension)
		}
		page, err := pages.NextPage(ctx, s.call)
		if err != nil {
			return nil, translate("read statistics", err)
		}
		for _, i := range page.Items {
			r, err := toRow(i)
			if err != nil {
				return nil, err
			}
			if sel.Key == "" || r.Key == sel.Key {
				rows = append(rows, r)
			}
		}
	}
	return rows, nil
}

// chargeKeys are the keys of an account's cells of a month, one per kind.
func chargeKeys(account string, month time.Time) []item {
	keys := make([]item, 0, len(generation.Kinds()))
	for _, kind := range generation.Kinds() {
		k := cellKey{stats.Month, stats.ByAccount, account, kind, stats.Month.Start(month).Unix()}
		keys = append(keys, key(k.primary()))
	}
	return keys
}

func compareText(a, b item, name string) int {
	return strings.Compare(textOf(a, name), textOf(b, name))
}
