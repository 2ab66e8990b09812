package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"easel/shared/retire"
)

var (
	_ retire.Store = (*Store)(nil)
	_ retire.Trail = (*Store)(nil)
)

// attrNext is the millisecond from which the check of models is due again.
const attrNext = "next_ms"

// checkKey is the one item of the check of models.
func checkKey() item { return key("CHECK#models", "CHECK") }

// ClaimCheck takes the check of models until the given moment if it is due at
// now. When it is not, ok is false and next says when it will be.
//
// Access: one conditional UpdateItem on CHECK#models; 1 write unit per KB of the
// last report, also when it is refused.
func (s *Store) ClaimCheck(ctx context.Context, now, until time.Time) (ok bool, next time.Time, err error) {
	stored, ok, err := s.update(ctx, &dynamodb.UpdateItemInput{
		TableName: s.volatile(), Key: checkKey(),
		UpdateExpression:          aws.String("SET #next_ms = :until"),
		ConditionExpression:       aws.String("attribute_not_exists(#next_ms) OR #next_ms <= :now"),
		ExpressionAttributeNames:  names(attrNext),
		ExpressionAttributeValues: item{":now": number(now.UnixMilli()), ":until": number(until.UnixMilli())},
	})
	return ok, time.UnixMilli(numberOf(stored, attrNext)), translate("claim the check of models", err)
}

// SaveCheck replaces the report of the last check of models, and says when the
// next one is due.
//
// Access: one PutItem on CHECK#models; 1 write unit per KB.
func (s *Store) SaveCheck(ctx context.Context, r retire.Report, next time.Time) error {
	i := checkKey()
	if err := putDoc(i, "check of models", r); err != nil {
		return err
	}
	i[attrNext] = number(next.UnixMilli())
	_, err := s.put(ctx, putPart(roleRecord, s.volatile(), i, "", nil, nil))
	return translate("write the check of models", err)
}

// LastCheck returns the report of the last check of models, the zero one when
// there was none.
//
// Access: one eventually consistent GetItem on CHECK#models; 0.5 read units per 4 KB.
func (s *Store) LastCheck(ctx context.Context) (retire.Report, error) {
	var r retire.Report
	i, err := s.get(ctx, s.volatile(), checkKey(), false)
	if err != nil || textOf(i, attrDoc) == "" && i[attrPacked] == nil {
		return r, err
	}
	return r, getDoc(i, "check of models", &r)
}
