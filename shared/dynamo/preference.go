package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"easel/shared/env"
	"easel/shared/journal"
	"easel/shared/preference"
)

const (
	balanceSK    = "BAL"
	preferenceSK = "BAL#PREF"
)

// preferenceKey is beside the balance, so that one Query reads both and a change
// of the balance does not write the preferences again.
func preferenceKey(account string) item { return key(accountPK(account), preferenceSK) }

// Profile returns the account and what it prefers, or journal.ErrNotFound.
//
// Access: one consistent Query on ACCT#id with sk beginning with BAL; 1 read unit per 4 KB.
func (s *Store) Profile(ctx context.Context, account string) (preference.Profile, error) {
	out, err := s.db.Query(ctx, &dynamodb.QueryInput{
		TableName: s.core(), ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#pk = :of AND begins_with(#sk, :prefix)"),
		ExpressionAttributeNames:  names(env.PartitionKey, env.SortKey),
		ExpressionAttributeValues: item{":of": text(accountPK(account)), ":prefix": text(balanceSK)},
	}, s.call)
	if err != nil {
		return preference.Profile{}, translate("read account", err)
	}
	var p preference.Profile
	found := false
	for _, i := range out.Items {
		switch textOf(i, env.SortKey) {
		case balanceSK:
			found = true
			p.Account, err = toAccount(i)
		case preferenceSK:
			err = getDoc(i, "preferences", &p.Set)
		}
		if err != nil {
			return preference.Profile{}, err
		}
	}
	if !found {
		return preference.Profile{}, fmt.Errorf("dynamo: account %s: %w", account, journal.ErrNotFound)
	}
	return p, nil
}

// Preferences returns what the account prefers as it is now; version 0 when
// nothing was written.
//
// Access: one consistent GetItem on ACCT#id/BAL#PREF; 1 read unit per 4 KB.
func (s *Store) Preferences(ctx context.Context, account string) (preference.Record, error) {
	i, err := s.get(ctx, s.core(), preferenceKey(account), true)
	if err != nil || i == nil {
		return preference.Record{}, err
	}
	r := preference.Record{Version: versionOf(i)}
	return r, getDoc(i, "preferences", &r.Set)
}

// PutPreferences stores the set as version expect+1 if the stored version is
// expect; 0 means that there is none yet. Otherwise it returns a StaleVersion error
// that also matches journal.ErrStale. Whether the account exists is for the caller
// to know.
//
// Access: one conditional PutItem on ACCT#id/BAL#PREF; 1 write unit per KB.
func (s *Store) PutPreferences(ctx context.Context, account string, set preference.Set, expect int64) error {
	id := newWriteID()
	p, err := s.preferencePart(account, set, expect, id)
	if err != nil {
		return err
	}
	refused, err := s.put(ctx, p)
	if err != nil {
		return translate("write preferences", err)
	}
	return fenced("account's preferences", refused, id)
}

func (s *Store) preferencePart(account string, set preference.Set, expect int64, id string) (part, error) {
	if account == "" {
		return part{}, missingID("account")
	}
	i := preferenceKey(account)
	if err := putDoc(i, "preferences", set); err != nil {
		return part{}, err
	}
	i[attrWrite] = text(id)
	return putVersion(roleRecord, s.core(), i, expect+1), nil
}
