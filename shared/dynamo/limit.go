package dynamo

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/env"
	"easel/shared/limit"
)

var (
	_ limit.Store = (*Store)(nil)
	_ limit.Meter = (*Store)(nil)
)

const (
	attrCount = "n"    // permits taken in a window
	attrHeld  = "held" // how many attributes that begin with holderPrefix there are
	// holderPrefix precedes a holder's id in the name of its attribute, whose value
	// is the millisecond at which its place is free by itself.
	holderPrefix = "h#"
	// windowTTL and slotsTTL are how long after their last use the items go. Both are
	// far longer than anything in them is of use.
	windowTTL = 10 * time.Minute
	slotsTTL  = 48 * time.Hour
	// maxPrune bounds the holders that one write removes, because an expression has
	// at most 4 KB.
	maxPrune   = 20
	pruneTurns = 4
)

// windowKey gives every minute of a rule a partition of its own.
func windowKey(w limit.Window) item {
	return key("RATE#"+w.Rule+"#"+strconv.FormatInt(w.Start.Unix()/60, 10), "RATE")
}

func slotsKey(rule string) item { return key("SLOTS#"+rule, "SLOTS") }

// Take adds n to the window's count if the sum is at most max, and returns the
// count after it; else ok is false and the count is as it was.
//
// Access: one conditional UpdateItem on RATE#rule#minute; 1 write unit, also when
// it is refused.
func (s *Store) Take(ctx context.Context, w limit.Window, n, most int) (count int, ok bool, err error) {
	if n < 1 || n > most {
		return 0, false, nil
	}
	in := &dynamodb.UpdateItemInput{
		TableName: s.volatile(), Key: windowKey(w),
		UpdateExpression:         aws.String("SET #ttl = :ttl ADD #n :n"),
		ConditionExpression:      aws.String("attribute_not_exists(#n) OR #n <= :room"),
		ExpressionAttributeNames: names(attrCount, env.TTLAttribute),
		ExpressionAttributeValues: item{
			":n": number(int64(n)), ":room": number(int64(most - n)), ":ttl": expiry(w.Start.Add(windowTTL)),
		},
	}
	after, ok, err := s.update(ctx, in)
	return int(numberOf(after, attrCount)), ok, translate("take a permit", err)
}

// Return takes n off the window's count, if it has them. It is sent once, because
// a repeat of a request whose answer was lost would return too many.
//
// Access: one conditional UpdateItem on RATE#rule#minute; 1 write unit.
func (s *Store) Return(ctx context.Context, w limit.Window, n int) error {
	_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: s.volatile(), Key: windowKey(w),
		UpdateExpression: aws.String("ADD #n :minus"), ConditionExpression: aws.String("#n >= :n"),
		ExpressionAttributeNames:  names(attrCount),
		ExpressionAttributeValues: item{":n": number(int64(n)), ":minus": number(int64(-n))},
	}, s.call, func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	if _, refused := errors.AsType[*types.ConditionalCheckFailedException](err); refused {
		return nil
	}
	return translate("return a permit", err)
}

// Hold gives the holder a place if fewer than h.Limit are held. Places whose time
// is over are removed when the others do not suffice.
//
// Access: one conditional UpdateItem on SLOTS#rule, 1 write unit per KB (about 20
// holders); when places have to be cleared one more for 20 of them, and a repeat.
func (s *Store) Hold(ctx context.Context, h limit.Hold) (limit.Held, error) {
	in := &dynamodb.UpdateItemInput{
		TableName: s.volatile(), Key: slotsKey(h.Rule),
		UpdateExpression:         aws.String("SET #me = :until, #ttl = :ttl ADD #held :one"),
		ConditionExpression:      aws.String("attribute_not_exists(#me) AND (attribute_not_exists(#held) OR #held < :limit)"),
		ExpressionAttributeNames: map[string]string{"#held": attrHeld, "#ttl": env.TTLAttribute, "#me": holderPrefix + h.ID},
		ExpressionAttributeValues: item{
			":until": number(h.Until.UnixMilli()), ":ttl": expiry(h.Now.Add(slotsTTL)), ":one": number(1), ":limit": number(int64(h.Limit)),
		},
	}
	for range pruneTurns {
		stored, ok, err := s.update(ctx, in)
		if err != nil {
			return limit.Held{}, translate("hold a place", err)
		}
		inUse := int(numberOf(stored, attrHeld))
		if ok || numberOf(stored, holderPrefix+h.ID) > h.Now.UnixMilli() {
			return limit.Held{OK: true, InUse: inUse}, nil
		}
		over, next := expired(stored, h.Now)
		if len(over) == 0 {
			return limit.Held{InUse: inUse, NextFree: next}, nil
		}
		if err := s.clear(ctx, h.Rule, over, h.Now); err != nil {
			return limit.Held{}, translate("clear places", err)
		}
	}
	return limit.Held{InUse: h.Limit, NextFree: h.Now}, nil // others were quicker to take what was cleared
}

// clear takes holders off whose time is over by now. It changes nothing when one
// of them is gone or new again by then: somebody else has cleared them.
func (s *Store) clear(ctx context.Context, rule string, holders []string, now time.Time) error {
	named := map[string]string{"#held": attrHeld}
	removed, conditions := make([]string, len(holders)), make([]string, len(holders))
	for n, holder := range holders {
		removed[n] = "#h" + strconv.Itoa(n)
		named[removed[n]] = holder
		conditions[n] = removed[n] + " <= :now"
	}
	_, _, err := s.update(ctx, &dynamodb.UpdateItemInput{
		TableName: s.volatile(), Key: slotsKey(rule),
		UpdateExpression:         aws.String("ADD #held :minus REMOVE " + strings.Join(removed, ", ")),
		ConditionExpression:      aws.String(strings.Join(conditions, " AND ")),
		ExpressionAttributeNames: named,
		ExpressionAttributeValues: item{
			":minus": number(int64(-len(holders))), ":now": number(now.UnixMilli()),
		},
	})
	return err
}

// expired returns the attributes of holders whose time is over, at most maxPrune,
// and when the next place is free by itself.
func expired(stored item, now time.Time) (over []string, next time.Time) {
	for _, name := range slices.Sorted(maps.Keys(stored)) {
		if !strings.HasPrefix(name, holderPrefix) {
			continue
		}
		until := time.UnixMilli(numberOf(stored, name))
		switch {
		case !until.After(now) && len(over) < maxPrune:
			over = append(over, name)
		case next.IsZero() || until.Before(next):
			next = until
		}
	}
	return over, next
}

// Free gives the holder's place back, if it has one.
//
// Access: one conditional UpdateItem on SLOTS#rule; 1 write unit per KB.
func (s *Store) Free(ctx context.Context, rule, id string) error {
	_, _, err := s.update(ctx, &dynamodb.UpdateItemInput{
		TableName: s.volatile(), Key: slotsKey(rule),
		UpdateExpression: aws.String("ADD #held :minus REMOVE #me"), ConditionExpression: aws.String("attribute_exists(#me)"),
		ExpressionAttributeNames:  map[string]string{"#held": attrHeld, "#me": holderPrefix + id},
		ExpressionAttributeValues: item{":minus": number(-1)},
	})
	return translate("free a place", err)
}

// update makes one conditional update and returns the item after it. When the
// condition does not hold, ok is false and the item is what is stored.
func (s *Store) update(ctx context.Context, in *dynamodb.UpdateItemInput) (stored item, ok bool, err error) {
	in.ReturnValues = types.ReturnValueAllNew
	in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	err = s.write(ctx, func() error {
		out, err := s.db.UpdateItem(ctx, in, s.call)
		if failed, refused := errors.AsType[*types.ConditionalCheckFailedException](err); refused {
			stored, ok = failed.Item, false
			return nil
		}
		if err != nil {
			return err
		}
		stored, ok = out.Attributes, true
		return nil
	})
	return stored, ok, err
}

// Uses returns how much of each rule is in use, in their order; at most 50 rules.
//
// Access: one BatchGetItem of two items per rule, 0.5 read units each per 4 KB.
func (s *Store) Uses(ctx context.Context, rules []string, now time.Time) ([]limit.Use, error) {
	uses := make([]limit.Use, len(rules))
	if len(rules) == 0 {
		return uses, nil
	}
	keys := make([]item, 0, 2*len(rules))
	for _, rule := range rules {
		keys = append(keys, windowKey(limit.Window{Rule: rule, Start: now.UTC().Truncate(time.Minute)}), slotsKey(rule))
	}
	found, err := s.batch(ctx, s.volatile(), keys)
	if err != nil {
		return nil, translate("read limits", err)
	}
	for i, rule := range rules {
		window, slots := found[primary(keys[2*i])], found[primary(keys[2*i+1])]
		uses[i] = limit.Use{Rule: rule, Taken: int(numberOf(window, attrCount))}
		for name := range slots {
			if strings.HasPrefix(name, holderPrefix) && numberOf(slots, name) > now.UnixMilli() {
				uses[i].InUse++
			}
		}
	}
	return uses, nil
}
