package dynamo

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/usage"
)

// usageShards spreads the records of one month over as many partitions of the
// usage table's index; see docs/data-model.md for the arithmetic.
const usageShards = 8

// UsageFilter says which records to list. A record belongs to the time at which
// its task was created.
type UsageFilter struct {
	// Account, if set, is the one account to list; "" is all of them.
	Account string
	// From and To bound the time, From inclusive and To exclusive. A zero From is
	// UsageTTL before To, and a zero To is now.
	From, To time.Time
}

func usagePK(account string) string { return "U#" + account }

func monthPartition(month time.Time, shard int) string {
	return "M#" + month.UTC().Format("2006-01") + "#" + strconv.Itoa(shard)
}

func usageShard(id string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	return int(h.Sum32() % usageShards)
}

// usagePart replaces the record of a task. Its keys depend only on what never
// changes: the account, the time of creation and the id.
func (s *Store) usagePart(r usage.Record) (part, error) {
	if r.ID == "" {
		return part{}, missingID("id")
	}
	at := place(r.CreatedAt, r.ID)
	i := key(usagePK(r.Account), at)
	if err := putDoc(i, "usage record", r); err != nil {
		return part{}, err
	}
	i[env.ListPartitionKey], i[env.ListSortKey] = text(monthPartition(r.CreatedAt, usageShard(r.ID))), text(at)
	i[env.TTLAttribute] = expiry(r.CreatedAt.Add(s.options.UsageTTL))
	return putPart(roleUsage, s.usage(), i, "", nil, nil), nil
}

// Usage returns a page of the usage log, newest first, and the cursor of the
// next page, "" when there is none. limit is 1 to 100, 0 means 20. A bad cursor or
// a window of more than a year is an InvalidInput error.
//
// Access for one account: one Query on U#account with sk within the window. For
// all: per month of the window, from the newest until the page is full, eight
// Queries at the same time on gsi1 with gsi1pk = M#month#0..7. Each is 0.5 read
// units per 4 KB, about four records; each of the eight may read a whole page.
func (s *Store) Usage(ctx context.Context, filter UsageFilter, cursor string, limit int) ([]usage.Record, string, error) {
	limit = pageSize(limit)
	if filter.To.IsZero() {
		filter.To = time.Now()
	}
	if filter.From.IsZero() {
		filter.From = filter.To.Add(-s.options.UsageTTL)
	}
	if filter.To.Sub(filter.From) > 366*day {
		return nil, "", fault.Invalid("from", "must be within a year before to")
	}
	if !filter.From.Before(filter.To) {
		return nil, "", fault.Invalid("from", "must be before to")
	}
	rows, next, err := s.usageRows(ctx, filter, cursor, limit)
	if err != nil {
		return nil, "", err
	}
	records := make([]usage.Record, 0, len(rows))
	for _, i := range rows {
		var r usage.Record
		if err := getDoc(i, "usage record", &r); err != nil {
			return nil, "", err
		}
		records = append(records, r)
	}
	return records, next, nil
}

func (s *Store) usageRows(ctx context.Context, filter UsageFilter, cursor string, limit int) ([]item, string, error) {
	// A sort key is a time, '#' and an id, so the bare time To is below all that begin at To.
	window := list{table: s.usage(), limit: limit, from: stamp(filter.From), to: stamp(filter.To)}
	if filter.Account != "" {
		window.partition, window.sort, window.of = env.PartitionKey, env.SortKey, usagePK(filter.Account)
		return s.list(ctx, window, cursor)
	}
	window.index, window.partition, window.sort = env.ListIndex, env.ListPartitionKey, env.ListSortKey
	last, err := openCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	newest := filter.To
	if last != "" {
		at, err := time.Parse(sortable, last[:len(sortable)])
		if err != nil {
			return nil, "", badCursor()
		}
		newest = earlier(newest, at)
	}
	var rows []item
	for month := firstOfMonth(newest); len(rows) <= limit && !month.Before(firstOfMonth(filter.From)); month = month.AddDate(0, -1, 0) {
		more, err := s.usageMonth(ctx, window, month, cursor)
		if err != nil {
			return nil, "", fmt.Errorf("usage of %s: %w", month.Format("2006-01"), err)
		}
		rows = append(rows, more...)
	}
	if len(rows) <= limit {
		return rows, "", nil
	}
	return rows[:limit], sealCursor(textOf(rows[limit-1], env.ListSortKey)), nil
}

// usageMonth merges the shards of one month, newest first. It returns more than
// the window's limit when there is more.
func (s *Store) usageMonth(ctx context.Context, window list, month time.Time, cursor string) ([]item, error) {
	window.limit++ // so that one shard alone can tell that there is a next page
	rows, err := gather(usageShards, func(shard int) ([]item, error) {
		l := window
		l.of = monthPartition(month, shard)
		return s.fill(ctx, l, cursor)
	})
	slices.SortFunc(rows, func(a, b item) int {
		return strings.Compare(textOf(b, env.ListSortKey), textOf(a, env.ListSortKey))
	})
	return rows, err
}

// fill reads until it has the page's limit of rows or there are no more: one
// Query unless the rows exceed the 1 MB that DynamoDB answers at once.
func (s *Store) fill(ctx context.Context, l list, cursor string) ([]item, error) {
	var all []item
	for {
		rows, next, err := s.list(ctx, l, cursor)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
		if next == "" || len(rows) >= l.limit {
			return all, nil
		}
		l.limit -= len(rows)
		cursor = next
	}
}

func firstOfMonth(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
