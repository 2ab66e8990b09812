package dynamo

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/batch"
	"easel/shared/env"
	"easel/shared/journal"
)

var (
	_ batch.Store   = (*Store)(nil)
	_ batch.Creator = (*Store)(nil)
	_ batch.Due     = (*Store)(nil)
)

const (
	batchPrefix = "BATCH#"
	batchDue    = "BATCHDUE#"
	// batchShards spreads the batches that are due over the open index.
	batchShards = 4
	// batchSlack is how long after its deadline a batch has ended for certain: a day
	// for what began last, and for late successes.
	batchSlack = day
	// rolePlaces is the role of the count of an account's open batches.
	rolePlaces role = 300
)

func batchKey(id string) item { return key(batchPrefix+id, "BATCH") }

// chunkKey and namesKey are what belongs to a batch and never changes.
func chunkKey(id string, chunk int) item { return key(batchPrefix+id, fmt.Sprintf("C#%03d", chunk)) }
func namesKey(id string) item            { return key(batchPrefix+id, "NAMES") }

func batchesOf(account string) string { return "BATCHES#" + account }

// placesKey counts the account's open batches.
func placesKey(account string) item { return key(batchesOf(account), "OPEN") }

func batchPartition(id string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	return batchDue + strconv.Itoa(int(h.Sum32()%batchShards))
}

// Batch returns the batch as it is now, or journal.ErrNotFound.
//
// Access: one consistent GetItem on BATCH#id/BATCH; 1 read unit per 4 KB, which
// hold a thousand requests that have not failed.
func (s *Store) Batch(ctx context.Context, id string) (batch.Batch, error) {
	var b batch.Batch
	i, err := s.get(ctx, s.core(), batchKey(id), true)
	if err != nil {
		return b, err
	}
	if i == nil {
		return b, fmt.Errorf("dynamo: batch %s: %w", id, journal.ErrNotFound)
	}
	return b, getDoc(i, "batch", &b)
}

// PutBatch stores the batch's next version, or returns journal.ErrStale.
//
// Access: one conditional PutItem on BATCH#id/BATCH, 1 write unit per KB and 2 for
// the moved row of gsi2; when the batch ends one TransactWriteItems of it and of
// BATCHES#account/OPEN instead, 2 units per KB.
func (s *Store) PutBatch(ctx context.Context, c batch.Change) error {
	id := newWriteID()
	p, err := s.batchPart(c.Batch, id)
	if err != nil {
		return err
	}
	var refused map[role]item
	if c.Closes {
		refused, err = s.transact(ctx, []part{p, s.placesPart(c.Batch.Account, -1)}, id)
	} else {
		refused, err = s.put(ctx, p)
	}
	if err != nil {
		return translate("write batch "+c.Batch.ID, err)
	}
	return fenced("batch", refused, id)
}

func (s *Store) batchPart(b batch.Batch, writeID string) (part, error) {
	if b.ID == "" {
		return part{}, missingID("id")
	}
	i := batchKey(b.ID)
	if err := putDoc(i, "batch", b); err != nil {
		return part{}, err
	}
	i[attrWrite], i[attrStatus] = text(writeID), text(string(b.Status))
	i[env.ListPartitionKey], i[env.ListSortKey] = text(batchesOf(b.Account)), text(place(b.CreatedAt, b.ID))
	if !b.DueAt.IsZero() {
		i[env.OpenPartitionKey], i[env.OpenSortKey] = text(batchPartition(b.ID)), text(stamp(b.DueAt))
	} else if b.Status.Ended() {
		i[env.TTLAttribute] = expiry(b.FinishedAt.Add(s.options.TaskTTL))
	}
	return putVersion(roleRecord, s.core(), i, b.Version), nil
}

// placesPart changes the count of an account's open batches by one.
func (s *Store) placesPart(account string, by int64) part {
	update := &types.Update{
		TableName: s.core(), Key: placesKey(account),
		UpdateExpression:                    aws.String("ADD #n :by"),
		ExpressionAttributeNames:            names(attrCount),
		ExpressionAttributeValues:           item{":by": number(by)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if by > 0 {
		update.ConditionExpression = aws.String("attribute_not_exists(#n) OR #n < :most")
		update.ExpressionAttributeValues[":most"] = number(batch.MaxOpen)
	}
	return part{role: rolePlaces, write: types.TransactWriteItem{Update: update}}
}

// CreateBatch stores the batch with its requests. The requests go first, so that
// whoever finds a batch finds all of it; those of a batch that is then refused, or
// whose process dies in between, nobody can find, and they age like all others.
//
// Access: one PutItem on BATCH#id/C#n for each chunk and one on BATCH#id/NAMES, 1
// write unit per KB compressed; then one TransactWriteItems over BATCH#id/BATCH,
// BATCHES#account/OPEN and IDEM#hash, 2 units per KB each and 2 for the indexes.
//
// It returns *journal.Duplicate, journal.ErrStale or batch.ErrFull, in this order
// of precedence.
func (s *Store) CreateBatch(ctx context.Context, c batch.Creation) error {
	id := newWriteID()
	b, err := s.batchPart(c.Batch, id)
	if err != nil {
		return err
	}
	if err := s.putParts(ctx, c); err != nil {
		return err
	}
	parts := []part{b, s.placesPart(c.Batch.Account, 1)}
	if c.Memory != nil {
		p, err := s.idempotencyPart(*c.Memory, time.Now())
		if err != nil {
			return err
		}
		parts = append(parts, p)
	}
	refused, err := s.transact(ctx, parts, id)
	if err != nil {
		return translate("create batch "+c.Batch.ID, err)
	}
	return creationRefusal(c, refused, id)
}

func creationRefusal(c batch.Creation, refused map[role]item, id string) error {
	if len(refused) == 0 || textOf(refused[roleRecord], attrWrite) == id {
		return nil // written, now or by an earlier try whose answer was lost
	}
	if err := duplicate(refused); err != nil {
		return err
	}
	if _, ok := refused[roleRecord]; ok {
		return fmt.Errorf("dynamo: batch %s: %w", c.Batch.ID, journal.ErrStale)
	}
	return fmt.Errorf("dynamo: account %s: %w", c.Batch.Account, batch.ErrFull)
}

// putParts stores what belongs to a batch and never changes.
func (s *Store) putParts(ctx context.Context, c batch.Creation) error {
	expires := expiry(c.Batch.ExpiresAt.Add(batchSlack + s.options.TaskTTL))
	put := func(at item, what string, v any) error {
		if err := putDoc(at, what, v); err != nil {
			return err
		}
		at[env.TTLAttribute] = expires
		// What is there already is ours, from a try whose answer was lost, or that of the
		// batch with the id, which the transaction then refuses to replace.
		_, err := s.put(ctx, putNew(roleRecord, s.core(), at))
		return translate("write the "+what, err)
	}
	for n, chunk := range c.Chunks {
		if err := put(chunkKey(c.Batch.ID, n), "batch's requests", chunk); err != nil {
			return err
		}
	}
	if all := c.Names(); all != nil {
		return put(namesKey(c.Batch.ID), "batch's custom ids", all)
	}
	return nil
}

// BatchRequests returns one chunk of the batch's requests, or journal.ErrNotFound.
//
// Access: one consistent GetItem on BATCH#id/C#n; 1 read unit per 4 KB compressed.
func (s *Store) BatchRequests(ctx context.Context, id string, chunk int) ([]batch.Request, error) {
	var requests []batch.Request
	i, err := s.get(ctx, s.core(), chunkKey(id, chunk), true)
	if err != nil {
		return nil, err
	}
	if i == nil {
		return nil, fmt.Errorf("dynamo: chunk %d of batch %s: %w", chunk, id, journal.ErrNotFound)
	}
	return requests, getDoc(i, "batch's requests", &requests)
}

// BatchNames returns the custom ids of a batch's requests in their order, nil when
// none has one.
//
// Access: one consistent GetItem on BATCH#id/NAMES; 1 read unit per 4 KB compressed.
func (s *Store) BatchNames(ctx context.Context, id string) ([]string, error) {
	var all []string
	i, err := s.get(ctx, s.core(), namesKey(id), true)
	if err != nil || i == nil {
		return nil, err
	}
	return all, getDoc(i, "batch's custom ids", &all)
}

// BatchesByAccount returns a page of an account's batches, newest first, and the
// cursor of the next page, "" when there is none. limit is 1 to 100, 0 means 20.
// The list may lag behind a write by about a second.
//
// Access: one Query on gsi1 with gsi1pk = BATCHES#account and gsi1sk < cursor, then
// one BatchGetItem of the page; 0.5 read units per 4 KB each.
func (s *Store) BatchesByAccount(ctx context.Context, account, cursor string, limit int) ([]batch.Batch, string, error) {
	rows, next, err := s.list(ctx, list{
		table: s.core(), index: env.ListIndex, partition: env.ListPartitionKey, sort: env.ListSortKey,
		of: batchesOf(account), limit: pageSize(limit),
	}, cursor)
	if err != nil {
		return nil, "", err
	}
	items, err := s.fetch(ctx, rows)
	if err != nil {
		return nil, "", err
	}
	batches := make([]batch.Batch, len(items))
	for n, i := range items {
		if err := getDoc(i, "batch", &batches[n]); err != nil {
			return nil, "", err
		}
	}
	return batches, next, nil
}

// DueBatches returns the ids of batches whose DueAt is not after now, the longest
// overdue first, at most limit (1 to 1000). It may lag behind a write by about a
// second: whoever acts on it reads the batch first and writes against its version.
//
// Access: four Queries at the same time, on gsi2 with gsi2pk = BATCHDUE#0..3 and
// gsi2sk <= now; 2 read units in all when little is due.
func (s *Store) DueBatches(ctx context.Context, now time.Time, limit int) ([]string, error) {
	if limit < 1 || limit > maxDue {
		return nil, errors.New("dynamo: the limit of due batches must be 1 to " + strconv.Itoa(maxDue))
	}
	ids, err := s.due(ctx, batchDue, batchShards, batchPrefix, now, limit)
	return ids, translate("list due batches", err)
}
