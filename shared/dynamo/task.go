package dynamo

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"easel/shared/env"
	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/task"
)

// openShards spreads the tasks that have something due over as many partitions
// of the open index; see docs/data-model.md for the arithmetic.
const openShards = 8

const (
	taskPrefix = "TASK#"
	maxDue     = 1000
)

func taskKey(id string) item { return key(taskPrefix+id, "TASK") }

// idempotencyKey hashes the account and the caller's key, so that neither can
// reach into the other's and any length fits.
func idempotencyKey(account, callerKey string) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(len(account)) + ":" + account + callerKey))
	return "IDEM#" + hex.EncodeToString(sum[:])
}

func openPartition(id string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	return "OPEN#" + strconv.Itoa(int(h.Sum32()%openShards))
}

func (s *Store) taskPart(t task.Task, writeID string) (part, error) {
	if t.ID == "" {
		return part{}, missingID("id")
	}
	if t.Version < 1 {
		return part{}, fmt.Errorf("dynamo: task %s has version %d, which must be 1 or more", t.ID, t.Version)
	}
	i := taskKey(t.ID)
	if err := putDoc(i, "task", t); err != nil {
		return part{}, err
	}
	i[attrWrite], i[attrKind], i[attrStatus] = text(writeID), text(string(t.Kind)), text(string(t.Status))
	i[env.ListPartitionKey], i[env.ListSortKey] = text(tasksOf(t.Account)), text(place(t.CreatedAt, t.ID))
	if !t.DueAt.IsZero() {
		i[env.OpenPartitionKey], i[env.OpenSortKey] = text(openPartition(t.ID)), text(stamp(t.DueAt))
	} else if t.Status.Terminal() {
		i[env.TTLAttribute] = expiry(t.UpdatedAt.Add(s.options.TaskTTL))
	}
	return putVersion(roleTask, s.core(), i, t.Version), nil
}

func tasksOf(account string) string { return "TASKS#" + account }

// Task returns the task as it is now, or journal.ErrNotFound.
//
// Access: one consistent GetItem on TASK#id; 1 read unit per 4 KB.
func (s *Store) Task(ctx context.Context, id string) (task.Task, error) {
	if id == "" {
		return task.Task{}, fmt.Errorf("dynamo: task without id: %w", journal.ErrNotFound)
	}
	i, err := s.get(ctx, s.core(), taskKey(id), true)
	if err != nil {
		return task.Task{}, err
	}
	if i == nil {
		return task.Task{}, fmt.Errorf("dynamo: task %s: %w", id, journal.ErrNotFound)
	}
	var t task.Task
	return t, getDoc(i, "task", &t)
}

// TasksByID returns the tasks with the ids, in their order, as they were within the last
// second or so. Those that do not exist are left out.
//
// Access: one BatchGetItem per 100 tasks; 0.5 read units for each, per 4 KB.
func (s *Store) TasksByID(ctx context.Context, ids []string) ([]task.Task, error) {
	tasks := make([]task.Task, 0, len(ids))
	for page := range slices.Chunk(ids, maxPage) {
		want := make([]item, len(page))
		for n, id := range page {
			want[n] = taskKey(id)
		}
		items, err := s.fetch(ctx, want)
		if err != nil {
			return nil, err
		}
		for _, i := range items {
			var t task.Task
			if err := getDoc(i, "task", &t); err != nil {
				return nil, err
			}
			tasks = append(tasks, t)
		}
	}
	return tasks, nil
}

// TaskFilter narrows a list of tasks; zero values do not.
type TaskFilter struct {
	Status task.Status
	Kind   generation.Kind
}

func (f TaskFilter) matches(t task.Task) bool {
	return (f.Status == "" || t.Status == f.Status) && (f.Kind == "" || t.Kind == f.Kind)
}

// TasksByAccount returns a page of an account's tasks, newest first, and the
// cursor of the next page, "" when there is none. limit is 1 to 100, 0 means 20.
// A page may hold fewer tasks than limit, even none, although more follow: a
// filtered page looks at 500 tasks at most. The list may lag behind a write by
// about a second; the tasks in it are as they are now. A bad cursor is an
// InvalidInput error.
//
// Access: one Query on gsi1 with gsi1pk = TASKS#account and gsi1sk < cursor (0.5
// read units per 4 KB; a row is about 200 bytes), then one BatchGetItem
// of the page's tasks (0.5 units per 4 KB of each).
func (s *Store) TasksByAccount(ctx context.Context, account string, filter TaskFilter, cursor string, limit int) ([]task.Task, string, error) {
	limit = pageSize(limit)
	page := list{
		table: s.core(), index: env.ListIndex, partition: env.ListPartitionKey, sort: env.ListSortKey,
		of: tasksOf(account), limit: limit,
	}
	if filter != (TaskFilter{}) {
		page.scan = maxFilteredRow
		page.filter(attrStatus, string(filter.Status))
		page.filter(attrKind, string(filter.Kind))
	}
	rows, next, err := s.list(ctx, page, cursor)
	if err != nil {
		return nil, "", err
	}
	items, err := s.fetch(ctx, rows)
	if err != nil {
		return nil, "", err
	}
	tasks := make([]task.Task, 0, len(items))
	for _, i := range items {
		var t task.Task
		if err := getDoc(i, "task", &t); err != nil {
			return nil, "", err
		}
		if filter.matches(t) { // the index may lag behind
			tasks = append(tasks, t)
		}
	}
	return tasks, next, nil
}

// Due returns the ids of tasks whose DueAt is not after now, the longest overdue
// first, at most limit (1 to 1000; 0 means 100). It may miss what became due or
// list what was done within the last second or so: whoever acts on it reads the
// task first and writes against its version.
//
// Access: eight Queries at the same time, on gsi2 with gsi2pk = OPEN#0..7 and
// gsi2sk <= now; each 0.5 read units per 4 KB, 40 tasks or so. Nothing due costs
// 4 units in all, however many tasks there are.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	if limit <= 0 {
		limit = maxPage
	}
	limit = min(limit, maxDue)
	ids, err := s.due(ctx, "OPEN#", openShards, taskPrefix, now, limit)
	return ids, translate("list due tasks", err)
}

// due returns what is in the shards of gsi2 and not due after now, the longest
// overdue first, at most limit: the partition keys without their prefix.
func (s *Store) due(ctx context.Context, of string, shards int, prefix string, now time.Time, limit int) ([]string, error) {
	rows, err := gather(shards, func(shard int) ([]item, error) {
		out, err := s.db.Query(ctx, &dynamodb.QueryInput{
			TableName: s.core(), IndexName: aws.String(env.OpenIndex),
			KeyConditionExpression:    aws.String("#gsi2pk = :shard AND #gsi2sk <= :now"),
			ExpressionAttributeNames:  names(env.OpenPartitionKey, env.OpenSortKey),
			ExpressionAttributeValues: item{":shard": text(of + strconv.Itoa(shard)), ":now": text(stamp(now))},
			Limit:                     aws.Int32(int32(limit)), //nolint:gosec // at most maxDue
		}, s.call)
		if err != nil {
			return nil, err
		}
		return out.Items, nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b item) int {
		return cmp.Or(
			strings.Compare(textOf(a, env.OpenSortKey), textOf(b, env.OpenSortKey)),
			strings.Compare(textOf(a, env.PartitionKey), textOf(b, env.PartitionKey)))
	})
	ids := make([]string, 0, min(limit, len(rows)))
	for _, row := range rows[:min(limit, len(rows))] {
		ids = append(ids, strings.TrimPrefix(textOf(row, env.PartitionKey), prefix))
	}
	return ids, nil
}
