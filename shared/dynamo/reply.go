package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"easel/shared/env"
	"easel/shared/journal"
	"easel/shared/replycache"
)

func replyKey(hash string) item { return key("REPLY#"+hash, "REPLY") }

// Reply returns what is remembered under a request's hash, or journal.ErrNotFound. It may be
// over: DynamoDB deletes it within days of that.
//
// Access: one GetItem on REPLY#hash; 0.5 read units per 4 KB.
func (s *Store) Reply(ctx context.Context, hash string) (replycache.Entry, error) {
	var e replycache.Entry
	i, err := s.get(ctx, s.volatile(), replyKey(hash), false)
	if err != nil {
		return e, err
	}
	if i == nil {
		return e, fmt.Errorf("dynamo: reply: %w", journal.ErrNotFound)
	}
	return e, getDoc(i, "reply", &e)
}

// PutReply remembers the entry under a request's hash, in the place of an older one.
//
// Access: one PutItem on REPLY#hash; 1 write unit per KB.
func (s *Store) PutReply(ctx context.Context, hash string, e replycache.Entry) error {
	if hash == "" {
		return missingID("hash")
	}
	i := replyKey(hash)
	if err := putDoc(i, "reply", e); err != nil {
		return err
	}
	i[env.TTLAttribute] = expiry(e.ExpiresAt)
	if _, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: s.volatile(), Item: i}, s.call); err != nil {
		return translate("remember a reply", err)
	}
	return nil
}
