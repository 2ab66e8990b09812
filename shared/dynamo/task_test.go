package dynamo_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/dynamo"
	"easel/shared/env"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/task"
)

func TestTablesAreMadeOnce(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	must(t, store.Apply(t.Context(), journal.Change{Task: newTask("task_1")}))
	must(t, store.CreateTables(t.Context()))
	if _, err := store.Task(t.Context(), "task_1"); err != nil {
		t.Errorf("the second call lost what was there: %v", err)
	}
	states, err := store.DescribeTables(t.Context())
	must(t, err)
	for i, table := range env.Tables() {
		if s := states[i]; s.Status != "ACTIVE" || s.TTL != "ttl" || len(s.Indexes) != len(table.Indexes) {
			t.Errorf("got %+v", s)
		}
	}
}

func TestMissingTablesAreDescribed(t *testing.T) {
	t.Parallel()
	states, err := dynamo.New(newClient(t), dynamo.Options{Prefix: "nowhere-"}).DescribeTables(t.Context())
	must(t, err)
	if len(states) != 3 || states[0].Name != "nowhere-core" || states[0].Status != "MISSING" {
		t.Errorf("got %+v", states)
	}
}

func TestTasksByAccount(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	var images, failed []string
	all := make([]string, 0, 23)
	for i := range 23 {
		one := newTask(fmt.Sprintf("task_%02d", i))
		one.CreatedAt = epoch().Add(time.Duration(i/2) * time.Millisecond) // pairs at the same moment
		all = append(all, one.ID)
		if i%3 == 0 {
			one.Kind = generation.Video
		} else {
			images = append(images, one.ID)
		}
		must(t, store.Apply(t.Context(), journal.Change{Task: one}))
		if i%4 == 0 {
			one.Status, one.Version = task.Failed, 2
			must(t, store.Apply(t.Context(), journal.Change{Task: one}))
			failed = append(failed, one.ID)
		}
	}
	other := newTask("task_other")
	other.Account = "acct_2"
	must(t, store.Apply(t.Context(), journal.Change{Task: other}))

	for _, test := range []struct {
		filter dynamo.TaskFilter
		want   []string
	}{
		{dynamo.TaskFilter{}, all},
		{dynamo.TaskFilter{Kind: generation.Image}, images},
		{dynamo.TaskFilter{Status: task.Failed}, failed},
		{dynamo.TaskFilter{Status: task.Canceled}, nil},
	} {
		for _, limit := range []int{1, 5, 23, 100} {
			got := pages(t, limit, func(cursor string, limit int) ([]task.Task, string, error) {
				return store.TasksByAccount(t.Context(), "acct_1", test.filter, cursor, limit)
			})
			want := slices.Clone(test.want)
			slices.Reverse(want)
			wantIDs(t, got, func(one task.Task) string { return one.ID }, want...)
		}
	}
}

func TestAForgedCursorReachesNoOtherAccount(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	for i, account := range []string{"acct_1", "acct_2", "acct_2"} {
		one := newTask(fmt.Sprintf("task_%d", i))
		one.Account = account
		must(t, store.Apply(t.Context(), journal.Change{Task: one}))
	}
	_, cursor, err := store.TasksByAccount(t.Context(), "acct_2", dynamo.TaskFilter{}, "", 1)
	must(t, err)
	tasks, _, err := store.TasksByAccount(t.Context(), "acct_1", dynamo.TaskFilter{}, cursor, 10)
	must(t, err)
	wantIDs(t, tasks, func(one task.Task) string { return one.ID }, "task_0")
	for _, bad := range []string{"!", "AAAA", cursor + "!", base64.RawURLEncoding.EncodeToString([]byte("2026-13-22T12:00:00.000000000Z#x"))} {
		_, _, err := store.TasksByAccount(t.Context(), "acct_1", dynamo.TaskFilter{}, bad, 10)
		wantCode(t, err, fault.InvalidInput)
	}
}

func TestATaskThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	store := newStore(t, dynamo.Options{})
	noise := make([]byte, 500<<10)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	one := newTask("task_1")
	one.Request.Image = "data:image/png;base64," + base64.StdEncoding.EncodeToString(noise)
	wantCode(t, store.Apply(t.Context(), journal.Change{Task: one}), fault.TooLarge)
	one.Request.Image = one.Request.Image[:400<<10]
	must(t, store.Apply(t.Context(), journal.Change{Task: one}))
	if got, err := store.Task(t.Context(), "task_1"); err != nil || got.Request.Image != one.Request.Image {
		t.Errorf("a long task did not come back: %v", err)
	}
}

func TestAnEndedTaskLeavesTheOpenIndexAndAges(t *testing.T) {
	t.Parallel()
	client := newClient(t)
	store := newStore(t, dynamo.Options{TaskTTL: time.Hour})
	states, err := store.DescribeTables(t.Context())
	must(t, err)
	read := func() map[string]types.AttributeValue {
		out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String(states[0].Name), Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "TASK#task_1"}, "sk": &types.AttributeValueMemberS{Value: "TASK"},
		}})
		must(t, err)
		return out.Item
	}
	one := newTask("task_1")
	must(t, store.Apply(t.Context(), journal.Change{Task: one}))
	if row := read(); row["gsi2pk"] == nil || row["ttl"] != nil {
		t.Errorf("a due task has gsi2pk %v and ttl %v", row["gsi2pk"], row["ttl"])
	}
	one.Status, one.Version, one.DueAt = task.Succeeded, 2, time.Time{}
	must(t, store.Apply(t.Context(), journal.Change{Task: one}))
	row := read()
	ttl, _ := row["ttl"].(*types.AttributeValueMemberN)
	if row["gsi2pk"] != nil || row["gsi2sk"] != nil || ttl == nil || ttl.Value != strconv.FormatInt(epoch().Add(time.Hour).Unix(), 10) {
		t.Errorf("an ended task has gsi2pk %v and ttl %+v", row["gsi2pk"], ttl)
	}
}
