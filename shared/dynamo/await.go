package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/env"
)

func awaitKey(attempt string) item { return key("AWAIT#"+attempt, "AWAIT") }

// Await notes that the webhook of an attempt is still to come; again is harmless.
// The note ages after the given moment.
//
// Access: one PutItem on AWAIT#attempt; 1 write unit.
func (s *Store) Await(ctx context.Context, attempt string, until time.Time) error {
	i := awaitKey(attempt)
	i[env.TTLAttribute] = expiry(until)
	_, err := s.put(ctx, putPart(roleRecord, s.volatile(), i, "", nil, nil))
	return translate("await a webhook", err)
}

// Awaited takes the note of an attempt's webhook away, and reports whether there
// was one. Of several callers one is told so.
//
// Access: one DeleteItem on AWAIT#attempt; 1 write unit.
func (s *Store) Awaited(ctx context.Context, attempt string) (bool, error) {
	there := false
	err := s.write(ctx, func() error {
		out, err := s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: s.volatile(), Key: awaitKey(attempt), ReturnValues: types.ReturnValueAllOld,
		}, s.call)
		if err != nil {
			return err
		}
		there = len(out.Attributes) > 0
		return nil
	})
	return there, translate("end the wait for a webhook", err)
}
