package dynamo

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/journal"
)

const (
	// roleQuota is the role of a change's first counter; the next ones count up.
	roleQuota role = 200
	// quotaTTL is how long a counter is kept after its month, for questions.
	quotaTTL = 62 * day
	// maxCounters bounds one reading of counters.
	maxCounters = 100
)

// quotaKey gives every month of an account a partition of its own.
func quotaKey(account, month, counter string) item {
	return key("QUOTA#"+account+"#"+month, counter)
}

// quotaParts are the changes of counters, each with the condition that its limit
// holds. A counter that is lowered needs no condition: its task's version sees to
// it that this happens once.
func (s *Store) quotaParts(moves []journal.QuotaMove) ([]part, error) {
	parts := make([]part, 0, len(moves))
	for n, m := range moves {
		month, err := time.Parse("2006-01", m.Month)
		if err != nil {
			return nil, fmt.Errorf("dynamo: quota of month %q: %w", m.Month, err)
		}
		update := &types.Update{
			TableName: s.volatile(), Key: quotaKey(m.Account, m.Month, m.Counter),
			UpdateExpression:         aws.String("SET #ttl = :ttl ADD #n :by"),
			ExpressionAttributeNames: names(attrCount, env.TTLAttribute),
			ExpressionAttributeValues: item{
				":by": number(m.By), ":ttl": expiry(month.AddDate(0, 1, 0).Add(quotaTTL)),
			},
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}
		if m.By > 0 && m.Limit > 0 {
			update.ConditionExpression = aws.String("#n <= :room")
			if m.By <= m.Limit {
				update.ConditionExpression = aws.String("attribute_not_exists(#n) OR #n <= :room")
			}
			update.ExpressionAttributeValues[":room"] = number(m.Limit - m.By)
		}
		parts = append(parts, part{role: roleQuota + role(n), write: types.TransactWriteItem{Update: update}})
	}
	return parts, nil
}

// overQuota returns the first refused counter as an error, nil when there is none.
func overQuota(moves []journal.QuotaMove, refused map[role]item) error {
	for n, m := range moves {
		if stored, ok := refused[roleQuota+role(n)]; ok {
			return &journal.OverQuota{QuotaMove: m, Used: numberOf(stored, attrCount)}
		}
	}
	return nil
}

// QuotaUse returns where the counters of an account's month stand, in their
// order; at most 100 of them. One that was never used stands at 0.
//
// Access: one BatchGetItem on QUOTA#account#month, 0.5 read units for each counter.
func (s *Store) QuotaUse(ctx context.Context, account, month string, counters []string) ([]int64, error) {
	used := make([]int64, len(counters))
	if len(counters) == 0 {
		return used, nil
	}
	if len(counters) > maxCounters {
		return nil, fault.New(fault.InvalidInput, "at most %d counters can be read at once", maxCounters)
	}
	keys := make([]item, len(counters))
	for n, counter := range counters {
		keys[n] = quotaKey(account, month, counter)
	}
	found, err := s.batch(ctx, s.volatile(), keys)
	if err != nil {
		return nil, translate("read quotas", err)
	}
	for n := range keys {
		used[n] = numberOf(found[primary(keys[n])], attrCount)
	}
	return used, nil
}
