package dynamo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/env"
	"easel/shared/health"
)

var _ health.Store = (*Store)(nil)

const (
	// healthPartition holds the health of every name, so that one query reads it all.
	healthPartition = "HEALTH"
	healthTTL       = 7 * day

	attrWindow   = "win"
	attrGood     = "good"
	attrBad      = "bad"
	attrPastGood = "pgood"
	attrPastBad  = "pbad"
	attrFirst    = "first_ms"
	attrLast     = "last" // the last failure as JSON
)

func healthKey(name string) item { return key(healthPartition, name) }

// HealthRecords returns the health of every name that failed within a week.
//
// Access: one consistent Query on HEALTH; 1 read unit per 4 KB, about 10 names.
func (s *Store) HealthRecords(ctx context.Context) ([]health.Record, error) {
	in := &dynamodb.QueryInput{
		TableName: s.volatile(), ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#pk = :pk"),
		ExpressionAttributeNames:  names(env.PartitionKey),
		ExpressionAttributeValues: item{":pk": text(healthPartition)},
	}
	var records []health.Record
	for {
		out, err := s.db.Query(ctx, in, s.call)
		if err != nil {
			return nil, translate("read health", err)
		}
		for _, i := range out.Items {
			r, err := toHealth(i)
			if err != nil {
				return nil, err
			}
			records = append(records, r)
		}
		if len(out.LastEvaluatedKey) == 0 {
			return records, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

func toHealth(i item) (health.Record, error) {
	r := health.Record{}
	if textOf(i, attrDoc) != "" {
		if err := getDoc(i, "health", &r); err != nil {
			return r, err
		}
	}
	r.Name, r.Version = textOf(i, env.SortKey), numberOf(i, attrVersion)
	r.Counts = health.Counts{
		Window: numberOf(i, attrWindow), Good: int(numberOf(i, attrGood)), Bad: int(numberOf(i, attrBad)),
		PastGood: int(numberOf(i, attrPastGood)), PastBad: int(numberOf(i, attrPastBad)),
	}
	if first := numberOf(i, attrFirst); first != 0 {
		r.First = time.UnixMilli(first).UTC()
	}
	if last := textOf(i, attrLast); last != "" {
		r.Last = &health.Error{}
		if err := json.Unmarshal([]byte(last), r.Last); err != nil {
			return r, fmt.Errorf("dynamo: decode last failure: %w", err)
		}
	}
	return r, nil
}

// SaveHealth stores the record as the next version, if it is still the one that
// is stored, and returns what is stored then. An answer that was lost is
// recognised by the write's id. An event is stored in the same transaction: in the
// trail, and, where it asks for that, as a notice to be sent.
//
// Access: one conditional UpdateItem on HEALTH/name, 1 write unit; with an event
// one TransactWriteItems on HEALTH/name and AUDIT#month, for a notice also on
// NOTICES/id and NOTICES#due/id, 2 write units each.
func (s *Store) SaveHealth(ctx context.Context, r health.Record, e *health.Event) (health.Record, bool, error) {
	write := newWriteID()
	in, err := s.healthInput(r, write)
	if err != nil {
		return r, false, err
	}
	if e != nil {
		return s.saveEvent(ctx, r, in, *e, write)
	}
	i, ok, err := s.update(ctx, in)
	if err != nil {
		return r, false, translate("write health", err)
	}
	return savedHealth(r.Name, i, ok || textOf(i, attrWrite) == write)
}

// savedHealth is what is stored after a write.
func savedHealth(name string, i item, ok bool) (health.Record, bool, error) {
	if len(i) == 0 {
		// It aged away meanwhile: nothing is stored.
		return health.Record{Name: name}, false, nil
	}
	stored, err := toHealth(i)
	return stored, ok, err
}

// saveEvent makes the write together with those of an event.
func (s *Store) saveEvent(ctx context.Context, r health.Record, in *dynamodb.UpdateItemInput, e health.Event, write string) (health.Record, bool, error) {
	trail, err := s.auditPart(e.Entry())
	if err != nil {
		return r, false, err
	}
	parts := []part{{role: roleRecord, write: types.TransactWriteItem{Update: &types.Update{
		TableName: in.TableName, Key: in.Key, UpdateExpression: in.UpdateExpression, ConditionExpression: in.ConditionExpression,
		ExpressionAttributeNames: in.ExpressionAttributeNames, ExpressionAttributeValues: in.ExpressionAttributeValues,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}}, trail}
	if e.Notify {
		more, err := s.noticeParts(noticeOf(e), write)
		if err != nil {
			return r, false, err
		}
		parts = append(parts, more...)
	}
	refused, err := s.transact(ctx, parts, write)
	if err != nil {
		return r, false, translate("write health", err)
	}
	i, no := refused[roleRecord]
	if no && textOf(i, attrWrite) != write {
		return savedHealth(r.Name, i, false)
	}
	r.Version++ // the counts are those that were known; the next ones tell
	if r.Window == 0 {
		r.Counts = health.Counts{}
	}
	return r, true, nil
}

// healthInput is the conditional write of a record.
func (s *Store) healthInput(r health.Record, write string) (*dynamodb.UpdateItemInput, error) {
	doc, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("dynamo: encode health: %w", err)
	}
	in := &dynamodb.UpdateItemInput{
		TableName: s.volatile(), Key: healthKey(r.Name),
		ExpressionAttributeNames: names(attrDoc, attrVersion, attrWrite, env.TTLAttribute),
		ExpressionAttributeValues: item{
			":doc": text(string(doc)), ":next": number(r.Version + 1), ":write": text(write),
			":ttl": expiry(time.Now().Add(healthTTL)),
		},
	}
	update, condition := "SET #doc = :doc, #version = :next, #write = :write, #ttl = :ttl", "attribute_not_exists(#version)"
	if r.Version > 0 {
		condition = "#version = :before"
		in.ExpressionAttributeValues[":before"] = number(r.Version)
	}
	if r.Last != nil {
		last, err := json.Marshal(r.Last)
		if err != nil {
			return nil, fmt.Errorf("dynamo: encode last failure: %w", err)
		}
		update += ", #last = :last"
		in.ExpressionAttributeNames["#last"] = attrLast
		in.ExpressionAttributeValues[":last"] = text(string(last))
	}
	if r.Window == 0 {
		update += " REMOVE #win, #good, #bad, #pgood, #pbad, #first_ms"
		maps.Copy(in.ExpressionAttributeNames, names(attrWindow, attrGood, attrBad, attrPastGood, attrPastBad, attrFirst))
	}
	in.UpdateExpression, in.ConditionExpression = aws.String(update), aws.String(condition)
	return in, nil
}

// errWindowsMove says that other instances moved the window at every try.
var errWindowsMove = errors.New("dynamo: count health: the windows move too fast")

// CountHealth adds to the counts of a name, moves them on to the delta's window
// if they are of an older one, and returns the record after it.
//
// Access: one conditional UpdateItem on HEALTH/name, 1 write unit; one more when
// the window was not the expected one.
func (s *Store) CountHealth(ctx context.Context, d health.Delta) (health.Record, error) {
	window := d.Known
	for range s.options.Tries {
		in, err := s.countInput(d, window)
		if err != nil {
			return health.Record{}, err
		}
		i, ok, err := s.update(ctx, in)
		if err != nil {
			return health.Record{}, translate("count health", err)
		}
		if ok {
			return toHealth(i)
		}
		window = numberOf(i, attrWindow)
	}
	return health.Record{}, errWindowsMove
}

// countInput is the write of a delta onto a record that is expected to be at the
// window; 0 is none.
func (s *Store) countInput(d health.Delta, window int64) (*dynamodb.UpdateItemInput, error) {
	values := item{":good": number(int64(d.Good)), ":bad": number(int64(d.Bad)), ":ttl": expiry(d.At.Add(healthTTL))}
	named := names(attrGood, attrBad, attrWindow, env.TTLAttribute)
	set, add, condition := "SET #ttl = :ttl", "", "#win = :window"
	switch {
	case window >= d.Window: // also when another instance's clock is ahead
		add = " ADD #good :good, #bad :bad"
	case window == d.Window-1:
		set += ", #win = :next, #pgood = #good, #pbad = #bad, #good = :good, #bad = :bad"
		maps.Copy(named, names(attrPastGood, attrPastBad))
		values[":next"] = number(d.Window)
	default:
		set += ", #win = :next, #pgood = :zero, #pbad = :zero, #good = :good, #bad = :bad, #first_ms = :first"
		maps.Copy(named, names(attrPastGood, attrPastBad, attrFirst))
		values[":next"], values[":zero"], values[":first"] = number(d.Window), number(0), number(d.At.UnixMilli())
	}
	if window == 0 {
		condition = "attribute_not_exists(#win)"
	} else {
		values[":window"] = number(window)
	}
	if d.Last != nil {
		last, err := json.Marshal(d.Last)
		if err != nil {
			return nil, fmt.Errorf("dynamo: encode last failure: %w", err)
		}
		set += ", #last = :last"
		named["#last"], values[":last"] = attrLast, text(string(last))
	}
	return &dynamodb.UpdateItemInput{
		TableName: s.volatile(), Key: healthKey(d.Name), UpdateExpression: aws.String(set + add), ConditionExpression: aws.String(condition),
		ExpressionAttributeNames: named, ExpressionAttributeValues: values, ReturnValues: types.ReturnValueAllNew,
	}, nil
}
