package dynamo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/env"
	"easel/shared/stats"
	"easel/shared/usage"
)

// How records become sums, each exactly once:
//
// Whoever writes a usage record gives it a new write id and puts it under a
// marker, TODO#shard in the sparse index gsi2, in the same transaction that ends
// the task. A record that was written is therefore always found, however slow its
// writer was or its clock was wrong; no time has to pass before a record is safe
// to count.
//
// Besides the record, its item holds `counted`, the parts that are in the cells
// because of it, and `rolled`, how often it was counted. Writing the record again,
// as after a late success, keeps both. Rolling it up adds Diff(record, counted) to
// the cells and stores the record's parts as `counted`, in one transaction on the
// condition that neither `write` nor `rolled` changed since the item was read:
//
//	cells' = cells + Diff(want, counted)  and  counted' = want
//
// So "cells = sum of all counted" holds after every transaction, whoever makes it,
// and a second worker, a repeat or a crash changes nothing: its condition fails,
// or the transaction never happened. When a record has more parts than fit into a
// transaction, counted' = counted + some of the Diff, and the marker stays.
const (
	attrCounted = "counted"
	attrRolled  = "rolled"

	todoPrefix = "TODO#"
	// maxItems is how many items DynamoDB takes in one transaction.
	maxItems = 100
	// cellTTL is how long cells of minutes and hours are kept: the longest window
	// and the one before it end within it. Days and months are kept longer.
	cellTTL    = 190 * day
	longTTL    = 800 * day
	rollRole   = role(2000)
	defaultRun = 1000
)

// awaitRollup turns the put of a usage record into an update that keeps what was
// counted of the record and marks it to be counted again.
func awaitRollup(p part) part {
	put := p.write.Put
	id := textOf(put.Item, env.PartitionKey) + "#" + textOf(put.Item, env.SortKey)
	set := item{}
	for name, value := range put.Item {
		if name != env.PartitionKey && name != env.SortKey {
			set[name] = value
		}
	}
	set[attrWrite] = text(newWriteID())
	set[env.OpenPartitionKey] = text(todoPrefix + strconv.Itoa(usageShard(id)))
	set[env.OpenSortKey] = text(stamp(time.Now()) + "#" + textOf(put.Item, env.SortKey))
	expression, used, values := setting(set)
	stale := attrPacked // the record may have been long, or short, before
	if _, packed := put.Item[attrPacked]; packed {
		stale = attrDoc
	}
	used["#stale"] = stale
	p.write = types.TransactWriteItem{Update: &types.Update{
		TableName: put.TableName, Key: key(textOf(put.Item, env.PartitionKey), textOf(put.Item, env.SortKey)),
		UpdateExpression:         aws.String("SET " + expression + " REMOVE #stale"),
		ExpressionAttributeNames: used, ExpressionAttributeValues: values,
	}}
	return p
}

// setting returns "#a = :a, …" for the attributes.
func setting(attributes item) (expression string, used map[string]string, values item) {
	used, values = map[string]string{}, item{}
	for name, value := range attributes {
		if expression != "" {
			expression += ", "
		}
		expression += "#" + name + " = :" + name
		used["#"+name], values[":"+name] = name, value
	}
	return expression, used, values
}

// Rollup counts usage records that are not counted yet, at most limit of them (0
// means 1000), the longest waiting first, and returns how many it worked on; a
// record with very many attempts takes several runs. It may run anywhere, any
// number of times, also twice at once: each record counts once.
//
// Access: eight Queries on gsi2 with gsi2pk = TODO#0..7, which is all that an idle
// tick costs; per 100 records a consistent BatchGetItem; and per transaction up
// to 100 records and cells together, 2 write units each.
func (s *Store) Rollup(ctx context.Context, limit int) (int, error) {
	if limit <= 0 {
		limit = defaultRun
	}
	rows, err := gather(usageShards, func(shard int) ([]item, error) { return s.todo(ctx, shard, limit/usageShards+1) })
	if err != nil {
		return 0, translate("list what to roll up", err)
	}
	slices.SortFunc(rows, func(a, b item) int { return compareText(a, b, env.OpenSortKey) })
	rows = rows[:min(limit, len(rows))]
	done := 0
	for some := range slices.Chunk(rows, maxPage) {
		n, err := s.rollUp(ctx, some)
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func (s *Store) todo(ctx context.Context, shard, limit int) ([]item, error) {
	out, err := s.db.Query(ctx, &dynamodb.QueryInput{
		TableName: s.usage(), IndexName: aws.String(env.OpenIndex),
		KeyConditionExpression:    aws.String("#gsi2pk = :shard"),
		ExpressionAttributeNames:  names(env.OpenPartitionKey),
		ExpressionAttributeValues: item{":shard": text(todoPrefix + strconv.Itoa(shard))},
		Limit:                     aws.Int32(int32(limit)), //nolint:gosec // small
	}, s.call)
	if err != nil {
		return nil, err
	}
	return out.Items, nil
}

// uncounted is a record as it was read for counting.
type uncounted struct {
	key    item
	write  string
	rolled int64
	// counted is what is in the cells because of the record, diff what is missing.
	counted, diff []stats.Part
}

func (s *Store) rollUp(ctx context.Context, rows []item) (int, error) {
	keys := make([]item, len(rows))
	for n, row := range rows {
		keys[n] = key(textOf(row, env.PartitionKey), textOf(row, env.SortKey))
	}
	items, err := s.usageItems(ctx, keys, true)
	if err != nil {
		return 0, err
	}
	done := 0
	full := newBundle()
	for _, i := range items {
		if textOf(i, env.OpenPartitionKey) == "" {
			continue // counted meanwhile; the index lags behind
		}
		u, err := toUncounted(i)
		if err != nil {
			return done, err
		}
		if full.add(u) {
			continue
		}
		n, err := s.count(ctx, full)
		if done += n; err != nil {
			return done, err
		}
		full = newBundle()
		full.add(u)
	}
	n, err := s.count(ctx, full)
	return done + n, err
}

func toUncounted(i item) (uncounted, error) {
	u := uncounted{key: key(textOf(i, env.PartitionKey), textOf(i, env.SortKey)), write: textOf(i, attrWrite), rolled: numberOf(i, attrRolled)}
	var r usage.Record
	if err := getDoc(i, "usage record", &r); err != nil {
		return u, err
	}
	if packed, ok := i[attrCounted].(*types.AttributeValueMemberB); ok {
		doc, err := unpack(packed.Value)
		if err == nil {
			err = json.Unmarshal(doc, &u.counted)
		}
		if err != nil {
			return u, fmt.Errorf("dynamo: decode what was counted of %s: %w", r.ID, err)
		}
	}
	u.diff = stats.Diff(stats.Of(r), u.counted)
	return u, nil
}

// bundle is what one transaction counts.
type bundle struct {
	records []uncounted
	// taken are the parts of each record that the transaction counts, and whole
	// whether these are all of them.
	taken [][]stats.Part
	whole []bool
	cells map[cellKey]stats.Cell
}

func newBundle() *bundle { return &bundle{cells: map[cellKey]stats.Cell{}} }

func (b *bundle) size() int { return len(b.records) + len(b.cells) }

// add takes the record into the transaction, or reports that it does not fit. An
// empty bundle takes of any record as much as fits.
func (b *bundle) add(u uncounted) bool {
	if b.size()+1+b.fresh(u.diff) <= maxItems {
		b.take(u, u.diff)
		return true
	}
	if len(b.records) > 0 {
		return false
	}
	n := len(u.diff)
	for b.fresh(u.diff[:n])+1 > maxItems {
		n--
	}
	b.take(u, u.diff[:n])
	return true
}

// fresh counts the cells of the parts that the bundle does not have yet.
func (b *bundle) fresh(parts []stats.Part) int {
	seen := map[cellKey]bool{}
	for _, p := range parts {
		for _, k := range cellsOf(p) {
			if _, ok := b.cells[k]; !ok {
				seen[k] = true
			}
		}
	}
	return len(seen)
}

func (b *bundle) take(u uncounted, parts []stats.Part) {
	b.records = append(b.records, u)
	b.taken = append(b.taken, parts)
	b.whole = append(b.whole, len(parts) == len(u.diff))
	for _, p := range parts {
		for _, k := range cellsOf(p) {
			b.cells[k] = b.cells[k].Add(p.Cell)
		}
	}
}

// count makes the bundle's transaction and returns how many records are in it. A
// record that changed meanwhile, or that another worker counted, is left to the
// next run; the others are then counted one by one.
func (s *Store) count(ctx context.Context, b *bundle) (int, error) {
	if len(b.records) == 0 {
		return 0, nil
	}
	parts := make([]part, 0, b.size())
	for n := range b.records {
		p, err := s.countedPart(b, n)
		if err != nil {
			return 0, err
		}
		parts = append(parts, p)
	}
	for k, c := range b.cells {
		if !c.Zero() {
			parts = append(parts, s.cellPart(k, c))
		}
	}
	refused, err := s.transact(ctx, parts, newWriteID())
	if err != nil {
		return 0, translate("roll up", err)
	}
	if len(refused) == 0 {
		return len(b.records), nil
	}
	return s.countEach(ctx, b, refused)
}

func (s *Store) countEach(ctx context.Context, b *bundle, refused map[role]item) (int, error) {
	done := 0
	for n, u := range b.records {
		if _, no := refused[rollRole+role(n)]; no {
			continue
		}
		one := newBundle()
		one.add(u)
		n, err := s.count(ctx, one)
		if done += n; err != nil {
			return done, err
		}
	}
	return done, nil
}

// countedPart writes down what the transaction counts of a record.
func (s *Store) countedPart(b *bundle, n int) (part, error) {
	u := b.records[n]
	doc, err := json.Marshal(stats.Sum(u.counted, b.taken[n]))
	if err != nil {
		return part{}, fmt.Errorf("dynamo: encode what was counted: %w", err)
	}
	packed, err := pack(doc) // it repeats itself: a fifth is left, which counts because gsi1 copies it
	if err != nil {
		return part{}, fmt.Errorf("dynamo: compress what was counted: %w", err)
	}
	used := names(attrCounted, attrRolled, attrWrite)
	values := item{":counted": &types.AttributeValueMemberB{Value: packed}, ":next": number(u.rolled + 1), ":write": text(u.write)}
	condition := "#write = :write AND #rolled = :rolled"
	if u.rolled == 0 {
		condition = "#write = :write AND attribute_not_exists(#rolled)"
	} else {
		values[":rolled"] = number(u.rolled)
	}
	expression := "SET #counted = :counted, #rolled = :next"
	if b.whole[n] {
		expression += " REMOVE #gsi2pk, #gsi2sk"
		used["#"+env.OpenPartitionKey], used["#"+env.OpenSortKey] = env.OpenPartitionKey, env.OpenSortKey
	}
	return part{role: rollRole + role(n), write: types.TransactWriteItem{Update: &types.Update{
		TableName: s.usage(), Key: u.key,
		UpdateExpression: aws.String(expression), ConditionExpression: aws.String(condition),
		ExpressionAttributeNames: used, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}}, nil
}

// usageItems reads at most 100 items of the usage table; those that are gone are
// left out.
func (s *Store) usageItems(ctx context.Context, keys []item, consistent bool) ([]item, error) {
	var found []item
	table := *s.usage()
	err := s.write(ctx, func() error {
		for len(keys) > 0 { // a large page comes in several answers
			out, err := s.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
				RequestItems: map[string]types.KeysAndAttributes{table: {Keys: keys, ConsistentRead: aws.Bool(consistent)}},
			}, s.call)
			if err != nil {
				return err
			}
			found = append(found, out.Responses[table]...)
			keys = out.UnprocessedKeys[table].Keys
			if len(out.Responses[table]) == 0 && len(keys) > 0 {
				return &types.ProvisionedThroughputExceededException{}
			}
		}
		return nil
	})
	return found, translate("read records", err)
}
