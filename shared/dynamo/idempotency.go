package dynamo

import (
	"context"
	"time"

	"easel/shared/journal"
)

// Remembered returns what is remembered of an account's Idempotency-Key; ok is
// false when it was not used, or so long ago that it is free again.
//
// Access: one consistent GetItem on IDEM#hash; 1 read unit.
func (s *Store) Remembered(ctx context.Context, account, callerKey string) (memory journal.Idempotency, ok bool, err error) {
	i, err := s.get(ctx, s.volatile(), key(idempotencyKey(account, callerKey), "IDEM"), true)
	if err != nil || i == nil || numberOf(i, attrExpires) <= time.Now().UnixMilli() {
		return memory, false, err
	}
	err = getDoc(i, "idempotency record", &memory)
	return memory, err == nil, err
}
