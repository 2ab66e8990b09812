package dynamo

import (
	"context"
	"fmt"

	"easel/shared/apikey"
	"easel/shared/env"
	"easel/shared/journal"
)

// allKeys is the one partition of the open index that lists every key. Keys are
// made by operators, so it never grows hot.
const allKeys = "KEYS"

func keysOf(account string) string { return "KEYS#" + account }
func apiKeyKey(id string) item     { return key("KEY#"+id, "KEY") }

// Key returns the key with the id, or journal.ErrNotFound. A change may take
// about a second to show; a key that seems to be missing is looked up again
// consistently, so a new key works at once.
//
// Access: one eventually consistent GetItem on KEY#id, 0.5 read units; for an
// unknown id a second, consistent one, 1.5 units in all.
func (s *Store) Key(ctx context.Context, id string) (apikey.Key, error) {
	var k apikey.Key
	for _, consistent := range []bool{false, true} {
		i, err := s.get(ctx, s.core(), apiKeyKey(id), consistent)
		if err != nil {
			return k, err
		}
		if i != nil {
			return k, getDoc(i, "key", &k)
		}
	}
	return k, fmt.Errorf("dynamo: key %s: %w", id, journal.ErrNotFound)
}

// PutKey stores the key as version expectVersion+1, whatever k.Version says, if
// the stored version is expectVersion; 0 means that there is none yet. Otherwise
// it returns a StaleVersion error that also matches journal.ErrStale.
//
// Access: one conditional PutItem on KEY#id; 1 write unit, and 1 for each of the
// two indexes when the key is new.
func (s *Store) PutKey(ctx context.Context, k apikey.Key, expectVersion int64) error {
	if k.ID == "" {
		return missingID("id")
	}
	k.Version = expectVersion + 1
	i, id := apiKeyKey(k.ID), newWriteID()
	if err := putDoc(i, "key", k); err != nil {
		return err
	}
	at := text(place(k.CreatedAt, k.ID))
	i[attrWrite] = text(id)
	i[env.ListPartitionKey], i[env.ListSortKey] = text(keysOf(k.Account)), at
	i[env.OpenPartitionKey], i[env.OpenSortKey] = text(allKeys), at
	refused, err := s.put(ctx, putVersion(roleRecord, s.core(), i, k.Version))
	if err != nil {
		return translate("write key", err)
	}
	return fenced("key", refused, id)
}

// KeysByAccount returns a page of the account's keys, newest first, and the
// cursor of the next page, "" when there is none. limit is 1 to 100, 0 means 20.
//
// Access: one Query on gsi1 with gsi1pk = KEYS#account (0.5 read units per 4 KB),
// then one BatchGetItem of the page (0.5 units each).
func (s *Store) KeysByAccount(ctx context.Context, account, cursor string, limit int) ([]apikey.Key, string, error) {
	return s.keys(ctx, list{
		table: s.core(), index: env.ListIndex, partition: env.ListPartitionKey, sort: env.ListSortKey,
		of: keysOf(account), limit: pageSize(limit),
	}, cursor)
}

// Keys returns a page of all keys, newest first, and the cursor of the next
// page, "" when there is none. limit is 1 to 100, 0 means 20.
//
// Access: one Query on gsi2 with gsi2pk = KEYS (0.5 read units per 4 KB), then one
// BatchGetItem of the page (0.5 units each).
func (s *Store) Keys(ctx context.Context, cursor string, limit int) ([]apikey.Key, string, error) {
	return s.keys(ctx, list{
		table: s.core(), index: env.OpenIndex, partition: env.OpenPartitionKey, sort: env.OpenSortKey,
		of: allKeys, limit: pageSize(limit),
	}, cursor)
}

func (s *Store) keys(ctx context.Context, l list, cursor string) ([]apikey.Key, string, error) {
	rows, next, err := s.list(ctx, l, cursor)
	if err != nil {
		return nil, "", err
	}
	items, err := s.fetch(ctx, rows)
	if err != nil {
		return nil, "", err
	}
	keys := make([]apikey.Key, 0, len(items))
	for _, i := range items {
		var k apikey.Key
		if err := getDoc(i, "key", &k); err != nil {
			return nil, "", err
		}
		keys = append(keys, k)
	}
	return keys, next, nil
}
