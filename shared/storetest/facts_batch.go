package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"easel/shared/batch"
	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/generation"
	"easel/shared/journal"
	"easel/shared/task"
)

// RunBatches holds a store to what [Batches] says, as [Run] does for tasks.
func RunBatches(t *testing.T, open func(t *testing.T) Batches) {
	t.Helper()
	for _, fact := range []struct {
		name  string
		check func(t *testing.T, s Batches)
	}{
		{"a batch comes back as it was written", batchRoundTrip},
		{"requests come back by their chunks, names all at once", batchParts},
		{"a thousand long requests fit", batchLarge},
		{"a batch that nobody wrote is not found", batchMissing},
		{"a version of a batch replaces only the one before", batchFence},
		{"of two writers of a batch's version exactly one wins", batchOneWriter},
		{"an id is used once", batchOnce},
		{"an idempotency key finds its first batch", batchKey},
		{"an expired idempotency key of a batch is free again", batchExpiredKey},
		{"an idempotency key is a task's or a batch's", batchKeyOfTask},
		{"an account has so many open batches and no more", batchPlaces},
		{"batches at once share the account's places exactly", batchAtOnce},
		{"a batch that ends gives its place back once", batchCloses},
		{"due batches come in order and within the limit", batchDue},
		{"a batch that needs nothing is not due", batchRests},
		{"an account's batches page from newest to oldest", batchPages},
	} {
		t.Run(fact.name, func(t *testing.T) {
			t.Parallel()
			fact.check(t, open(t))
		})
	}
}

// newCreation is a batch of three requests in two chunks.
func newCreation(id string) batch.Creation {
	request := func(name string) batch.Request {
		return batch.Request{
			CustomID: name, User: "user#1", Request: generation.Request{Kind: generation.Image, Model: "auto", Prompt: "a lighthouse"},
			Metadata: map[string]string{"order": "7"}, CallbackURL: "https://example.com/one",
			Quote: catalog.Quote{Credits: 10, Lines: []task.PriceLine{{What: "image", Quantity: 1, Credits: 10}}},
		}
	}
	return batch.Creation{
		Batch: batch.Batch{
			ID: id, Account: account, KeyID: "key_1", KeyPlaces: 4, Status: batch.Queued, Named: true, Quoted: 30,
			Items:  []batch.Item{{Status: batch.ItemQueued}, {Status: batch.ItemQueued}, {Status: batch.ItemQueued}},
			Chunks: []int{0, 2}, Metadata: map[string]string{"a": "b"}, CallbackURL: "https://example.com/hook",
			CreatedAt: epoch(), UpdatedAt: epoch(), ExpiresAt: epoch().Add(batch.Deadline), DueAt: epoch(), Version: 1,
		},
		Chunks: [][]batch.Request{{request("first"), request("")}, {request("third")}},
	}
}

func createBatch(t *testing.T, s Batches, ids ...string) {
	t.Helper()
	for _, id := range ids {
		must(t, s.CreateBatch(t.Context(), newCreation(id)))
	}
}

// moved is the batch's next version.
func moved(b batch.Batch, change func(b *batch.Batch)) batch.Change {
	b.Items = append([]batch.Item(nil), b.Items...)
	change(&b)
	b.Version++
	return batch.Change{Batch: b}
}

func wantBatch(t *testing.T, s Batches, want batch.Batch) {
	t.Helper()
	got, err := s.Batch(t.Context(), want.ID)
	must(t, err)
	if a, b := asJSON(t, got), asJSON(t, want); a != b {
		t.Fatalf("got the batch\n%s\nwant\n%s", a, b)
	}
}

func batchRoundTrip(t *testing.T, s Batches) {
	c := newCreation("batch_1")
	must(t, s.CreateBatch(t.Context(), c))
	wantBatch(t, s, c.Batch)
	next := moved(c.Batch, func(b *batch.Batch) {
		b.Status, b.StartedAt, b.CancelAt, b.Quiet = batch.Canceling, epoch(), epoch(), 3
		b.Lease = task.Lease{Owner: "worker", Until: epoch().Add(time.Minute)}
		b.Items[0] = batch.Item{Status: batch.ItemSucceeded, Begun: true, Charged: 10}
		b.Items[1] = batch.Item{Status: batch.ItemRefused, Tries: 2, Error: &task.Error{Code: fault.InsufficientCredits, Message: "no"}}
		b.Items[2] = batch.Item{Status: batch.ItemStarting, Doubtful: true}
		b.Delivery = task.Delivery{Tries: 1, Log: []task.Try{{At: epoch(), Status: 500}}}
	})
	must(t, s.PutBatch(t.Context(), next))
	wantBatch(t, s, next.Batch)
}

func batchParts(t *testing.T, s Batches) {
	c := newCreation("batch_1")
	must(t, s.CreateBatch(t.Context(), c))
	for n, want := range c.Chunks {
		got, err := s.BatchRequests(t.Context(), "batch_1", n)
		must(t, err)
		if a, b := asJSON(t, got), asJSON(t, want); a != b {
			t.Errorf("chunk %d is\n%s\nwant\n%s", n, a, b)
		}
	}
	if _, err := s.BatchRequests(t.Context(), "batch_1", len(c.Chunks)); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("the chunk after the last: %v", err)
	}
	names, err := s.BatchNames(t.Context(), "batch_1")
	must(t, err)
	if strings.Join(names, ",") != "first,,third" {
		t.Errorf("got the names %q", names)
	}
	unnamed := newCreation("batch_2")
	unnamed.Batch.Named = false
	must(t, s.CreateBatch(t.Context(), unnamed))
	if names, err = s.BatchNames(t.Context(), "batch_2"); err != nil || names != nil {
		t.Errorf("a batch without names has %q, %v", names, err)
	}
}

func batchLarge(t *testing.T, s Batches) {
	c := newCreation("batch_1")
	c.Chunks, c.Batch.Items, c.Batch.Chunks = nil, nil, nil
	for chunk := range 20 {
		requests := make([]batch.Request, 50)
		for n := range requests {
			requests[n] = batch.Request{
				CustomID: strings.Repeat("n", 50) + name("", 50*chunk+n), Request: generation.Request{Prompt: strings.Repeat(name("word", n), 400)},
			}
			c.Batch.Items = append(c.Batch.Items, batch.Item{
				Status: batch.ItemRefused, Error: &task.Error{Code: fault.InvalidInput, Message: strings.Repeat(name("why", n), 25)},
			})
		}
		c.Chunks, c.Batch.Chunks = append(c.Chunks, requests), append(c.Batch.Chunks, 50*chunk)
	}
	must(t, s.CreateBatch(t.Context(), c))
	wantBatch(t, s, c.Batch)
	last, err := s.BatchRequests(t.Context(), "batch_1", 19)
	must(t, err)
	if asJSON(t, last) != asJSON(t, c.Chunks[19]) {
		t.Error("the last chunk came back different")
	}
	if names, err := s.BatchNames(t.Context(), "batch_1"); err != nil || len(names) != batch.MaxRequests {
		t.Errorf("%d names, %v", len(names), err)
	}
}

func batchMissing(t *testing.T, s Batches) {
	_, err := s.Batch(t.Context(), "batch_nobody")
	wantError(t, err, journal.ErrNotFound)
	wantError(t, s.PutBatch(t.Context(), moved(newCreation("batch_nobody").Batch, func(*batch.Batch) {})), journal.ErrStale)
}

func batchFence(t *testing.T, s Batches) {
	createBatch(t, s, "batch_1")
	first := newCreation("batch_1").Batch
	second := moved(first, func(b *batch.Batch) { b.Quiet = 1 })
	third := moved(second.Batch, func(b *batch.Batch) { b.Quiet = 2 })
	wantError(t, s.PutBatch(t.Context(), third), journal.ErrStale)
	wantBatch(t, s, first)
	must(t, s.PutBatch(t.Context(), second))
	wantError(t, s.PutBatch(t.Context(), moved(first, func(b *batch.Batch) { b.Quiet = 9 })), journal.ErrStale)
	must(t, s.PutBatch(t.Context(), third))
	wantBatch(t, s, third.Batch)
}

func batchOneWriter(t *testing.T, s Batches) {
	createBatch(t, s, "batch_1")
	errs := atOnce(8, func(i int) error {
		return s.PutBatch(t.Context(), moved(newCreation("batch_1").Batch, func(b *batch.Batch) { b.Quiet = i }))
	})
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, journal.ErrStale) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d writers won, want 1", won)
	}
}

func batchOnce(t *testing.T, s Batches) {
	createBatch(t, s, "batch_1")
	wantError(t, s.CreateBatch(t.Context(), newCreation("batch_1")), journal.ErrStale)
	for range batch.MaxOpen - 1 { // the refused one took no place
		createBatch(t, s, "batch_"+name("x", len(listed(t, s))))
	}
}

func listed(t *testing.T, s Batches) []batch.Batch {
	t.Helper()
	list, _, err := s.BatchesByAccount(t.Context(), account, "", 100)
	must(t, err)
	return list
}

// withKey is a creation with an idempotency key.
func withKey(id string, expires time.Time) batch.Creation {
	c := newCreation(id)
	c.Memory = &journal.Idempotency{Account: account, Key: "key", Hash: "hash of " + id, Task: id, ExpiresAt: expires}
	return c
}

func batchKey(t *testing.T, s Batches) {
	if _, ok, err := s.Remembered(t.Context(), account, "key"); ok || err != nil {
		t.Errorf("a key that nobody used: %v, %v", ok, err)
	}
	first := withKey("batch_1", inAnHour())
	must(t, s.CreateBatch(t.Context(), first))
	memory, ok, err := s.Remembered(t.Context(), account, "key")
	if must(t, err); !ok || memory.Task != "batch_1" || memory.Hash != first.Memory.Hash {
		t.Errorf("remembered is %+v, %v", memory, ok)
	}
	if _, ok, err := s.Remembered(t.Context(), "acct_2", "key"); ok || err != nil {
		t.Errorf("another account's key: %v, %v", ok, err)
	}
	wantDuplicate(t, s.CreateBatch(t.Context(), withKey("batch_2", inAnHour())), *first.Memory)
	wantDuplicate(t, s.CreateBatch(t.Context(), first), *first.Memory)
	if _, err := s.Batch(t.Context(), "batch_2"); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("the refused batch: %v", err)
	}
}

func batchExpiredKey(t *testing.T, s Batches) {
	must(t, s.CreateBatch(t.Context(), withKey("batch_1", time.Now().Add(-time.Minute))))
	if memory, ok, err := s.Remembered(t.Context(), account, "key"); ok || err != nil {
		t.Errorf("remembered is %+v, %v, %v", memory, ok, err)
	}
	must(t, s.CreateBatch(t.Context(), withKey("batch_2", inAnHour())))
}

func batchKeyOfTask(t *testing.T, s Batches) {
	fund(t, s, 100)
	of := beginWith("task_1", "key", inAnHour())
	apply(t.Context(), t, s, of)
	wantDuplicate(t, s.CreateBatch(t.Context(), withKey("batch_1", inAnHour())), *of.Idempotency)
	if memory, ok, err := s.Remembered(t.Context(), account, "key"); !ok || err != nil || memory.Task != "task_1" {
		t.Errorf("remembered is %+v, %v, %v", memory, ok, err)
	}
}

func batchPlaces(t *testing.T, s Batches) {
	for n := range batch.MaxOpen {
		createBatch(t, s, name("batch", n))
	}
	wantError(t, s.CreateBatch(t.Context(), withKey("batch_more", inAnHour())), batch.ErrFull)
	if _, ok, err := s.Remembered(t.Context(), account, "key"); ok || err != nil {
		t.Errorf("a refused batch used its key: %v, %v", ok, err)
	}
	if _, err := s.Batch(t.Context(), "batch_more"); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("a refused batch: %v", err)
	}
	other := newCreation("batch_other")
	other.Batch.Account = "acct_2"
	must(t, s.CreateBatch(t.Context(), other))
}

func batchAtOnce(t *testing.T, s Batches) {
	taken := 0
	for _, err := range atOnce(2*batch.MaxOpen, func(i int) error { return s.CreateBatch(t.Context(), newCreation(name("batch", i))) }) {
		if err == nil {
			taken++
		} else if !errors.Is(err, batch.ErrFull) && fault.CodeOf(err) != fault.Unavailable {
			t.Error(err)
		}
	}
	if list := listed(t, s); taken > batch.MaxOpen || taken == 0 || len(list) != taken {
		t.Errorf("%d were taken, %d are there, %d may be open", taken, len(list), batch.MaxOpen)
	}
}

func batchCloses(t *testing.T, s Batches) {
	for n := range batch.MaxOpen {
		createBatch(t, s, name("batch", n))
	}
	end := moved(newCreation("batch_000").Batch, func(b *batch.Batch) { b.Status, b.DueAt = batch.Completed, time.Time{} })
	end.Closes = true
	must(t, s.PutBatch(t.Context(), end))
	wantBatch(t, s, end.Batch)
	wantError(t, s.PutBatch(t.Context(), end), journal.ErrStale)
	again := moved(end.Batch, func(*batch.Batch) {}) // its report, say
	must(t, s.PutBatch(t.Context(), again))
	createBatch(t, s, "batch_next")
	wantError(t, s.CreateBatch(t.Context(), newCreation("batch_more")), batch.ErrFull)
}

func wantDueBatches(t *testing.T, s Batches, now time.Time, limit int, want ...string) {
	t.Helper()
	got, err := s.DueBatches(t.Context(), now, limit)
	must(t, err)
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Fatalf("got %v due, want %v", got, want)
	}
}

func batchDue(t *testing.T, s Batches) {
	var ids []string
	for n := range batch.MaxOpen {
		c := newCreation(name("batch", n))
		c.Batch.DueAt = epoch().Add(-time.Duration(n) * time.Second)
		must(t, s.CreateBatch(t.Context(), c))
		ids = append([]string{c.Batch.ID}, ids...)
	}
	must(t, s.Apply(t.Context(), journal.Change{Task: newTask("task_1")})) // due, and no batch
	wantDueBatches(t, s, epoch(), 100, ids...)
	wantDueBatches(t, s, epoch(), 3, ids[:3]...)
	wantDueBatches(t, s, epoch().Add(-8*time.Second), 100, ids[:2]...)
	wantDueBatches(t, s, epoch().Add(-time.Minute), 100)
	wantDue(t, s, epoch(), 100, "task_1")
}

func batchRests(t *testing.T, s Batches) {
	createBatch(t, s, "batch_1")
	wantDueBatches(t, s, epoch(), 10, "batch_1")
	later := moved(newCreation("batch_1").Batch, func(b *batch.Batch) { b.DueAt = epoch().Add(time.Minute) })
	must(t, s.PutBatch(t.Context(), later))
	wantDueBatches(t, s, epoch(), 10)
	wantDueBatches(t, s, epoch().Add(time.Minute), 10, "batch_1")
	end := moved(later.Batch, func(b *batch.Batch) { b.Status, b.DueAt = batch.Canceled, time.Time{} })
	end.Closes = true
	must(t, s.PutBatch(t.Context(), end))
	wantDueBatches(t, s, epoch().Add(time.Hour), 10)
}

func batchPages(t *testing.T, s Batches) {
	for n := range 7 {
		c := newCreation(name("batch", n))
		c.Batch.CreatedAt = epoch().Add(time.Duration(n) * time.Second)
		must(t, s.CreateBatch(t.Context(), c))
	}
	other := newCreation("batch_other")
	other.Batch.Account = "acct_2"
	must(t, s.CreateBatch(t.Context(), other))
	var got []string
	cursor := ""
	for range 4 {
		page, next, err := s.BatchesByAccount(t.Context(), account, cursor, 3)
		must(t, err)
		for _, b := range page {
			got = append(got, b.ID)
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	want := "batch_006 batch_005 batch_004 batch_003 batch_002 batch_001 batch_000"
	if strings.Join(got, " ") != want || cursor != "" {
		t.Errorf("got %v, want %s", got, want)
	}
	if _, _, err := s.BatchesByAccount(t.Context(), account, "not a cursor", 3); fault.CodeOf(err) != fault.InvalidInput {
		t.Errorf("a forged cursor: %v", err)
	}
}
