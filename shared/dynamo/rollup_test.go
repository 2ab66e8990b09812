package dynamo_test

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"easel/shared/dynamo"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/stats"
	"easel/shared/task"
	"easel/shared/usage"
)

// endedTask is a task that succeeded at its second attempt.
func endedTask(n int, at time.Time) task.Task {
	t := newTask("task_" + strconv.Itoa(n))
	t.Account, t.Model, t.Status, t.Charged = "acct_"+strconv.Itoa(n%3), "flux-dev", task.Succeeded, 10
	t.CreatedAt, t.FinishedAt = at.Add(-2*time.Second), at
	t.Attempts = []task.Attempt{
		{No: 1, ID: "a", Config: "cfg_a", Provider: "openai", Outcome: task.Rejected, Class: fault.ClassRateLimited},
		{
			No: 2, ID: "b", Config: "cfg_b", Provider: "replicate", Outcome: task.Delivered, LatencyMS: 1500,
			Usage: generation.Usage{Images: 1, CostMicroUSD: 25_000},
		},
	}
	return t
}

func write(ctx context.Context, t *testing.T, s *dynamo.Store, one task.Task) {
	t.Helper()
	record := usage.Of(one)
	if err := s.Apply(ctx, journal.Change{Task: one, Usage: &record}); err != nil {
		t.Fatal(err)
	}
}

func rollAll(ctx context.Context, t *testing.T, s *dynamo.Store) int {
	t.Helper()
	total := 0
	for range 1000 {
		n, err := s.Rollup(ctx, 8000)
		if err != nil {
			t.Fatal(err)
		}
		total += n
		if n == 0 {
			return total
		}
	}
	t.Fatal("rolling up does not end")
	return 0
}

func report(t *testing.T, s stats.Source, q stats.Query) stats.Report {
	t.Helper()
	if q.Bucket == "" {
		q.Bucket = stats.Hour
	}
	if q.From.IsZero() {
		q.From, q.To = stats.Align(epoch(), epoch().Add(24*time.Hour), q.Bucket)
	}
	r, err := stats.Build(t.Context(), s, q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRecordsAreCountedOnceAndByEveryDimension(t *testing.T) {
	t.Parallel()
	s := newStore(t, dynamo.Options{})
	const n = 60
	for i := range n {
		write(t.Context(), t, s, endedTask(i, epoch().Add(time.Duration(i)*7*time.Minute)))
	}
	if done := rollAll(t.Context(), t, s); done != n {
		t.Errorf("%d records were rolled up, want %d", done, n)
	}
	for _, b := range []stats.Bucket{stats.Hour, stats.Day} {
		r := report(t, s, stats.Query{Bucket: b})
		if r.Totals.Calls != n || r.Totals.Succeeded != n || r.Totals.Credits != 10*n || r.Totals.CostMicroUSD != 25_000*n {
			t.Errorf("by %s the totals are %+v", b, r.Totals)
		}
		if len(r.Totals.Errors) != 1 || r.Totals.Errors[0] != (stats.ErrorCount{Class: fault.ClassRateLimited, Count: n}) {
			t.Errorf("by %s the errors are %+v", b, r.Totals.Errors)
		}
	}
	byConfig := report(t, s, stats.Query{By: stats.ByConfig})
	if byConfig.Totals.Calls != 2*n || len(byConfig.Groups) != 2 || byConfig.Groups[0].Failed != n || byConfig.Groups[1].Succeeded != n {
		t.Errorf("by config: %+v", byConfig.Groups)
	}
	byAccount := report(t, s, stats.Query{By: stats.ByAccount})
	if len(byAccount.Groups) != 3 || byAccount.Groups[0].Calls != n/3 {
		t.Errorf("by account: %+v", byAccount.Groups)
	}
	one := report(t, s, stats.Query{Filter: stats.ByAccount, Key: "acct_1"})
	if one.Totals.Calls != n/3 || one.Totals.Latency == nil || one.Totals.Latency.MeanMS != 2000 {
		t.Errorf("of one account: %+v", one.Totals)
	}
	if p := one.Totals.Latency.P95MS; p < 1820 || p > 2180 {
		t.Errorf("p95 = %d, want 2000 to within 9%%", p)
	}
	charged, err := s.MonthCharges(t.Context(), []string{"acct_0", "acct_1", "acct_none"}, epoch())
	must(t, err)
	if !reflect.DeepEqual(charged, map[string]int64{"acct_0": 10 * n / 3, "acct_1": 10 * n / 3}) {
		t.Errorf("charges of the month: %v", charged)
	}
}

func TestALateChangeCorrectsTheTotals(t *testing.T) {
	t.Parallel()
	s := newStore(t, dynamo.Options{})
	one := endedTask(1, epoch().Add(time.Minute))
	one.Status, one.Charged, one.Attempts = task.Expired, 0, one.Attempts[:1]
	write(t.Context(), t, s, one)
	rollAll(t.Context(), t, s)
	if r := report(t, s, stats.Query{}); r.Totals.Failed != 1 || r.Totals.Succeeded != 0 {
		t.Fatalf("before: %+v", r.Totals)
	}
	late := endedTask(1, epoch().Add(3*time.Hour))
	late.Version, late.CreatedAt = 2, one.CreatedAt
	write(t.Context(), t, s, late)
	rollAll(t.Context(), t, s)
	r := report(t, s, stats.Query{})
	if r.Totals.Calls != 1 || r.Totals.Failed != 0 || r.Totals.Succeeded != 1 || r.Totals.Credits != 10 || r.Buckets[0].Calls != 0 {
		t.Errorf("after: %+v", r.Totals)
	}
	late.Version = 3 // a write that changes nothing that is counted
	write(t.Context(), t, s, late)
	if n := rollAll(t.Context(), t, s); n != 1 {
		t.Errorf("%d records were looked at, want 1", n)
	}
	if again := report(t, s, stats.Query{}); !reflect.DeepEqual(again, r) {
		t.Errorf("counting again changed %+v to %+v", r.Totals, again.Totals)
	}
}

func TestManyWorkersCountEachRecordOnce(t *testing.T) {
	t.Parallel()
	s := newStore(t, dynamo.Options{})
	const n = 80
	for i := range n {
		write(t.Context(), t, s, endedTask(i, epoch().Add(time.Minute)))
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 3 {
				_, _ = s.Rollup(t.Context(), 50) // one that loses a race may say that the store is busy
			}
		})
	}
	group.Wait()
	rollAll(t.Context(), t, s)
	if r := report(t, s, stats.Query{}); r.Totals.Calls != n || r.Totals.Credits != 10*n {
		t.Errorf("%d records count as %+v", n, r.Totals)
	}
}

func TestACrashBetweenTransactionsCountsNothingTwice(t *testing.T) {
	t.Parallel()
	s := newStore(t, dynamo.Options{})
	const n = 30
	for i := range n {
		write(t.Context(), t, s, endedTask(i, epoch().Add(time.Duration(i)*time.Hour)))
	}
	for range 100 { // every run dies after a few records
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Millisecond)
		_, _ = s.Rollup(ctx, 7)
		cancel()
	}
	rollAll(t.Context(), t, s)
	from, to := stats.Align(epoch(), epoch().Add(48*time.Hour), stats.Hour)
	if r := report(t, s, stats.Query{From: from, To: to, Bucket: stats.Hour}); r.Totals.Calls != n {
		t.Errorf("%d records count as %d", n, r.Totals.Calls)
	}
}

func TestARecordLargerThanATransactionIsCountedInParts(t *testing.T) {
	t.Parallel()
	s := newStore(t, dynamo.Options{})
	one := endedTask(1, epoch().Add(time.Minute))
	for i := range 40 {
		one.Attempts = append(one.Attempts, task.Attempt{
			No: i + 3, Config: fmt.Sprint("cfg_", i), Provider: fmt.Sprint("p", i), Outcome: task.Rejected, Class: fault.ClassConnect,
		})
	}
	write(t.Context(), t, s, one)
	rollAll(t.Context(), t, s)
	r := report(t, s, stats.Query{By: stats.ByConfig})
	if r.Totals.Calls != 42 || report(t, s, stats.Query{}).Totals.Calls != 1 {
		t.Errorf("42 attempts count as %d", r.Totals.Calls)
	}
}

// TestReportsCostTheSameForAnyNumberOfRecords compares 50 records with 600, and
// with EASEL_MILLION=1 with a million, which are loaded in batches; any larger
// EASEL_MILLION is the number itself.
func TestReportsCostTheSameForAnyNumberOfRecords(t *testing.T) {
	t.Parallel()
	few, many := 50, 600
	//nolint:forbidigo // a test has no main to read the environment
	if n, err := strconv.Atoi(os.Getenv("EASEL_MILLION")); err == nil {
		few, many = 1000, n
		if n == 1 {
			many = 1_000_000
		}
	}
	reads := func(n int) (calls map[string]int) {
		counter := &dynamo.Counter{}
		options := dynamo.Options{Counter: counter}
		s, client, prefix := bulkStore(t, &options)
		load(t, s, client, prefix, n)
		counter.Reset()
		window, to := stats.Align(epoch(), epoch().Add(24*time.Hour), stats.Hour)
		for _, q := range []stats.Query{
			{}, {By: stats.ByProvider}, {By: stats.ByModel, Kind: generation.Image}, {By: stats.ByAccount}, {Filter: stats.ByConfig, Key: "cfg_b"},
		} {
			q.From, q.To, q.Bucket = window, to, stats.Hour
			if r := report(t, s, q); r.Totals.Calls < int64(n) && q.Key == "" {
				t.Errorf("%d records count as %d", n, r.Totals.Calls)
			}
		}
		return counter.Calls()
	}
	if a, b := reads(few), reads(many); !reflect.DeepEqual(a, b) {
		t.Errorf("%d records cost %v, %d records cost %v", few, a, many, b)
	}
}

func bulkStore(t *testing.T, options *dynamo.Options) (*dynamo.Store, *dynamodb.Client, string) {
	t.Helper()
	client := newClient(t)
	s := newStore(t, *options)
	states, err := s.DescribeTables(t.Context())
	must(t, err)
	return s, client, states[2].Name
}

// load writes n records over a day and rolls them up. Up to some thousands go
// through Apply; more are copies of a record's item, marker included.
func load(t *testing.T, s *dynamo.Store, client *dynamodb.Client, table string, n int) {
	t.Helper()
	step := 24 * time.Hour / time.Duration(n)
	at := func(i int) time.Time { return epoch().Add(time.Duration(i) * step) }
	if n <= 5000 {
		var group sync.WaitGroup
		for worker := range 8 {
			group.Go(func() {
				for i := worker; i < n; i += 8 {
					write(t.Context(), t, s, endedTask(i, at(i)))
				}
			})
		}
		group.Wait()
		rollAll(t.Context(), t, s)
		return
	}
	const chunk = 20_000
	for from := 0; from < n; from += chunk {
		begun := time.Now()
		var group sync.WaitGroup
		for worker := range 4 {
			group.Go(func() {
				for i := from + 25*worker; i < min(n, from+chunk); i += 100 {
					loadBatch(t, client, table, i, min(n, i+25), at)
				}
			})
		}
		group.Wait()
		loaded := time.Now()
		if done, want := rollAll(t.Context(), t, s), min(n, from+chunk)-from; done != want {
			t.Fatalf("%d of %d records were rolled up", done, want)
		}
		if r := report(t, s, stats.Query{}); r.Totals.Calls != int64(min(n, from+chunk)) {
			for _, b := range r.Buckets {
				t.Logf("%v: %d calls", b.At, b.Calls)
			}
			t.Fatalf("%d records count as %d", min(n, from+chunk), r.Totals.Calls)
		}
		t.Logf("%d records: %v to load, %v to roll up", min(n, from+chunk), loaded.Sub(begun), time.Since(loaded))
	}
}

func loadBatch(t *testing.T, client *dynamodb.Client, table string, from, to int, at func(int) time.Time) {
	t.Helper()
	var requests []types.WriteRequest
	for k := from; k < to; k++ {
		row, err := dynamo.UncountedItem(usage.Of(endedTask(k, at(k))))
		if err != nil {
			t.Error(err)
			return
		}
		requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: row}})
	}
	out, err := client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: requests}})
	if err != nil || len(out.UnprocessedItems) > 0 {
		t.Errorf("%d tables have items that were not written, %v", len(out.UnprocessedItems), err)
	}
}
