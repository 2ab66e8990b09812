package local_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"easel/cmd/easel/local"
	"easel/shared/batch"
	"easel/shared/env"
	"easel/shared/journal"
)

// batchView is a batch as its caller sees it.
type batchView struct {
	ID      string
	Status  string
	Total   int
	Counts  map[string]int
	Credits struct{ Quoted, Charged int64 }
}

// batchItem is one request of a batch as its caller sees it.
type batchItem struct {
	Index    int
	CustomID string `json:"custom_id"`
	Task     string
	Status   string
	Charged  int64
	Error    struct{ Code string }
}

// batch sends a batch, or asks for one, and returns it.
func (g *gateway) batch(want int, method, path string, body any, headers ...string) batchView {
	g.t.Helper()
	status, answer := g.call(method, "/api/batches"+path, body, headers...)
	if status != want {
		g.t.Fatalf("%s %s answered %d: %s", method, path, status, answer)
	}
	var v batchView
	if status >= http.StatusBadRequest {
		return v
	}
	if err := json.Unmarshal(answer, &v); err != nil {
		g.t.Fatal(err)
	}
	return v
}

// batchEnded reads a batch until it has ended.
func (g *gateway) batchEnded(id string) batchView {
	g.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); <-time.After(50 * time.Millisecond) {
		if v := g.batch(http.StatusOK, http.MethodGet, "/"+id, nil); v.Status == "completed" || v.Status == "canceled" {
			return v
		}
	}
	g.t.Fatalf("batch %s never ends", id)
	return batchView{}
}

// batchItems reads all items of a batch, in pages.
func (g *gateway) batchItems(id string) (all []batchItem) {
	g.t.Helper()
	for query := "?limit=7"; ; {
		status, answer := g.call(http.MethodGet, "/api/batches/"+id+"/items"+query, nil)
		var page struct {
			Data       []batchItem
			NextCursor string `json:"next_cursor"`
		}
		if err := json.Unmarshal(answer, &page); err != nil || status != http.StatusOK {
			g.t.Fatalf("the items answered %d: %s, %v", status, answer, err)
		}
		all = append(all, page.Data...)
		if page.NextCursor == "" {
			return all
		}
		query = "?limit=7&cursor=" + page.NextCursor
	}
}

// paid is what the account has left, holds and has spent.
func (g *gateway) paid() (available, reserved, spent int64) {
	g.t.Helper()
	_, answer := g.call(http.MethodGet, "/api/account", nil)
	var a struct{ Available, Reserved, Spent int64 }
	if err := json.Unmarshal(answer, &a); err != nil {
		g.t.Fatal(err)
	}
	return a.Available, a.Reserved, a.Spent
}

// requests are so many requests with a custom id each, for 40 credits.
func requests(n int) []map[string]any {
	list := make([]map[string]any, n)
	for i := range list {
		list[i] = map[string]any{"custom_id": fmt.Sprint("picture ", i), "prompt": fmt.Sprint("a lighthouse, number ", i), "n": 4}
	}
	return list
}

// TestABatchThroughTheWholeGateway sends more requests at once than the account can
// pay for: the first ones are made, the others refused, each is a task of its own,
// and the caller's endpoint hears once of the batch.
func TestABatchThroughTheWholeGateway(t *testing.T) {
	t.Parallel()
	g := start(t)
	url, reports, _ := listen(t)
	body := map[string]any{"requests": requests(30), "callback_url": url, "metadata": map[string]string{"order": "7"}}
	made := g.batch(http.StatusAccepted, http.MethodPost, "", body, "Idempotency-Key", "order")
	if again := g.batch(http.StatusAccepted, http.MethodPost, "", body, "Idempotency-Key", "order"); again.ID != made.ID {
		t.Errorf("the repeat is %s, want %s", again.ID, made.ID)
	}
	body["metadata"] = nil
	g.batch(http.StatusConflict, http.MethodPost, "", body, "Idempotency-Key", "order")
	v := g.batchEnded(made.ID)
	if v.Status != "completed" || v.Total != 30 || v.Counts["succeeded"] != 25 || v.Counts["refused"] != 5 || v.Credits.Quoted != 1200 || v.Credits.Charged != 1000 {
		t.Fatalf("the batch is %+v", v)
	}
	tasks := map[string]bool{}
	for n, i := range g.batchItems(made.ID) {
		if i.Index != n || i.CustomID != fmt.Sprint("picture ", n) {
			t.Errorf("item %d is %+v", n, i)
		}
		if i.Status == "refused" {
			if i.Task != "" || i.Error.Code != "insufficient_credits" {
				t.Errorf("item %d is %+v", n, i)
			}
			continue
		}
		tasks[i.Task] = true
		status, answer := g.call(http.MethodGet, "/api/task/"+i.Task, nil)
		var one taskView
		if err := json.Unmarshal(answer, &one); err != nil || status != http.StatusOK || one.Status != "succeeded" || one.Credits.Charged != 40 ||
			len(one.Outputs) != 4 || !strings.Contains(string(answer), fmt.Sprint("number ", n)) {
			t.Errorf("item %d is the task %s", n, answer)
		}
	}
	if available, reserved, spent := g.paid(); len(tasks) != 25 || available != 0 || reserved != 0 || spent != 1000 {
		t.Errorf("%d tasks; available are %d, reserved %d, spent %d", len(tasks), available, reserved, spent)
	}
	shared, err := g.App.Secrets.Get(t.Context(), env.WebhookSecret)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case r := <-reports:
		var told struct {
			Type string
			Data batchView
		}
		if err := json.Unmarshal(r.body, &told); err != nil || told.Type != "batch.completed" || told.Data.ID != made.ID || !maps.Equal(told.Data.Counts, v.Counts) {
			t.Errorf("the report is %s, %v", r.body, err)
		}
		if err := r.verify(shared.Reveal()); err != nil || r.header.Get("Webhook-Id") != made.ID+"_completed" {
			t.Errorf("the report's signature: %v, %v", err, r.header)
		}
	case <-time.After(5 * time.Minute):
		t.Error("no report came")
	}
	g.batch(http.StatusConflict, http.MethodPost, "/"+made.ID+"/cancel", nil)
}

// TestABatchIsCanceledInTheMiddle cancels a batch while its requests begin and end:
// whatever each came to, the account paid for what succeeded and for nothing else.
func TestABatchIsCanceledInTheMiddle(t *testing.T) {
	t.Parallel()
	g := start(t)
	made := g.batch(http.StatusAccepted, http.MethodPost, "", map[string]any{"requests": requests(24)})
	g.batch(http.StatusOK, http.MethodPost, "/"+made.ID+"/cancel", nil)
	v := g.batchEnded(made.ID)
	_, reserved, spent := g.paid()
	if v.Status != "canceled" || v.Counts["canceled"]+v.Counts["succeeded"] != 24 || v.Credits.Charged != int64(40*v.Counts["succeeded"]) {
		t.Errorf("the batch is %+v", v)
	}
	if reserved != 0 || spent != v.Credits.Charged {
		t.Errorf("reserved are %d and spent %d, the batch says %d", reserved, spent, v.Credits.Charged)
	}
	if list, answer := g.call(http.MethodGet, "/api/batches", nil); list != http.StatusOK || !strings.Contains(string(answer), made.ID) {
		t.Errorf("the list answered %d: %s", list, answer)
	}
	g.operate(http.StatusCreated, http.MethodPost, "/api/admin/accounts", map[string]any{"id": "other"})
	if status, answer := g.call(http.MethodGet, "/api/batches/"+made.ID, nil, "Authorization", "Bearer "+g.AdminKey, "X-Easel-Account", "other"); status != http.StatusNotFound {
		t.Errorf("another account reads it: %d: %s", status, answer)
	}
}

// TestABatchOutlivesItsGateway stops a gateway in the middle of a batch: the next one
// over the same folder finishes it.
func TestABatchOutlivesItsGateway(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	keep := func(o *local.Options) { o.Data = folder }
	first := startWith(t, keep)
	made := first.batch(http.StatusAccepted, http.MethodPost, "", map[string]any{"requests": requests(24)})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	g := startWith(t, keep)
	g.hurry(made.ID)
	v := g.batchEnded(made.ID)
	if _, reserved, spent := g.paid(); v.Counts["succeeded"] != 24 || reserved != 0 || spent != 960 || v.Credits.Charged != 960 {
		t.Errorf("the batch is %+v, reserved are %d and spent %d", v, reserved, spent)
	}
}

// hurry makes a batch and its tasks due, as they are half a minute after their
// messages were lost.
func (g *gateway) hurry(id string) {
	g.t.Helper()
	store, now := g.App.Store, time.Now()
	b, err := store.Batch(g.t.Context(), id)
	for n := 0; err == nil && n < len(b.Items); n++ {
		one, missing := store.Task(g.t.Context(), batch.TaskID(id, n))
		if missing != nil || one.Status.Terminal() {
			continue
		}
		one.DueAt, one.Version = now, one.Version+1
		if err = store.Apply(g.t.Context(), journal.Change{Task: one}); errors.Is(err, journal.ErrStale) {
			err = nil // it moves by itself
		}
	}
	if err == nil && !b.Status.Ended() {
		b.DueAt, b.Version = now, b.Version+1
		if err = store.PutBatch(g.t.Context(), batch.Change{Batch: b}); errors.Is(err, journal.ErrStale) {
			err = nil
		}
	}
	if err != nil {
		g.t.Fatal(err)
	}
}
