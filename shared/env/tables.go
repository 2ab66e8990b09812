// Package env holds the names that a deployment and its programs must agree on.
package env

// The suffixes of the three tables. A table's whole name is a prefix, such as
// "easel-prod-", and its suffix.
const (
	// CoreTable holds tasks, accounts, ledgers, keys, configs and models: what
	// must never be lost.
	CoreTable = "core"
	// VolatileTable holds what ages within hours: idempotency records and limits.
	VolatileTable = "volatile"
	// UsageTable holds the usage log and what is summed up from it.
	UsageTable = "usage"
)

// The names of attributes and indexes that the tables' definition fixes.
const (
	PartitionKey = "pk"
	SortKey      = "sk"
	// TTLAttribute is a number of seconds since 1970 after which an item may go.
	TTLAttribute = "ttl"
	// ListIndex lists the items that belong together, newest last.
	ListIndex        = "gsi1"
	ListPartitionKey = "gsi1pk"
	ListSortKey      = "gsi1sk"
	// OpenIndex is sparse: tasks that have something due, the lists of all keys and
	// of all accounts, and usage records that are not in the statistics yet.
	OpenIndex        = "gsi2"
	OpenPartitionKey = "gsi2pk"
	OpenSortKey      = "gsi2sk"
)

// Projection is which attributes an index copies besides its keys.
type Projection string

// The projections, spelled as DynamoDB spells them.
const (
	KeysOnly Projection = "KEYS_ONLY"
	Include  Projection = "INCLUDE"
	All      Projection = "ALL"
)

// Table is one DynamoDB table as plain data. Both `easel tables create` and the
// stack make tables from it, so that they cannot differ. Every key attribute is
// a string, and every table is billed on demand.
type Table struct {
	// Suffix follows the prefix in the table's name.
	Suffix       string
	PartitionKey string
	SortKey      string
	Indexes      []Index
	// TTL is the attribute that says when an item may be deleted.
	TTL string
	// PointInTimeRecovery asks for continuous backups.
	PointInTimeRecovery bool
	// DeletionProtection refuses to delete the table. The stack sets it;
	// `easel tables create` does not, so that a trial can be thrown away.
	DeletionProtection bool
}

// Index is one global secondary index.
type Index struct {
	Name         string
	PartitionKey string
	SortKey      string
	Projection   Projection
	// Attributes are what the projection Include copies.
	Attributes []string
}

// Name returns the table's whole name under the prefix.
func (t Table) Name(prefix string) string { return prefix + t.Suffix }

// KeyAttributes returns the names of every key attribute of the table and its
// indexes, each once. All of them are strings.
func (t Table) KeyAttributes() []string {
	names := make([]string, 0, 2+2*len(t.Indexes))
	names = append(names, t.PartitionKey, t.SortKey)
	for _, index := range t.Indexes {
		names = append(names, index.PartitionKey, index.SortKey)
	}
	return names
}

// Tables returns the definition of every table. docs/data-model.md says what is
// kept where, and why the indexes project what they do.
func Tables() []Table {
	return []Table{
		{
			Suffix: CoreTable, PartitionKey: PartitionKey, SortKey: SortKey, TTL: TTLAttribute,
			PointInTimeRecovery: true, DeletionProtection: true,
			Indexes: []Index{
				{
					Name: ListIndex, PartitionKey: ListPartitionKey, SortKey: ListSortKey,
					Projection: Include, Attributes: []string{"kind", "status", "entry"},
				},
				{Name: OpenIndex, PartitionKey: OpenPartitionKey, SortKey: OpenSortKey, Projection: KeysOnly},
			},
		},
		{Suffix: VolatileTable, PartitionKey: PartitionKey, SortKey: SortKey, TTL: TTLAttribute},
		{
			Suffix: UsageTable, PartitionKey: PartitionKey, SortKey: SortKey, TTL: TTLAttribute,
			DeletionProtection: true,
			Indexes: []Index{
				{Name: ListIndex, PartitionKey: ListPartitionKey, SortKey: ListSortKey, Projection: All},
				{Name: OpenIndex, PartitionKey: OpenPartitionKey, SortKey: OpenSortKey, Projection: KeysOnly},
			},
		},
	}
}
