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
	"easel/shared/fault"
	"easel/shared/journal"
)

// role is what one part of a transaction is for.
type role int

const (
	roleTask role = iota
	roleBalance
	roleLedger
	roleIdempotency
	roleUsage
	roleRecord  // a config, model or key
	roleVersion // the counter beside configs and models
)

// part is one write of a transaction.
type part struct {
	role  role
	write types.TransactWriteItem
}

// Apply writes all of the change or nothing.
//
// Access: a change that holds only a task is one conditional PutItem on
// TASK#id (1 write unit per KB); any other is one TransactWriteItems over the
// task, ACCT#account/BAL, ACCT#account/L#entry, IDEM#hash, U#account and
// QUOTA#account#month (2 units per KB each). It is one round trip unless another writer is in the way;
// then it is tried again, with backoff, within ctx.
//
// It returns *journal.Duplicate, journal.ErrStale, *journal.OverQuota or
// *journal.Insufficient, in this order of precedence; none of them had an effect. A fault.TooLarge error says that the task does not fit. A zero
// entry is kept in the ledger and needs no account. An answer that was lost on
// the way is recognised when the write is repeated, so nil means "written once".
// Only if somebody else changed the task between the two is ErrStale returned for
// a change that did take effect, and reading the task shows it.
func (s *Store) Apply(ctx context.Context, change journal.Change) error {
	id := newWriteID()
	parts, err := s.parts(change, id, time.Now())
	if err != nil {
		return err
	}
	var refused map[role]item
	if len(parts) == 1 {
		refused, err = s.put(ctx, parts[0])
	} else {
		refused, err = s.transact(ctx, parts, id)
	}
	if err != nil {
		return translate("write task "+change.Task.ID, err)
	}
	return verdict(change, refused, id)
}

// verdict turns the refused parts of a change, with what was stored in their
// place, into the store's error.
func verdict(change journal.Change, refused map[role]item, id string) error {
	if len(refused) == 0 || textOf(refused[roleTask], attrWrite) == id {
		return nil // written, now or by an earlier try whose answer was lost
	}
	if err := duplicate(refused); err != nil {
		return err
	}
	_, task := refused[roleTask]
	_, ledger := refused[roleLedger]
	if task || ledger {
		return fmt.Errorf("dynamo: task %s at version %d: %w", change.Task.ID, change.Task.Version, journal.ErrStale)
	}
	if err := overQuota(change.Quotas, refused); err != nil {
		return err
	}
	return insufficient(*change.Entry, refused[roleBalance])
}

// duplicate returns the *journal.Duplicate of a used idempotency key, if that is
// among what was refused.
func duplicate(refused map[role]item) error {
	stored, ok := refused[roleIdempotency]
	if !ok {
		return nil
	}
	var used journal.Duplicate
	if err := getDoc(stored, "idempotency record", &used.Idempotency); err != nil {
		return err
	}
	return &used
}

// parts builds the writes of a change, the task first.
func (s *Store) parts(change journal.Change, id string, now time.Time) ([]part, error) {
	task, err := s.taskPart(change.Task, id)
	if err != nil {
		return nil, err
	}
	parts := []part{task}
	if change.Entry != nil {
		money, err := s.entryParts(*change.Entry)
		if err != nil {
			return nil, err
		}
		parts = append(parts, money...)
	}
	if change.Idempotency != nil {
		p, err := s.idempotencyPart(*change.Idempotency, now)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	if change.Usage != nil {
		p, err := s.usagePart(*change.Usage)
		if err != nil {
			return nil, err
		}
		parts = append(parts, awaitRollup(p))
	}
	counters, err := s.quotaParts(change.Quotas)
	return append(parts, counters...), err
}

// put makes a single conditional write. It returns the refused part, if the
// condition did not hold, with what is stored in its place.
func (s *Store) put(ctx context.Context, p part) (map[role]item, error) {
	in := p.write.Put
	var refused map[role]item
	err := s.write(ctx, func() error {
		_, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: in.TableName, Item: in.Item, ConditionExpression: in.ConditionExpression,
			ExpressionAttributeNames: in.ExpressionAttributeNames, ExpressionAttributeValues: in.ExpressionAttributeValues,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}, s.call)
		var failed *types.ConditionalCheckFailedException
		if errors.As(err, &failed) {
			refused = map[role]item{p.role: failed.Item}
			return nil
		}
		return err
	})
	return refused, err
}

// transact makes all of the writes or none. It returns the parts whose condition
// did not hold, with what is stored in their place. While another writer is in
// the way nothing is concluded from the other parts: they are asked again. The
// token makes a repeat within ten minutes harmless.
func (s *Store) transact(ctx context.Context, parts []part, token string) (map[role]item, error) {
	in := &dynamodb.TransactWriteItemsInput{ClientRequestToken: aws.String(token)}
	for _, p := range parts {
		in.TransactItems = append(in.TransactItems, p.write)
	}
	err := s.write(ctx, func() error {
		_, err := s.db.TransactWriteItems(ctx, in, s.call)
		return err
	})
	if refused := refusals(err, parts); len(refused) > 0 {
		return refused, nil
	}
	return nil, err
}

func refusals(err error, parts []part) map[role]item {
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) || passing(err) {
		return nil
	}
	refused := map[role]item{}
	for i, reason := range canceled.CancellationReasons {
		if aws.ToString(reason.Code) == "ConditionalCheckFailed" && i < len(parts) {
			refused[parts[i].role] = reason.Item
		}
	}
	return refused
}

// putPart is a Put that returns what is stored when its condition does not hold.
func putPart(r role, table *string, i item, condition string, names map[string]string, values item) part {
	put := &types.Put{
		TableName: table, Item: i, ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if condition != "" {
		put.ConditionExpression = aws.String(condition)
	}
	return part{role: r, write: types.TransactWriteItem{Put: put}}
}

// putNew is a put that refuses to replace anything.
func putNew(r role, table *string, i item) part {
	return putPart(r, table, i, "attribute_not_exists(#pk)", names(env.PartitionKey), nil)
}

// putVersion is a put that replaces only the version before the item's own;
// version 1 replaces nothing.
func putVersion(r role, table *string, i item, version int64) part {
	i[attrVersion] = number(version)
	if version == 1 {
		return putNew(r, table, i)
	}
	return putPart(r, table, i, "#version = :before", names(attrVersion), item{":before": number(version - 1)})
}

// names lets expressions speak of attributes as #name, because some names are
// reserved words of DynamoDB.
func names(attributes ...string) map[string]string {
	m := make(map[string]string, len(attributes))
	for _, a := range attributes {
		m["#"+a] = a
	}
	return m
}

func (s *Store) idempotencyPart(memory journal.Idempotency, now time.Time) (part, error) {
	i := key(idempotencyKey(memory.Account, memory.Key), "IDEM")
	if err := putDoc(i, "idempotency record", memory); err != nil {
		return part{}, err
	}
	i[attrExpires] = number(memory.ExpiresAt.UnixMilli())
	i[env.TTLAttribute] = expiry(memory.ExpiresAt)
	return putPart(roleIdempotency, s.volatile(), i,
		"attribute_not_exists(#pk) OR #expires_ms <= :now", names(env.PartitionKey, attrExpires),
		item{":now": number(now.UnixMilli())}), nil
}

// missingID is the error for a thing without a name.
func missingID(field string) error { return fault.Invalid(field, "must not be empty") }
