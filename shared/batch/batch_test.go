package batch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"easel/shared/generation"
	"easel/shared/task"
)

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// of is an open batch whose items have the statuses.
func of(statuses ...ItemStatus) Batch {
	b := Batch{ID: "batch_1", Status: Processing, ExpiresAt: noon().Add(time.Hour)}
	for _, s := range statuses {
		b.Items = append(b.Items, Item{Status: s})
	}
	return b
}

func TestATaskIDFollowsFromItsPlace(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, id := range []string{"batch_1", "batch_11", "batch_1/1"} {
		for n := range 200 {
			got, where := TaskID(id, n), fmt.Sprint(id, " ", n)
			if before, taken := seen[got]; taken || !strings.HasPrefix(got, "task_") || len(got) != 37 || got != TaskID(id, n) {
				t.Fatalf("%s has the task %s, which %q has", where, got, before)
			}
			seen[got] = where
		}
	}
}

func TestCountsAreThoseThatCallersSee(t *testing.T) {
	t.Parallel()
	b := of(ItemQueued, ItemStarting, ItemOpen, ItemSucceeded, ItemFailed, ItemCanceled, ItemExpired, ItemRefused, ItemSucceeded)
	if got, want := b.Counts(), (Counts{2, 1, 2, 1, 1, 1, 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, i := range b.Items {
		if !slices.Contains(ItemStatuses(), i.Shown()) {
			t.Errorf("callers see %s", i.Shown())
		}
		if open := i.Status == ItemQueued || i.Status == ItemStarting || i.Status == ItemOpen; i.Status.Ended() == open {
			t.Errorf("%s ended: %v", i.Status, i.Status.Ended())
		}
	}
	b.Items[3].Charged, b.Items[8].Charged = 7, 5
	if b.Charged() != 12 {
		t.Errorf("charged are %d", b.Charged())
	}
}

func TestAnItemFollowsItsTask(t *testing.T) {
	t.Parallel()
	reason := &task.Error{Code: "x", Message: "why"}
	for name, c := range map[string]struct {
		task task.Task
		want Item
	}{
		"queued":    {task.Task{Status: task.Queued}, Item{Status: ItemOpen, Begun: true, Tries: 2}},
		"at work":   {task.Task{Status: task.Processing}, Item{Status: ItemOpen, Begun: true, Tries: 2}},
		"succeeded": {task.Task{Status: task.Succeeded, Charged: 7}, Item{Status: ItemSucceeded, Begun: true, Tries: 2, Charged: 7}},
		"failed":    {task.Task{Status: task.Failed, Error: reason}, Item{Status: ItemFailed, Begun: true, Tries: 2, Error: reason}},
		"moderated": {task.Task{Status: task.Failed, Error: reason, Charged: 7}, Item{Status: ItemFailed, Begun: true, Tries: 2, Error: reason, Charged: 7}},
		"canceled":  {task.Task{Status: task.Canceled, Error: reason, LateUntil: noon()}, Item{Status: ItemCanceled, Begun: true, Tries: 2, Error: reason}},
		"expired":   {task.Task{Status: task.Expired, Error: reason}, Item{Status: ItemExpired, Begun: true, Tries: 2, Error: reason}},
		"expired, and may come late": {
			task.Task{Status: task.Expired, Error: reason, LateUntil: noon()}, Item{Status: ItemOpen, Begun: true, Tries: 2},
		},
	} {
		if got := (Item{Status: ItemStarting, Doubtful: true, Tries: 2}).with(c.task); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestTheNextRequestsFitTheWindow(t *testing.T) {
	t.Parallel()
	all := func(s ItemStatus, n int) []ItemStatus { return slices.Repeat([]ItemStatus{s}, n) }
	for name, c := range map[string]struct {
		statuses []ItemStatus
		places   int
		want     int
	}{
		"an empty window":          {all(ItemQueued, 50), 0, Window},
		"few requests":             {all(ItemQueued, 3), 0, 3},
		"a window half full":       {append(all(ItemOpen, 12), all(ItemQueued, 50)...), 0, Window - 12},
		"a full window":            {append(all(ItemOpen, Window), all(ItemQueued, 50)...), 0, 0},
		"more than full":           {append(all(ItemOpen, Window+3), all(ItemQueued, 50)...), 0, 0},
		"ended ones take no place": {append(all(ItemSucceeded, 90), all(ItemQueued, 50)...), 0, Window},
		"half of a key's places":   {all(ItemQueued, 50), 8, 4},
		"a key with one place":     {all(ItemQueued, 50), 1, 1},
		"a key with many":          {all(ItemQueued, 50), 1000, Window},
	} {
		b := of(c.statuses...)
		b.KeyPlaces = c.places
		if got := b.choose(noon()); len(got) != c.want {
			t.Errorf("%s: %d are chosen, want %d", name, len(got), c.want)
		}
	}
}

func TestWhatFailedToBeginWaitsForTheOthers(t *testing.T) {
	t.Parallel()
	b := of(ItemQueued, ItemQueued, ItemQueued, ItemQueued)
	b.Items[0].Tries, b.Items[2].Tries, b.KeyPlaces = 2, 1, 8
	if got := b.choose(noon()); fmt.Sprint(got) != "[1 3 2 0]" {
		t.Errorf("the order is %v", got)
	}
}

func TestABatchThatStopsEndsOnlyWhatNobodyCanHaveBegun(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(b *Batch){
		"canceled": func(b *Batch) { b.CancelAt = noon() },
		"expired":  func(b *Batch) { b.ExpiresAt = noon() },
	} {
		b := of(ItemQueued, ItemStarting, ItemOpen, ItemSucceeded, ItemQueued)
		b.Items[4].Doubtful = true
		if b.drop(noon()); b.Items[0].Status != ItemQueued {
			t.Fatalf("%s: a batch that goes on ends %+v", name, b.Items[0])
		}
		stop(&b)
		b.drop(noon())
		statuses := make([]string, len(b.Items))
		for n, i := range b.Items {
			statuses[n] = string(i.Status)
		}
		if got, want := strings.Join(statuses, " "), name+" starting processing succeeded queued"; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		if got := b.choose(noon()); fmt.Sprint(got) != "[4]" {
			t.Errorf("%s: what is in doubt is %v, want [4]", name, got)
		}
		b.recover()
		if i := b.Items[1]; i.Status != ItemQueued || !i.Doubtful {
			t.Errorf("%s: what a lost process had claimed is %+v", name, i)
		}
	}
}

func TestChunksHoldEveryRequestOnce(t *testing.T) {
	t.Parallel()
	request := func(n, size int) Request {
		return Request{CustomID: strconv.Itoa(n), Request: generation.Request{Prompt: strings.Repeat("x", size)}}
	}
	sizes := map[string]func(n int) int{
		"short": func(int) int { return 10 },
		"long":  func(int) int { return 40_000 },
		"mixed": func(n int) int { return n * n % 200_000 },
	}
	for name, size := range sizes {
		for _, count := range []int{1, 49, 50, 51, 333, MaxRequests} {
			requests := make([]Request, count)
			for n := range requests {
				requests[n] = request(n, size(n))
			}
			chunks, starts, err := split(requests)
			if err != nil || len(chunks) != len(starts) {
				t.Fatal(err)
			}
			b := Batch{Chunks: starts}
			for n := range requests {
				if chunk, at := b.Chunk(n); chunks[chunk][at].CustomID != strconv.Itoa(n) {
					t.Fatalf("%s: request %d of %d is not at %d of chunk %d", name, n, count, at, chunk)
				}
			}
			for n, chunk := range chunks {
				bytes := 0
				for _, r := range chunk {
					one, err := r.Size()
					if err != nil {
						t.Fatal(err)
					}
					bytes += one + 1
				}
				if len(chunk) == 0 || len(chunk) > chunkRequests || bytes > chunkBytes+1 {
					t.Errorf("%s: chunk %d has %d requests and %d bytes", name, n, len(chunk), bytes)
				}
			}
		}
	}
}

func TestAMessageIsMeantForOneVersion(t *testing.T) {
	t.Parallel()
	b := Batch{Version: 7, DueAt: noon()}
	for name, c := range map[string]struct {
		version int64
		now     time.Time
		want    bool
	}{
		"its version":             {7, noon().Add(-time.Hour), true},
		"an older one":            {6, noon().Add(time.Hour), false},
		"the sweep's, when due":   {0, noon(), true},
		"the sweep's, before due": {0, noon().Add(-1), false},
	} {
		if got := b.meant(Message{Version: c.version}, c.now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if (Batch{Version: 7}).meant(Message{}, noon()) {
		t.Error("a batch that needs nothing is swept")
	}
}

func TestThePauseGrowsWhileNothingHappens(t *testing.T) {
	t.Parallel()
	b := of(ItemOpen)
	total, last := time.Duration(0), time.Duration(0)
	for range 70 {
		pause := b.plan(work{}, noon())
		if pause < last || pause > longestPause || !b.DueAt.Equal(noon().Add(pause+slack)) {
			t.Fatalf("after %v the pause is %v, due at %v", last, pause, b.DueAt)
		}
		total, last = total+pause, pause
	}
	if last != longestPause || total < 20*time.Minute {
		t.Errorf("the last pause is %v, all together %v", last, total)
	}
	if pause := b.plan(work{moved: true}, noon()); pause != time.Second || b.Quiet != 0 {
		t.Errorf("after something ended the pause is %v", pause)
	}
	b.Items = append(b.Items, Item{Status: ItemQueued})
	if pause := b.plan(work{moved: true}, noon()); pause != 0 {
		t.Errorf("with more to begin the pause is %v", pause)
	}
	if pause := b.plan(work{moved: true, failed: 1}, noon()); pause < time.Second {
		t.Errorf("after a failure the pause is %v", pause)
	}
}

func TestErrorsAreKeptShort(t *testing.T) {
	t.Parallel()
	if got := clip("short"); got != "short" {
		t.Errorf("got %q", got)
	}
	if got := clip(strings.Repeat("é", 500)); len(got) > maxMessage+len("…") || !utf8.ValidString(got) || !strings.HasSuffix(got, "é…") {
		t.Errorf("got %d bytes: %q", len(got), got)
	}
}
