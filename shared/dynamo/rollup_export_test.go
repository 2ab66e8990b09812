package dynamo

import (
	"easel/shared/env"
	"easel/shared/usage"
)

// UncountedItem returns a record's item as a transaction leaves it, for loading
// many of them at once.
func UncountedItem(r usage.Record) (item, error) {
	p, err := New(nil, Options{}).usagePart(r)
	if err != nil {
		return nil, err
	}
	u := awaitRollup(p).write.Update
	row := item{env.PartitionKey: u.Key[env.PartitionKey], env.SortKey: u.Key[env.SortKey]}
	for placeholder, value := range u.ExpressionAttributeValues {
		row[u.ExpressionAttributeNames["#"+placeholder[1:]]] = value
	}
	return row, nil
}
