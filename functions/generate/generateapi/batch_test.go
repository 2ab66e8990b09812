package generateapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"easel/functions/generate/generateapi"
	"easel/shared/apikey"
	"easel/shared/batch"
	"easel/shared/catalog"
	"easel/shared/fault"
	"easel/shared/intake"
	"easel/shared/intake/intaketest"
	"easel/shared/provider"
	"easel/shared/safehttp"
	"easel/shared/task"
)

// batches is a gateway with batches, whose worker works when told.
type batches struct {
	bundle

	engine   *batch.Engine
	messages []batch.Message
	reported []batch.Batch
}

// Send keeps the message; the delay is for nobody.
func (b *batches) Send(_ context.Context, m batch.Message, _ time.Duration) error {
	b.messages = append(b.messages, m)
	return nil
}

// Report remembers the batch.
func (b *batches) Report(_ context.Context, ended batch.Batch) (task.Try, time.Duration) {
	b.reported = append(b.reported, ended)
	return task.Try{Status: http.StatusOK}, 0
}

func setupBatches(t *testing.T) *batches {
	t.Helper()
	g := intaketest.New(t)
	g.Desk.CheckURL = func(raw string) error { return safehttp.CheckURL(raw, safehttp.Options{}) }
	b := &batches{bundle: bundle{Gateway: g}}
	b.engine = batch.New(batch.Parts{
		Store: g.Store, Creator: g.Store, Due: g.Store, Tasks: g.Store, Queue: b, Reporter: b,
		Placer: intake.BatchPlacer{Desk: g.Desk, Voider: g.Engine, Canceler: g.Runner},
		Now:    time.Now, NewID: intaketest.NewID, Log: g.Log.Logger(),
	})
	b.handler = generateapi.New(generateapi.Deps{
		Auth: g.Auth, Desk: g.Desk, Views: &g.Config, Accounts: g.Store, Quotas: g.Quotas, Tasks: g.Store, Canceler: g.Runner,
		Batches: b.engine, BatchList: g.Store,
		Signer: intaketest.Signer{}, Files: files{}, Log: g.Log.Logger(), Now: time.Now,
	})
	return b
}

// work takes so many steps of all batches, and lets the tasks end in between.
func (b *batches) work(t *testing.T, steps int) {
	t.Helper()
	for range steps {
		messages := b.messages
		b.messages = nil
		for _, m := range messages {
			if err := b.engine.Advance(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		b.Work(t)
	}
}

// create makes a batch of the requests and returns its id.
func (b *batches) create(t *testing.T, requests string, headers ...string) string {
	t.Helper()
	w := b.post(t, "/api/batches", `{"requests":[`+requests+`]}`, headers...)
	view := object(t, w)
	id, _ := view["id"].(string)
	if w.Code != http.StatusAccepted || view["object"] != "batch" || w.Header().Get("Location") != "/api/batches/"+id || w.Header().Get("Retry-After") == "" {
		t.Fatalf("status %d, %v, %v", w.Code, w.Header(), view)
	}
	return id
}

func (b *batches) read(t *testing.T, id string) httpBatch {
	t.Helper()
	w := b.get(t, "/api/batches/"+id)
	var v httpBatch
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return v
}

type httpBatch struct {
	ID      string
	Status  string
	Total   int
	Counts  batch.Counts
	Credits struct{ Quoted, Charged int64 }
}

type httpItem struct {
	Index    int
	CustomID string `json:"custom_id"`
	Task     *string
	Status   string
	Charged  int64
	Error    *struct{ Code, Message string }
}

// items reads a batch's items, page by page.
func (b *batches) items(t *testing.T, id, query string) (all []httpItem) {
	t.Helper()
	cursor := ""
	for range 50 {
		w := b.get(t, "/api/batches/"+id+"/items?"+query+cursor)
		var page struct {
			Data       []httpItem
			NextCursor *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		all = append(all, page.Data...)
		if page.NextCursor == nil {
			return all
		}
		cursor = "&cursor=" + *page.NextCursor
	}
	t.Fatal("the pages never end")
	return nil
}

const plain = `{"prompt":"a lighthouse"}`

// many is a list of so many requests.
func many(request string, n int) string {
	return strings.TrimSuffix(strings.Repeat(request+",", n), ",")
}

func TestABatchIsCarriedOutAndReported(t *testing.T) {
	t.Parallel()
	b := setupBatches(t)
	w := b.post(t, "/api/batches", `{"callback_url":"https://caller.example/hook","metadata":{"order":"7"},"requests":[
		{"custom_id":"one","prompt":"a lighthouse","model":"painter","n":2,"user":"ann","metadata":{"a":"b"},"callback_url":"https://caller.example/one"},
		{"custom_id":"two","prompt":"a boat","model":"mover","duration":5}]}`)
	view := object(t, w)
	id, _ := view["id"].(string)
	if w.Code != http.StatusAccepted || view["status"] != "queued" || fmt.Sprint(view["metadata"]) != "map[order:7]" || view["total"] != 2.0 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	b.WantUntouched(t)
	b.work(t, 1)
	if v := b.read(t, id); v.Status != "processing" || v.Counts.Processing != 2 || v.Credits.Quoted != 30 || v.Credits.Charged != 0 {
		t.Errorf("after a step: %+v", v)
	}
	b.work(t, 2)
	if v := b.read(t, id); v.Status != "completed" || v.Counts.Succeeded != 2 || v.Credits.Charged != 30 || w.Header().Get("Retry-After") == "" {
		t.Errorf("at the end: %+v", v)
	}
	if len(b.reported) != 1 || b.reported[0].ID != id || b.reported[0].CallbackURL != "https://caller.example/hook" {
		t.Errorf("reported are %+v", b.reported)
	}
	items := b.items(t, id, "")
	if len(items) != 2 || items[0].CustomID != "one" || items[1].CustomID != "two" || items[1].Index != 1 || items[0].Charged != 20 {
		t.Fatalf("items are %+v", items)
	}
	made, err := b.Store.Task(t.Context(), *items[0].Task)
	if err != nil || made.Status != task.Succeeded || made.User != "ann" || made.Metadata["a"] != "b" || made.CallbackURL != "https://caller.example/one" || len(made.Outputs) != 2 {
		t.Errorf("the first task is %+v, %v", made, err)
	}
	if balance := b.Balance(t); balance.Spent != 30 || balance.Reserved != 0 {
		t.Errorf("the balance is %+v", balance)
	}
}

func TestTheRepeatOfABatchIsTheSameBatch(t *testing.T) {
	t.Parallel()
	b := setupBatches(t)
	first := b.create(t, many(plain, 3), "Idempotency-Key", "k")
	w := b.post(t, "/api/batches", `{ "requests": [`+many(`{ "prompt": "a lighthouse" }`, 3)+`] }`, "Idempotency-Key", "k")
	if object(t, w)["id"] != first || w.Code != http.StatusAccepted || w.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	for path, body := range map[string]string{"/api/batches": `{"requests":[` + many(plain, 2) + `]}`, "/api/generate": plain} {
		if w := b.post(t, path, body, "Idempotency-Key", "k"); w.Code != http.StatusConflict || object(t, w)["code"] != "idempotency_mismatch" {
			t.Errorf("another body to %s: status %d: %s", path, w.Code, w.Body)
		}
	}
	b.work(t, 3)
	b.Config.Models = b.Config.Models[1:] // not even when it would be refused by now
	if w = b.post(t, "/api/batches", `{"requests":[`+many(plain, 3)+`]}`, "Idempotency-Key", "k"); object(t, w)["status"] != "completed" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if tasks := b.Store.Tasks(); len(tasks) != 3 {
		t.Errorf("%d tasks, want 3", len(tasks))
	}
}

func TestARequestThatCannotBeginIsRefusedAlone(t *testing.T) {
	t.Parallel()
	b := setupBatches(t) // 100 credits, a picture costs 10
	b.Desk.Filter = filter(func(t intake.Ticket) error {
		if t.Request.Prompt == "bad" {
			return fault.New(fault.ContentRejected, "not this")
		}
		return nil
	})
	id := b.create(t, many(plain, 3)+`,{"prompt":"bad"},`+many(plain, 9))
	b.work(t, 6)
	v := b.read(t, id)
	if v.Status != "completed" || v.Counts.Succeeded != 10 || v.Counts.Refused != 3 || v.Credits.Quoted != 130 || v.Credits.Charged != 100 {
		t.Errorf("the batch is %+v", v)
	}
	refused := b.items(t, id, "status=refused&limit=1")
	if len(refused) != 3 || refused[0].Index != 3 || refused[0].Error.Code != "content_rejected" || refused[1].Error.Code != "insufficient_credits" || refused[1].Task != nil {
		t.Errorf("refused are %+v", refused)
	}
	if balance := b.Balance(t); balance.Spent != 100 || balance.Reserved != 0 || balance.Available != 0 {
		t.Errorf("the balance is %+v", balance)
	}
}

// filter refuses requests.
type filter func(t intake.Ticket) error

func (f filter) Check(_ context.Context, t intake.Ticket) error { return f(t) }

func TestARequestCostsWhatItWasQuoted(t *testing.T) {
	t.Parallel()
	b := setupBatches(t)
	id := b.create(t, plain)
	b.Config.Models[0].Price = catalog.Price{Known: true, Credits: 99, Unit: catalog.PerImage}
	b.work(t, 3)
	if v := b.read(t, id); v.Credits.Charged != 10 {
		t.Errorf("the batch is %+v", v)
	}
}

func TestABatchIsCanceled(t *testing.T) {
	t.Parallel()
	b := setupBatches(t)
	b.Provider.Jobs = true // which stay open
	b.Provider.OnSubmit = func(context.Context, provider.Call) (provider.Answer, error) {
		return provider.Answer{State: provider.Pending, Job: provider.Job{ID: "job"}}, nil
	}
	id := b.create(t, many(`{"prompt":"x","model":"mover","duration":1}`, 40))
	b.messages = append(b.messages, b.messages...) // and come twice
	b.work(t, 1)
	if v := b.read(t, id); v.Counts.Processing != batch.Window || v.Counts.Queued != 20 || b.Balance(t).Reserved != 40 {
		t.Fatalf("the batch is %+v", v)
	}
	other := b.NewKey("acc_other", apikey.Generate)
	if w := b.post(t, "/api/batches/"+id+"/cancel", "", "Authorization", "Bearer "+other); w.Code != http.StatusNotFound {
		t.Errorf("another account cancels: %d", w.Code)
	}
	w := b.post(t, "/api/batches/"+id+"/cancel", "")
	if object(t, w)["status"] != "canceling" || w.Code != http.StatusOK {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if w = b.post(t, "/api/batches/"+id+"/cancel", ""); w.Code != http.StatusOK {
		t.Errorf("canceled twice: %d: %s", w.Code, w.Body)
	}
	b.work(t, 2)
	if v := b.read(t, id); v.Status != "canceled" || v.Counts.Canceled != 40 || v.Credits.Charged != 0 {
		t.Errorf("the batch is %+v", v)
	}
	if balance := b.Balance(t); balance.Available != intaketest.Credits {
		t.Errorf("the balance is %+v", balance)
	}
	if w = b.post(t, "/api/batches/"+id+"/cancel", ""); w.Code != http.StatusOK || object(t, w)["status"] != "canceled" {
		t.Errorf("canceled after its end: %d", w.Code)
	}
	done := b.create(t, plain)
	b.Provider.Jobs, b.Provider.OnSubmit = false, nil
	b.work(t, 3)
	if w = b.post(t, "/api/batches/"+done+"/cancel", ""); w.Code != http.StatusConflict {
		t.Errorf("a completed batch is canceled: %d: %s", w.Code, w.Body)
	}
}

func TestABatchThatHasNotBegunIsCanceledAtOnce(t *testing.T) {
	t.Parallel()
	b := setupBatches(t)
	id := b.create(t, many(plain, 5))
	if w := b.post(t, "/api/batches/"+id+"/cancel", ""); object(t, w)["status"] != "canceled" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	b.work(t, 2)
	if items := b.items(t, id, "limit=2"); len(items) != 5 || items[4].Status != "canceled" || items[4].Task != nil || items[4].Error.Code != "canceled" {
		t.Errorf("the items are %+v", items)
	}
	b.WantUntouched(t)
}

func TestAnAccountHasSoManyOpenBatches(t *testing.T) {
	t.Parallel()
	b := setupBatches(t)
	for range batch.MaxOpen {
		b.create(t, plain)
	}
	w := b.post(t, "/api/batches", `{"requests":[`+plain+`]}`)
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || object(t, w)["limit"] != float64(batch.MaxOpen) {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	b.work(t, 3)
	b.create(t, plain)
}

func TestBatchesAreTheirAccounts(t *testing.T) {
	t.Parallel()
	b := setupBatches(t)
	id := b.create(t, plain)
	second := b.create(t, plain)
	other, reader := b.NewKey("acc_other", apikey.Generate), b.NewKey(intaketest.Account, apikey.Read)
	for _, path := range []string{"/api/batches/" + id, "/api/batches/" + id + "/items", "/api/batches/batch_0000000000", "/api/batches/x"} {
		if w := b.get(t, path, "Authorization", "Bearer "+other); w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
	if w := b.get(t, "/api/batches", "Authorization", "Bearer "+other); strings.Contains(w.Body.String(), id) {
		t.Errorf("the other account lists %s", w.Body)
	}
	w := b.get(t, "/api/batches?limit=1", "Authorization", "Bearer "+reader)
	page := object(t, w)
	next, _ := page["next_cursor"].(string)
	if !strings.Contains(w.Body.String(), second) || next == "" {
		t.Errorf("the first page is %s", w.Body)
	}
	if w = b.get(t, "/api/batches?limit=1&cursor="+next); !strings.Contains(w.Body.String(), id) {
		t.Errorf("the second page is %s", w.Body)
	}
	for _, path := range []string{"/api/batches", "/api/batches/" + id + "/cancel"} {
		if w := b.post(t, path, `{"requests":[`+plain+`]}`, "Authorization", "Bearer "+reader); w.Code != http.StatusForbidden {
			t.Errorf("a key that may only read posts to %s: %d", path, w.Code)
		}
	}
}

func TestItemsAreAskedForRightly(t *testing.T) {
	t.Parallel()
	b := setupBatches(t)
	id := b.create(t, many(plain, 3))
	for query, field := range map[string]string{
		"status=starting": "status", "cursor=x": "cursor", "cursor=i-1": "cursor", "cursor=i1000": "cursor", "limit=0": "limit", "limit=101": "limit",
	} {
		w := b.get(t, "/api/batches/"+id+"/items?"+query)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"name":"`+field+`"`) {
			t.Errorf("%s: status %d: %s", query, w.Code, w.Body)
		}
	}
	if items := b.items(t, id, "status=queued&limit=2"); len(items) != 3 || items[2].Index != 2 {
		t.Errorf("the items are %+v", items)
	}
	if items := b.items(t, id, "status=failed"); len(items) != 0 {
		t.Errorf("the items are %+v", items)
	}
}

func TestARequestThatFailsForNoReasonIsGivenUp(t *testing.T) {
	t.Parallel()
	b := setupBatches(t)
	broken := errors.New("the filter is broken in a way that its caller must not know")
	b.Desk.Filter = filter(func(t intake.Ticket) error {
		if t.Request.Prompt == "bad" {
			return broken
		}
		return nil
	})
	id := b.create(t, `{"prompt":"bad"},`+many(plain, 4))
	b.work(t, 12)
	v := b.read(t, id)
	items := b.items(t, id, "status=refused")
	if v.Status != "completed" || v.Counts.Succeeded != 4 || len(items) != 1 || items[0].Error.Code != "internal" || strings.Contains(items[0].Error.Message, "filter") {
		t.Errorf("the batch is %+v, refused are %+v", v, items)
	}
	if balance := b.Balance(t); balance.Spent != 40 || balance.Reserved != 0 {
		t.Errorf("the balance is %+v", balance)
	}
}
